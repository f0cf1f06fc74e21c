import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';
import { serveShell } from './shell';
import type { Shell } from './shell';
import { STATES } from './states';
import type { PageState } from './states';
import { fullWorld } from './world';

const SHOTS = fileURLToPath(new URL('../../var/e2e/states/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const only = process.env['E2E_ONLY'];
const sizes = (process.env['E2E_WIDTHS'] ?? '1440,768,360').split(',').map(Number);
const schemes = (process.env['E2E_SCHEMES'] ?? 'light,dark').split(',') as ('light' | 'dark')[];
const withAxe = process.env['E2E_AXE'] !== '0';
const slug = (state: PageState) => `${state.route} ${state.state}`.replaceAll(/[^a-z0-9]+/gi, '-').replaceAll(/^-|-$/g, '');
/** Narrower than that is held in the hand. */
const PHONE = 500;
const heightOf = (width: number) => (width < PHONE ? 740 : 900);
const chosen = STATES.filter((state) => !only || slug(state).includes(only));

it('every route of the app is looked at', () => {
  const router = readFileSync(fileURLToPath(new URL('../../frontend/src/app/router.tsx', import.meta.url)), 'utf8');
  const tops = [...router.matchAll(/\.\.\.at\('([^']+)'\)/g)].map((match) => match[1]!);
  const nested = [...router.matchAll(/getParentRoute: \(\) => (flow|settings),\s+path: '([^']+)'/g)].map((match) => `${match[1] === 'flow' ? '/flows/$flowId' : '/settings'}/${match[2] === '/' ? '' : match[2]!}`);
  const sections = [...router.matchAll(/section\('([^']+)'/g)].map((match) => `/settings/${match[1]!}`);
  const plain = (route: string) => (route.length > 1 ? route.replace(/\/$/, '') : route);
  const seen = new Set(STATES.map((state) => plain(state.route)));
  expect([...tops, ...nested, ...sections].map(plain).filter((route) => !seen.has(route))).toEqual([]);
  expect(new Set(STATES.map(slug)).size).toBe(STATES.length);
});

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
}

/** What other colours can change; every other rule reads the document, which stays as it is. */
const OF_COLOURS = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] };

async function serious(page: Page, scheme: string): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(AXE);
  const options = { resultTypes: ['violations'], ...(scheme === schemes[0] ? {} : { runOnly: OF_COLOURS }) };
  const result = await page.evaluate((asked) => (window as unknown as { axe: { run: (options: object) => Promise<AxeResult> } }).axe.run(asked), options);
  return result.violations
    .filter((one) => one.impact === 'serious' || one.impact === 'critical')
    .flatMap((one) => one.nodes.slice(0, 3).map((node) => `${one.id}: ${node.html.slice(0, 160)} (${node.failureSummary.split('\n')[1]?.trim() ?? ''})`));
}

/** Nothing moves, by the reader's wish: what is to be drawn is drawn after two frames. */
const settled = (page: Page) => page.evaluate(() => new Promise<void>((done) => requestAnimationFrame(() => requestAnimationFrame(() => done()))));

/** Puts into this browser what a page has kept there that was closed since. */
async function leave(page: Page, url: string, kept: Record<string, unknown>): Promise<void> {
  await page.goto(`${url}/inbox/`);
  const texts = Object.entries(kept).map(([key, value]) => [key, JSON.stringify(value)] as const);
  await page.evaluate(async (rows) => {
    const done = <R,>(request: IDBRequest<R>) => new Promise<R>((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(new Error('IndexedDB')); });
    const opening = indexedDB.open('signalbox', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('work');
    const database = await done(opening);
    for (const [key, text] of rows) await done(database.transaction('work', 'readwrite').objectStore('work').put(text, key));
    database.close();
  }, texts);
}

/** One look: the picture, nothing wider than the window, nobody shut out. */
async function look(page: Page, name: string, scheme: string): Promise<void> {
  await page.screenshot({ path: `${SHOTS}${name}.${scheme}.jpg`, type: 'jpeg', quality: 80 });
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(overflow, `${name}: the page is wider than the window`).toBeLessThanOrEqual(0);
  if (withAxe) expect(await serious(page, scheme), name).toEqual([]);
}

describe.skipIf(!hasChromium)('states', () => {
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

  // A narrower window of the same kind of device is the same page, made narrower.
  const devices = [sizes.filter((width) => width >= PHONE), ...sizes.filter((width) => width < PHONE).map((width) => [width])].filter((widths) => widths.length);
  describe.each(devices.map((widths) => [widths.join(', '), widths] as const))('%s', (_, widths) => {
    const width = widths[0]!;
    // Several at once: each waits for something most of its time.
    it.concurrent.each(chosen.map((state) => [slug(state), state] as const))('%s', async (name, state) => {
      const context = await browser.newContext({ viewport: { width, height: heightOf(width) }, colorScheme: schemes[0]!, reducedMotion: 'reduce', hasTouch: width < PHONE, isMobile: width < PHONE, locale: 'en-GB' });
      try {
        const page = await context.newPage();
        const complaints = watchComplaints(page);
        await shell.answerFrom(context, { ...world, ...state.answers });
        if (state.kept) await leave(page, shell.url, state.kept);
        await page.goto(shell.url + state.path);
        for (const tick of state.tick ?? []) await page.getByRole('checkbox', { name: tick, exact: true }).check();
        for (const press of state.press ?? []) await page.getByRole('button', { name: press, exact: true }).or(page.getByRole('menuitem', { name: press, exact: true })).first().click();
        await page.getByText(state.shows).locator('visible=true').first().waitFor({ timeout: Number(process.env['E2E_PATIENCE'] ?? 20_000) });
        if (state.state === 'loading') await page.waitForTimeout(600);
        await settled(page);
        for (const now of widths) {
          if (now !== width) await page.setViewportSize({ width: now, height: heightOf(now) });
          for (const scheme of schemes) {
            // The page follows the reader's system while it is open.
            await page.emulateMedia({ colorScheme: scheme });
            await page.locator(`html[data-mantine-color-scheme="${scheme}"]`).waitFor({ state: 'attached' });
            await settled(page);
            await look(page, `${name}.${now}`, scheme);
          }
        }
        expect(complaints).toEqual([]);
      } finally {
        await context.close();
      }
    });
  });
});
