/** The pages that the server renders: they work without script, on a phone, in light and dark. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/server/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDTHS = [1440, 768, 360];
const PAGES: [who: string | null, path: string, name: string][] = [
  [null, '/sign-in/', 'sign-in'],
  [null, '/password/reset/', 'password-reset'],
  ['approver', '/inbox/list/', 'inbox-list'],
  ['approver', 'first task', 'task'],
  ['auditor', 'evidence of the first task', 'evidence'],
  ['admin', '/admin/', 'admin'],
  ['admin', '/admin/flows/flow/', 'admin-flows'],
  ['auditor', '/admin/audit/auditevent/', 'admin-trail'],
  ['admin', '/admin/accounts/membership/', 'admin-people'],
  ['admin', '/admin/accounts/apitoken/', 'admin-tokens'],
  ['auditor', '/admin/audit/auditseal/', 'admin-seals'],
  ['approver', '/admin/', 'admin-closed'],
  ['admin', '/admin/nothing/', 'not-found'],
  [null, '/password/reset/sent/', 'password-reset-sent'],
  [null, '/invitation/none/', 'invitation-gone'],
];

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string }[] }[];
}

describe.skipIf(!hasChromium || URL_ === '')('pages of the server', () => {
  let browser: Browser;
  const contexts = new Map<string, BrowserContext>();

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(() => browser.close());

  const contextOf = async (who: string | null): Promise<BrowserContext> => {
    const known = contexts.get(who ?? '');
    if (known) return known;
    const context = await browser.newContext({ reducedMotion: 'reduce', locale: 'en-GB' });
    contexts.set(who ?? '', context);
    if (who === null) return context;
    const page = await context.newPage();
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'));
    await page.close();
    return context;
  };

  it.each(PAGES)('%s %s', { timeout: 120_000 }, async (who, path, name) => {
    const page = await (await contextOf(who)).newPage();
    const complaints = watchComplaints(page);
    let address = path;
    if (path.endsWith('first task')) {
      const list = await (await contextOf('approver')).newPage();
      await list.goto(`${URL_}/inbox/list/`);
      address = (await list.locator('a[href*="/inbox/0"]').first().getAttribute('href')) ?? '';
      await list.close();
      expect(address).not.toBe('');
      if (path.startsWith('evidence')) address += 'evidence/';
    }
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: width < 500 ? 740 : 900 });
        await page.emulateMedia({ colorScheme });
        await page.goto(URL_ + address);
        await page.screenshot({ path: `${SHOTS}${name}-${width}-${colorScheme}.png` });
        await page.evaluate(AXE);
        const found = await page.evaluate(() =>
          (window as unknown as { axe: { run: (options: object) => Promise<AxeResult> } }).axe.run({ resultTypes: ['violations'] }),
        );
        const serious = found.violations
          .filter((one) => one.impact === 'serious' || one.impact === 'critical')
          .map((one) => `${one.id}: ${one.nodes[0]?.html.slice(0, 160) ?? ''}`);
        expect(serious, `${name} at ${width}, ${colorScheme}`).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow, `${name} at ${width} scrolls sideways`).toBeLessThanOrEqual(0);
      }
    }
    expect(complaints).toEqual([]);
    await page.close();
  });
});
