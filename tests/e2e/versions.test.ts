/**
 * Versions of a flow on the running stack: two are published, compared in words and on the canvas, the
 * first is restored and published again; and what version 1 did on a run is a click away. With the parts
 * of the canvas that lead the eye: zoom to the selection, the overview, a double press.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/versions/', import.meta.url));
const NAME = `Access by version ${process.pid}`;

describe.skipIf(!hasChromium || URL_ === '')('versions', () => {
  let browser: Browser;
  let page: Page;
  let complaints: string[] = [];
  let flow = '';
  let run = '';

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', locale: 'en-GB' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    complaints = watchComplaints(page);
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill('builder@demo.local');
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
  });
  afterAll(async () => {
    if (!page.isClosed()) await page.screenshot({ path: `${SHOTS}last.png` });
    await browser.close();
  });

  const shots = async (name: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}${name}-${colorScheme}.png` });
    }
    await page.emulateMedia({ colorScheme: 'light' });
  };
  const card = (title: string) => page.locator('.react-flow__node').filter({ has: page.getByText(title, { exact: true }) });
  const form = () => page.getByRole('complementary', { name: 'Form' });
  const saved = () => page.getByRole('status').filter({ hasText: /^Saved$/ }).waitFor();
  const publish = async (why: string, number: number) => {
    await saved();
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByRole('textbox', { name: 'What is new, and why' }).fill(why);
    await page.getByRole('region', { name: /Publish/ }).getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText(`v${number}`, { exact: true }).first().waitFor();
  };
  const rename = async (from: string, to: string) => {
    await card(from).click();
    await form().getByRole('textbox', { name: 'Title' }).fill(to);
    await card(to).waitFor();
  };

  it('are published with a reason, and not without one', { timeout: 120_000 }, async () => {
    await page.getByRole('button', { name: 'New flow' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio', { name: /^Access request/ }).check();
    await dialog.getByRole('textbox', { name: 'Name' }).fill(NAME);
    await dialog.getByRole('button', { name: 'Create flow' }).click();
    await card('Owner approves').waitFor();
    flow = page.url().replace(/[?#].*$/, '').replace(/\/$/, '').split('/').pop() ?? '';
    await saved();

    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    const panel = page.getByRole('region', { name: /Publish/ });
    await panel.getByRole('button', { name: 'Publish', exact: true }).click();
    await panel.getByText('Say in a sentence what is new, and why.').waitFor();
    await shots('why');
    await panel.getByRole('button', { name: 'Cancel' }).click();
    await publish('The first version.', 1);

    await page.getByRole('button', { name: 'Run now' }).click();
    const start = page.getByRole('dialog');
    for (const [field, text] of [['Who needs it', 'Ada Byron'], ['Mail address', 'ada@example.com'], ['To what', 'The archive'], ['Why', 'For the yearly report.']] as const) {
      await start.getByRole('textbox', { name: field }).fill(text);
    }
    await start.getByLabel(/For how many days/).fill('3');
    await start.getByRole('button', { name: 'Start run' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]+\//);
    run = page.url();
    await page.goto(`${URL_}/flows/${flow}/`);
    await rename('Owner approves', 'The archive decides');
    await publish('The archive decides for itself.', 2);
  });

  it('are compared in words and on the canvas', { timeout: 60_000 }, async () => {
    await page.getByRole('button', { name: 'Versions', exact: true }).click();
    const first = page.getByRole('listitem').filter({ hasText: 'Version 1' });
    await first.getByText('The first version.').waitFor();
    await first.getByRole('link', { name: 'Compare' }).click();
    await page.getByLabel('After').selectOption({ label: 'Version 2' });
    const words = page.getByRole('region', { name: /in words/i });
    await words.getByText('“Owner approves” is now called “The archive decides”').waitFor();
    expect(await words.getByRole('listitem').count()).toBeGreaterThan(0);
    await page.getByText('Changed', { exact: true }).first().waitFor();
    await shots('compare');
  });

  it('are restored, and published again', { timeout: 90_000 }, async () => {
    await page.goto(`${URL_}/flows/${flow}/`);
    await page.getByRole('button', { name: 'Versions', exact: true }).click();
    await page.getByRole('listitem').filter({ hasText: 'Version 1' }).getByRole('button', { name: 'Restore' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await card('Owner approves').waitFor();
    expect(await card('The archive decides').count()).toBe(0);
    await saved();
    await page.goto(`${URL_}/flows/${flow}/compare/?from=1&to=draft`);
    await page.getByText('Both do the same').waitFor();
    await page.goto(`${URL_}/flows/${flow}/`);
    await card('Owner approves').waitFor();
    await publish('Back to the owner.', 3);
  });

  it('say what version 1 did on a run', { timeout: 60_000 }, async () => {
    await page.goto(run);
    await card('Owner approves').waitFor();
    await page.getByRole('link', { name: 'compare with version 3' }).waitFor();
    await page.getByRole('link', { name: 'v1', exact: true }).click();
    await page.waitForURL(/\?version=1/);
    await page.getByText('The first version.').waitFor();
    await card('Owner approves').waitFor();
    await page.goBack();
    await page.getByRole('link', { name: 'compare with version 3' }).click();
    await page.waitForURL(/compare\/\?from=1&to=active/);
    await page.getByText('Both do the same').waitFor();
  });

  it('are drawn on a canvas that zooms to what is selected, shows where one is, and takes a double press', { timeout: 60_000 }, async () => {
    await page.goto(`${URL_}/flows/${flow}/`);
    const one = card('Owner approves');
    await one.click();
    const before = await one.boundingBox();
    await page.getByRole('button', { name: 'Zoom to the selection' }).click();
    await expect.poll(async () => ((await one.boundingBox())?.width ?? 0) > (before?.width ?? 0)).toBe(true);
    const stage = await page.getByRole('application').boundingBox();
    const now = await one.boundingBox();
    const middle = (box: typeof now) => [(box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + (box?.height ?? 0) / 2] as const;
    expect(Math.abs(middle(now)[0] - middle(stage)[0])).toBeLessThan(60);
    expect(Math.abs(middle(now)[1] - middle(stage)[1])).toBeLessThan(60);

    const map = page.locator('.react-flow__minimap');
    const toggle = page.getByRole('button', { name: 'Overview', exact: true });
    const wasShown = (await map.count()) === 1;
    await toggle.click();
    expect(await map.count()).toBe(wasShown ? 0 : 1);
    if (wasShown) await toggle.click();
    expect(await page.locator('.react-flow__minimap-node').count()).toBeGreaterThan(5);
    await shots('overview');

    // Where nothing stands, a double press asks what shall stand there.
    await page.getByRole('button', { name: 'Show the whole flow' }).click();
    const open = stage ?? { x: 0, y: 0, width: 0, height: 0 };
    const steps = await page.locator('.react-flow__node').count();
    await page.mouse.dblclick(open.x + open.width / 2, open.y + 24);
    await page.getByRole('combobox', { name: 'Add a step' }).waitFor();
    await page.keyboard.type('Delay');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('.react-flow__node').count()).toBe(steps + 1);
    await page.getByRole('button', { name: 'Undo: Add Delay' }).click();
    await expect.poll(() => page.locator('.react-flow__node').count()).toBe(steps);
    await saved();
    expect(complaints).toEqual([]);
  });
});
