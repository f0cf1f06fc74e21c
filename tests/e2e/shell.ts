import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { asJson } from './world';
import type { Answers } from './world';

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

interface Reply {
  status?: number;
  body?: unknown;
}

const isReply = (value: unknown): value is Reply => typeof value === 'object' && value !== null && 'status' in value && 'body' in value;

/** What is answered until something was written to the same place, and from then on. */
interface Changing {
  until_written: unknown;
  then: unknown;
}

const isChanging = (value: unknown): value is Changing => typeof value === 'object' && value !== null && 'until_written' in value;

/** Says which context asks, since all share one server. */
const WORLD = 'x-world';

interface World {
  answers: Answers;
  written: Set<string>;
}

/** Answers a request to `/api/v1/` from a table. More exact keys win: `POST path`, `path?query`, `path`. */
function answer({ answers, written }: World, request: IncomingMessage, response: ServerResponse, url: URL): void {
  const path = url.pathname.replace('/api/v1/', '');
  const keys = [`${request.method ?? 'GET'} ${path}`, `${path}${url.search}`, path];
  const given = keys.map((key) => answers[key]).find((one) => one !== undefined);
  const found = isChanging(given) ? (written.has(path) ? given.then : given.until_written) : given;
  if (request.method !== 'GET') written.add(path);
  if (found === 'hang') return;
  if (found === 'offline') return void request.socket.destroy();
  const reply: Reply = isReply(found) ? found : found === undefined ? { status: 404, body: { status: 404, code: 'not_found', detail: path } } : { status: 200, body: found };
  response.writeHead(reply.status ?? 200, { 'Content-Type': reply.status && reply.status >= 400 ? 'application/problem+json' : 'application/json', ETag: '"1"' });
  response.end(asJson(reply.body));
}

export interface Shell {
  url: string;
  /** From now on the API answers this context from the table; the socket says hello and no more. */
  answerFrom: (context: BrowserContext, answers: Answers) => Promise<void>;
  close: () => void;
}

/** The built app behind the product's own policy, and in place of the product tables of answers. */
export async function serveShell(): Promise<Shell> {
  const html = page();
  const worlds = new Map<string, World>();
  const files = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://shell');
    const path = url.pathname;
    const world = worlds.get(String(request.headers[WORLD]));
    if (world && path.startsWith('/api/v1/')) {
      // What was sent is read to its end, or the connection is not taken for the next request.
      return void request.resume().on('end', () => answer(world, request, response, url));
    }
    if (path.startsWith('/static/')) {
      const file = path.startsWith('/static/build/')
        ? join(BUILD, normalize(path.slice('/static/build/'.length)))
        : join(ROOT, normalize(path.slice(1)));
      if (!existsSync(file)) return void response.writeHead(404).end();
      const content = files.get(file) ?? readFileSync(file);
      files.set(file, content);
      response.writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' });
      return void response.end(content);
    }
    response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': POLICY });
    response.end(html);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answerFrom: async (context, answers) => {
      const name = String(worlds.size);
      worlds.set(name, { answers, written: new Set() });
      await context.setExtraHTTPHeaders({ [WORLD]: name });
      await context.routeWebSocket('**/ws/live/', (socket) => socket.send(JSON.stringify({ seq: 1, type: 'hello' })));
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
