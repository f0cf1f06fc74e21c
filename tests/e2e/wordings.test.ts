import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';
import { serveShell } from './shell';
import type { Shell } from './shell';
import { STATES } from './states';
import { fullWorld } from './world';

/**
 * The fullest state of every route in the other wordings: German, longer and accented (`en-XA`),
 * from right to left (`ar-XB`). A text that is no catalogue's stands out in the pictures; what is
 * too narrow for longer words, or does not turn, fails here.
 */
const SHOTS = fileURLToPath(new URL('../../var/e2e/wordings/', import.meta.url));
const only = process.env['E2E_ONLY'];
const sizes = (process.env['E2E_WIDTHS'] ?? '1440,360').split(',').map(Number);
const slug = (route: string) => route.replaceAll(/[^a-z0-9]+/gi, '-').replaceAll(/^-|-$/g, '') || 'start';
/** The fullest one: most words, most that could be too narrow. */
const fullest = (route: string) => {
  const still = STATES.filter((state) => state.route === route && !state.press);
  return still.find((state) => ['full', 'editor', 'task', 'waiting'].includes(state.state)) ?? still[0];
};
const first = [...new Set(STATES.map((state) => state.route))].flatMap((route) => fullest(route) ?? [])
  .filter((state) => !only || slug(state.route).includes(only));

describe.skipIf(!hasChromium).each(['de-DE', 'en-XA', 'ar-XB'])('%s', (locale) => {
  let browser: Browser;
  let shell: Shell;
  const world = fullWorld();

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    [browser, shell] = await Promise.all([launch(), serveShell()]);
  });
  afterAll(async () => {
    shell.close();
    await browser.close();
  });

  describe.each(sizes)('%d', (width) => {
    it.concurrent.each(first.map((state) => [slug(state.route), state] as const))('%s', async (name, state) => {
      const context = await browser.newContext({ viewport: { width, height: width < 500 ? 740 : 900 }, colorScheme: width < 500 ? 'dark' : 'light', reducedMotion: 'reduce', hasTouch: width < 500, isMobile: width < 500, locale });
      try {
        const page = await context.newPage();
        const complaints = watchComplaints(page);
        await shell.answerFrom(context, { ...world, ...state.answers });
        await page.goto(shell.url + state.path);
        const root = page.locator(`html[lang="${locale === 'de-DE' ? 'de' : locale}"][dir="${locale === 'ar-XB' ? 'rtl' : 'ltr'}"]`);
        await root.locator('main').first().waitFor({ timeout: Number(process.env['E2E_PATIENCE'] ?? 10_000) });
        await page.locator('main .mantine-Skeleton-root').first().waitFor({ state: 'detached' });
        if (state.state === 'editor' || state.route.startsWith('/runs/$')) await page.locator('.react-flow__node, [role="tree"], ol').first().waitFor();
        await page.waitForTimeout(600);
        await page.screenshot({ path: `${SHOTS}${name}.${locale}.${width}.png` });
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        expect(overflow, 'the page is wider than the window').toBeLessThanOrEqual(0);
        expect(complaints).toEqual([]);
      } finally {
        await context.close();
      }
    });
  });
});
