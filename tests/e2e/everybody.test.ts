/**
 * For everybody: at 320 px and at 200 % nothing is cut off, what is pressed is at least 24 px, nothing
 * moves where no motion is asked, what has the focus and what is selected shows in forced colours.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';
import { serveShell } from './shell';
import type { Shell } from './shell';
import { STATES } from './states';
import { fullWorld, ids } from './world';

const SHOTS = fileURLToPath(new URL('../../var/e2e/everybody/', import.meta.url));
const slug = (route: string, state: string) => `${route} ${state}`.replaceAll(/[^a-z0-9]+/gi, '-').replaceAll(/^-|-$/g, '');
const only = process.env['E2E_ONLY'];
/** One picture of each page, in its fullest state; states beyond differ in what is in them. */
const PAGES = [...new Map(STATES.map((state) => [`${state.route} ${state.press?.join() ?? ''}`, state])).values()].filter((state) => state.answers === undefined && state.state !== 'loading' && (!only || slug(state.route, state.state).includes(only)));

/** WCAG 2.5.8: what is pressed is 24 px either way, or so far from the next that 24 px circles do not meet. */
const tooSmall = (page: Page) => page.evaluate(() => {
  const LEAST = 24;
  const shown = (element: Element) => {
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    return element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && box.width > 1 && box.height > 1 && style.visibility !== 'hidden' && style.opacity !== '0' && style.pointerEvents !== 'none' && element.closest('[aria-hidden="true"], [inert], .sr-only') === null;
  };
  /** The place that takes the press: a label around it, or what is drawn over it. */
  const boxOf = (element: Element): DOMRect => {
    const label = element instanceof HTMLInputElement ? element.closest('label') ?? element.labels?.[0] : null;
    const own = element.getBoundingClientRect();
    const after = getComputedStyle(element, '::after');
    const inset = after.content !== 'none' && after.position === 'absolute' ? -parseFloat(after.top || '0') : 0;
    const wide = new DOMRect(own.x - Math.max(0, inset), own.y - Math.max(0, inset), own.width + 2 * Math.max(0, inset), own.height + 2 * Math.max(0, inset));
    return label && label.getBoundingClientRect().height > wide.height ? label.getBoundingClientRect() : wide;
  };
  const isInText = (element: Element) => element.tagName === 'A' && getComputedStyle(element).display === 'inline' && (element.parentElement?.textContent ?? '').trim().length > (element.textContent ?? '').trim().length + 3;
  const all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, [role=button], [role=treeitem], [role=tab], [role=switch], [role=option]')].filter((one) => shown(one) && !isInText(one));
  const boxes = all.map(boxOf);
  const centre = (box: DOMRect) => [box.x + box.width / 2, box.y + box.height / 2] as const;
  return all.flatMap((element, at) => {
    const box = boxes[at]!;
    if (box.width >= LEAST - 0.5 && box.height >= LEAST - 0.5) return [];
    const [x, y] = centre(box);
    const near = boxes.some((other, index) => {
      if (index === at || all[index]!.contains(element) || element.contains(all[index]!)) return false;
      const dx = Math.max(other.x - x, 0, x - other.right);
      const dy = Math.max(other.y - y, 0, y - other.bottom);
      return Math.hypot(dx, dy) < LEAST / 2;
    });
    return near ? [`${element.tagName.toLowerCase()} “${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 50)}” ${Math.round(box.width)}×${Math.round(box.height)}`] : [];
  });
});

/** Words that stand outside the window, where no scrolling part around them brings them back. */
const cutOff = (page: Page) => page.evaluate(() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = (element: Element | null): boolean => element !== null && element !== document.body && (/(auto|scroll)/.test(getComputedStyle(element).overflowX) || scrolls(element.parentElement));
  return [...document.querySelectorAll('h1, h2, h3, p, a, button, label, li, dt, dd')]
    .filter((element) => {
      const box = element.getBoundingClientRect();
      return box.width > 1 && box.height > 1 && box.right > wide + 1 && box.left < wide && element.closest('[data-canvas], .sr-only, [aria-hidden="true"]') === null && !scrolls(element.parentElement);
    })
    .slice(0, 5)
    .map((element) => `${element.tagName.toLowerCase()} “${(element.textContent ?? '').trim().slice(0, 60)}”`);
});

