/** One flow built twice, by the keys alone and by the mouse: the same document comes of it. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildByKeyboard } from './both-ways/keyboard';
import { buildByMouse } from './both-ways/mouse';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/both-ways/', import.meta.url));

type Flow = Awaited<ReturnType<typeof buildByMouse>>;

describe.skipIf(!hasChromium || URL_ === '')('the same flow', () => {
  let browser: Browser;
  const built: Partial<Record<'keyboard' | 'mouse', Flow>> = {};

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(() => browser.close());

  const build = async (how: 'keyboard' | 'mouse', by: (page: Page, url: string, password: string) => Promise<Flow>) => {
    const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, reducedMotion: 'reduce', locale: 'en-GB', acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints = watchComplaints(page);
    try {
      built[how] = await by(page, URL_, PASSWORD);
    } catch (error) {
      const focus = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 300));
      throw new Error(`the focus is on ${focus ?? 'nothing'}`, { cause: error });
    } finally {
      await page.screenshot({ path: `${SHOTS}${how}.png` });
      await context.close();
    }
    expect(complaints).toEqual([]);
  };

  it('is built with the keyboard only', { timeout: 240_000 }, () => build('keyboard', buildByKeyboard));

  it('is built with the mouse', { timeout: 240_000 }, () => build('mouse', buildByMouse));

  it('is the same document, places apart', () => {
    expect(built.keyboard).toBeDefined();
    expect(Object.keys(built.keyboard?.['steps'] ?? {})).toHaveLength(5);
    expect(built.keyboard?.links).toHaveLength(6);
    expect(built.mouse).toEqual(built.keyboard);
  });
});
