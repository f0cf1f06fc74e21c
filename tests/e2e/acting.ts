/** What journeys share: signing in, acting by the API as who is signed in, and people made for one journey. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';

export const URL_ = process.env['E2E_URL'] ?? '';
export const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
export const HOME = process.env['E2E_HOME'] ?? '';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A page of somebody who has signed in; `watch` hears what the browser complains about. */
export async function signIn(browser: Browser, who: string, watch: (page: Page) => void): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', locale: 'en-GB', acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  watch(page);
  await page.goto(`${URL_}/sign-in/`);
  await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
  await page.getByLabel(/password/i).fill(PASSWORD);
  await page.getByRole('button', { name: /sign in/i }).click();
  await page.getByRole('navigation').first().waitFor();
  return page;
}

/** One call of the API as the one who is signed in on a page; fails where it is refused. */
export async function call<T>(page: Page, method: string, path: string, body?: unknown, ifMatch?: number): Promise<T> {
  const answer = await page.evaluate(
    async ([how, where, what, revision]) => {
      const token = document.querySelector('meta[name="csrf"]')?.getAttribute('content') ?? '';
      const headers: Record<string, string> = { 'Content-Type': 'application/json', 'X-CSRFToken': token };
      if (how === 'POST') headers['Idempotency-Key'] = crypto.randomUUID();
      if (revision !== null) headers['If-Match'] = `"${revision}"`;
      const got = await fetch(`/api/v1/${where}`, { method: how, headers, ...(what === null ? {} : { body: what }) });
      return { ok: got.ok, status: got.status, text: await got.text() };
    },
    [method, path, body === undefined ? null : JSON.stringify(body), ifMatch ?? null] as const,
  );
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${answer.text.slice(0, 500)}`);
  return (answer.text ? JSON.parse(answer.text) : undefined) as T;
}

/** Add people to the demo workspace: address, name, teams; they decide and sign in with the demo's password. */
export function addPeople(people: { email: string; name: string; teams?: string[]; roles?: string[] }[]): void {
  const code = [
    'import json',
    'from apps.accounts.commands import add_member',
    'from apps.accounts.models import Workspace',
    'from apps.core import clock',
    'workspace = Workspace.objects.get(slug="demo")',
    `for one in json.loads(${JSON.stringify(JSON.stringify(people))}):`,
    `    add_member(workspace_id=workspace.pk, email=one["email"], name=one["name"], roles=one.get("roles", ["approver"]), teams=one.get("teams", []), password=${JSON.stringify(PASSWORD)}, now=clock.now())`,
  ].join('\n');
  const python = `${ROOT}.venv/bin/python`;
  execFileSync(existsSync(python) ? python : 'python3', ['-m', 'config.stack', 'manage', 'shell', '-c', code], { cwd: ROOT, env: { ...process.env, SIGNALBOX_HOME: HOME } });
}