describe.skipIf(!hasChromium)('for everybody', () => {
  let browser: Browser;
  let shell: Shell;
  const world = fullWorld();
  /** Of every page that was opened. */
  const heard: string[][] = [];

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    [browser, shell] = await Promise.all([launch(), serveShell()]);
  });
  afterAll(async () => {
    shell.close();
    await browser.close();
  });

  const open = async (path: string, options: Parameters<Browser['newContext']>[0]) => {
    const context = await browser.newContext({ locale: 'en-GB', ...options });
    const page = await context.newPage();
    heard.push(watchComplaints(page));
    await shell.answerFrom(context, world);
    await page.goto(shell.url + path);
    return { context, page };
  };

  describe.each([
    ['320 px', { viewport: { width: 320, height: 640 }, reducedMotion: 'reduce' as const, hasTouch: true }],
    // 1440 px at 200 % are 720 px of the page's own, drawn at twice the size.
    ['200 %', { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2, reducedMotion: 'reduce' as const }],
  ])('at %s', (name, options) => {
    it.concurrent.each(PAGES.map((state) => [slug(state.route, state.state), state] as const))('%s', async (title, state) => {
      const { context, page } = await open(state.path, options);
      try {
        for (const press of state.press ?? []) await page.getByRole('button', { name: press, exact: true }).or(page.getByRole('menuitem', { name: press, exact: true })).first().click();
        await page.getByText(state.shows).locator('visible=true').first().waitFor({ timeout: 20_000 });
        await page.waitForTimeout(200);
        await page.screenshot({ path: `${SHOTS}${title}.${name.replace(/\W+/g, '')}.png` });
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 'the page is wider than the window').toBeLessThanOrEqual(0);
        expect(await cutOff(page)).toEqual([]);
        expect(await tooSmall(page)).toEqual([]);
      } finally {
        await context.close();
      }
    });
  });

  it('the canvas has targets of 24 px, too', async () => {
    const { context, page } = await open(`/flows/${ids.flow}/`, { viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
    await page.locator('.react-flow__node').first().waitFor();
    await page.waitForTimeout(400);
    expect(await tooSmall(page)).toEqual([]);
    await context.close();
  });

  it('nothing moves where no motion is asked', async () => {
    const { context, page } = await open(`/flows/${ids.flow}/`, { viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
    await page.locator('.react-flow__node').first().waitFor();
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    const moving = await page.evaluate(() => [...document.querySelectorAll('*')].flatMap((element) => {
      const style = getComputedStyle(element);
      const long = (text: string) => text.split(',').some((one) => parseFloat(one) * (one.trim().endsWith('ms') ? 1 : 1000) > 10);
      const moves = (long(style.transitionDuration) && /transform|all|left|top|width|height|margin/.test(style.transitionProperty)) || (style.animationName !== 'none' && long(style.animationDuration));
      return moves ? [`${element.tagName.toLowerCase()}.${String(element.className).slice(0, 60)} ${style.transitionProperty} ${style.transitionDuration} ${style.animationName}`] : [];
    }).slice(0, 5));
    expect(moving).toEqual([]);
    await context.close();
  });

  it('in forced colours the focus and what is selected show', async () => {
    const { context, page } = await open(`/flows/${ids.flow}/`, { viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', forcedColors: 'active' });
    await page.locator('.react-flow__node').first().waitFor();
    await page.locator('[data-canvas]').focus();
    await page.keyboard.press('Enter');
    const node = page.locator('.react-flow__node').and(page.locator(':focus'));
    await node.waitFor();
    const outline = await node.evaluate((element) => ({ style: getComputedStyle(element).outlineStyle, width: parseFloat(getComputedStyle(element).outlineWidth) }));
    expect(outline.style).not.toBe('none');
    expect(outline.width).toBeGreaterThanOrEqual(2);
    const before = await node.locator('> div').evaluate((element) => `${getComputedStyle(element).borderColor} ${getComputedStyle(element).outlineStyle}`);
    await page.keyboard.press(' ');
    await page.waitForTimeout(200);
    const after = await node.locator('> div').evaluate((element) => `${getComputedStyle(element).borderColor} ${getComputedStyle(element).outlineStyle}`);
    expect(after).not.toBe(before);
    await page.screenshot({ path: `${SHOTS}forced-colours.png` });
    await context.close();
  });

  it('the outline is what a screen reader meets first, and each step on the canvas says where it stands', async () => {
    const { context, page } = await open(`/flows/${ids.flow}/`, { viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
    await page.locator('.react-flow__node').first().waitFor();
    // The skip link comes before the palette and the canvas.
    const order = await page.evaluate(() => [...document.querySelectorAll('main button, main [data-canvas]')].map((one) => one.getAttribute('aria-label') ?? one.textContent ?? ''));
    const skip = order.findIndex((name) => name === 'Go to the outline');
    expect(skip).toBeGreaterThanOrEqual(0);
    expect(skip).toBeLessThan(order.findIndex((name) => name.startsWith('Flow with')));
    for (const node of await page.locator('.react-flow__node').all()) expect(await node.getAttribute('aria-label')).toMatch(/, .*\. \d+ of \d+/);
    expect(await page.locator('[role=application]').count()).toBe(1);
    await page.getByRole('button', { name: 'Go to the outline' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('treeitem').and(page.locator(':focus')).waitFor();
    await context.close();
  });

  it('no page complained', () => {
    const complaints = heard.flat();
    expect(complaints).toEqual([]);
  });
});
