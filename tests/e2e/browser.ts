import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { asJson } from './world';
import type { Answers } from './world';

export const CHROMIUM = process.env['E2E_CHROMIUM'] ?? '/usr/bin/chromium';
export const hasChromium = existsSync(CHROMIUM);

/** `--no-sandbox` only where Chromium refuses to start with it. */
export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });

/** Everything a browser complains about: console errors, policy violations, broken scripts. */
export function watchComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|WebSocket/.test(message.text())) complaints.push(message.text());
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!/^(http:\/\/127\.0\.0\.1|data:|blob:)/.test(request.url())) complaints.push(`asks another host: ${request.url()}`);
  });
  return complaints;
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

/** Answers `/api/v1/` from a table. More exact keys win: `POST path`, `path?query`, `path`. */
export async function answerFrom(context: BrowserContext, answers: Answers): Promise<void> {
  const written = new Set<string>();
  await context.routeWebSocket('**/ws/live/', (socket) => socket.send(JSON.stringify({ seq: 1, type: 'hello' })));
  await context.route('**/api/v1/**', async (route) => {
    const url = new URL(route.request().url());
    const path = url.pathname.replace('/api/v1/', '');
    const keys = [`${route.request().method()} ${path}`, `${path}${url.search}`, path];
    const given = keys.map((key) => answers[key]).find((answer) => answer !== undefined);
    const found = isChanging(given) ? (written.has(path) ? given.then : given.until_written) : given;
    if (route.request().method() !== 'GET') written.add(path);
    if (found === 'hang') return;
    if (found === 'offline') return route.abort('connectionrefused');
    const reply: Reply = isReply(found) ? found : found === undefined ? { status: 404, body: { status: 404, code: 'not_found', detail: path } } : { status: 200, body: found };
    await route.fulfill({
      status: reply.status ?? 200,
      headers: { 'Content-Type': reply.status && reply.status >= 400 ? 'application/problem+json' : 'application/json', ETag: '"1"' },
      body: asJson(reply.body),
    });
  });
}
