import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const BUILD = process.env['E2E_BUILD'] ?? join(ROOT, 'static/build');
const TYPES: Record<string, string> = {
  '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.json': 'application/json',
};
const NONCE = 'e2e-nonce';
/** The policy of security.md, word for word. */
const POLICY = [
  "default-src 'self'", `script-src 'self' 'nonce-${NONCE}'`, `style-src 'self' 'nonce-${NONCE}'`,
  "style-src-attr 'unsafe-inline'", "img-src 'self' data: blob:", "worker-src 'self'", "object-src 'none'",
  "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
].join('; ');

interface Chunk {
  file: string;
  css?: string[];
  imports?: string[];
}

function page(): string {
  const manifest = JSON.parse(readFileSync(join(BUILD, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
  const seen = new Set<string>();
  const sheets: string[] = [];
  const visit = (name: string) => {
    const chunk = manifest[name];
    if (!chunk || seen.has(name)) return;
    seen.add(name);
    sheets.push(...(chunk.css ?? []));
    chunk.imports?.forEach(visit);
  };
  visit('src/app/main.tsx');
  const links = sheets.map((sheet) => `<link rel="stylesheet" href="/static/build/${sheet}">`).join('');
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">` +
    `<meta name="color-scheme" content="light dark"><meta name="csp-nonce" content="${NONCE}"><title>Signalbox</title>` +
    `<link rel="icon" href="/static/favicon.svg">${links}</head><body><div id="root"></div>` +
    `<script type="module" nonce="${NONCE}" src="/static/build/${manifest['src/app/main.tsx']?.file ?? ''}"></script></body></html>`
  );
}

/** The built app behind the product's own policy, without a server behind it. */
export async function serveShell(): Promise<{ url: string; close: () => void }> {
  const html = page();
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://shell').pathname;
    if (path.startsWith('/static/')) {
      const file = path.startsWith('/static/build/')
        ? join(BUILD, normalize(path.slice('/static/build/'.length)))
        : join(ROOT, normalize(path.slice(1)));
      if (!existsSync(file)) return void response.writeHead(404).end();
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
      return void response.end(readFileSync(file));
    }
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY });
    response.end(html);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}
