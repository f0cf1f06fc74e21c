/**
 * A tampered trail, found and located: an auditor asks whether anything was altered, somebody who owns
 * the database changes one value with every guard off, and the page names the entry. By links alone.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const DATABASE = process.env['E2E_DATABASE'] ?? '';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SHOTS = fileURLToPath(new URL('../../var/e2e/trail/', import.meta.url));

/** What somebody does who owns the database: no trigger, no command, no trace of their own. */
const FORGE = `
import sys, psycopg
with psycopg.connect(sys.argv[1]) as database:
    database.execute("set session_replication_role = replica")
    done = database.execute(
        "update audit_value set salted = jsonb_set(salted, '{target.label,1}', to_jsonb(%s::text))"
        " where event_id = %s returning 1", [sys.argv[3], sys.argv[2]]).fetchall()
    assert len(done) == 1
`;

function forge(entry: string, label: string) {
  const python = `${ROOT}.venv/bin/python`;
  execFileSync(existsSync(python) ? python : 'python3', ['-c', FORGE, DATABASE, entry, JSON.stringify(label)], { cwd: ROOT });
}

describe.skipIf(!hasChromium || URL_ === '' || DATABASE === '')('the trail', () => {
  let browser: Browser;
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(async () => browser.close());

  const signIn = async (who: string): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', locale: 'en-GB' });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => complaints.push(String(error)));
    const heard = watchComplaints(page);
    page.on('close', () => complaints.push(...heard));
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
    return page;
  };

  const check = async (page: Page, answer: RegExp) => {
    await page.getByRole('button', { name: 'Check everything now' }).click();
    await page.getByText('Everything is being checked').first().waitFor();
    await page.getByText('Everything is being checked').first().waitFor({ state: 'detached', timeout: 120_000 });
    await page.getByRole('heading', { name: answer }).waitFor();
  };

  it('tells that it was tampered with, and where', { timeout: 400_000 }, async () => {
    const auditor = await signIn('auditor');
    await auditor.getByRole('link', { name: 'Audit' }).click();

    // The auditor's own sign-in, sealed within seconds and proved.
    await auditor.getByRole('button', { name: 'Signed in' }).first().click();
    const drawer = auditor.getByRole('dialog');
    await drawer.getByText(/^In seal \d+, verified$/).waitFor();
    const entry = new URL(auditor.url()).searchParams.get('event') ?? '';
    expect(entry).not.toBe('');
    await drawer.getByRole('button', { name: 'Close the entry' }).click();

    await auditor.getByRole('link', { name: 'Altered?' }).click();
    await check(auditor, /^Nothing has been altered$/);
    await auditor.screenshot({ path: `${SHOTS}intact.png` });

    forge(entry, 'mallory@demo.local');
    try {
      await check(auditor, /^1 thing has been altered$/);
      const found = auditor.getByRole('table', { name: 'What was altered' });
      await found.getByText(/The value 'target.label' of row .* was changed/).waitFor();
      await auditor.screenshot({ path: `${SHOTS}altered.png` });
      await found.getByRole('link', { name: 'Signed in: mallory@demo.local' }).click();
      await auditor.getByRole('dialog').getByText('Altered since it was sealed').waitFor();
      expect(new URL(auditor.url()).searchParams.get('event')).toBe(entry);
      await auditor.screenshot({ path: `${SHOTS}entry.png` });
    } finally {
      forge(entry, 'auditor@demo.local');
    }

    await auditor.getByRole('button', { name: 'Close the entry' }).click();
    await auditor.getByRole('link', { name: 'Altered?' }).click();
    await check(auditor, /^Nothing has been altered$/);
    await auditor.close();
    expect(complaints).toEqual([]);
  });
});
