/** A newcomer takes the tour: from the list of flows to a live run of their own, by mouse, on the running stack. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/tour/', import.meta.url));
const NAME = `Access to the archive ${process.pid}`;
/** What the script itself takes; a person reads as well. */
const BAR_MS = 180_000;

describe.skipIf(!hasChromium || URL_ === '')('the tour', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(async () => {
    if (page && !page.isClosed()) await page.screenshot({ path: `${SHOTS}last.png` });
    await browser.close();
  });

  const shot = (name: string) => page.screenshot({ path: `${SHOTS}${name}.png` });
  const tour = () => page.getByRole('region', { name: 'Tour' });

  it('leads a newcomer from an example to a live run in under three minutes', async () => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', locale: 'en-GB' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints = watchComplaints(page);
    const begun = Date.now();
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill('builder@demo.local');
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();

    await page.getByRole('button', { name: 'Take the tour' }).click();
    await tour().getByText('Step 1 of 4').waitFor();
    await shot('1-choose');
    await tour().getByRole('button', { name: 'Choose an example' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('radio', { name: /^Access request/ }).getAttribute('aria-checked')).toBe('true');
    await dialog.getByRole('textbox', { name: 'Name' }).fill(NAME);
    await shot('1-gallery');
    await dialog.getByRole('button', { name: 'Create flow' }).click();

    await tour().getByText('Step 2 of 4').waitFor();
    await page.locator('.react-flow__node').filter({ hasText: 'Owner approves' }).click();
    const title = page.getByRole('complementary', { name: 'Form' }).getByRole('textbox', { name: 'Title' });
    await title.fill('The archive decides');
    await title.press('Tab');
    await shot('2-change');

    await tour().getByText('Step 3 of 4').waitFor();
    await page.getByRole('button', { name: 'Publish', exact: true }).first().click();
    await page.getByRole('textbox', { name: /What is new/ }).fill('The first version.');
    await shot('3-publish');
    await page.getByRole('button', { name: 'Publish', exact: true }).last().click();

    await tour().getByText('Step 4 of 4').waitFor();
    await page.getByRole('button', { name: 'Run now' }).click();
    const form = page.getByRole('dialog');
    for (const [field, text] of [['Who needs it', 'Ada Byron'], ['Mail address', 'ada@example.com'], ['To what', 'The archive'], ['Why', 'For the yearly report.']] as const) {
      await form.getByRole('textbox', { name: field }).fill(text);
    }
    await form.getByLabel(/For how many days/).fill('3');
    await shot('4-run');
    await form.getByRole('button', { name: 'Start run' }).click();

    await page.waitForURL(/\/runs\/[0-9a-f-]+\//);
    await tour().getByText('All four done').waitFor();
    await page.getByText('The archive decides').first().waitFor();
    await page.getByText(/Waits for/).first().waitFor();
    await shot('5-live');
    expect(Date.now() - begun).toBeLessThan(BAR_MS);

    await tour().getByRole('button', { name: 'Finish' }).click();
    await tour().waitFor({ state: 'detached' });
    await page.reload();
    await page.getByText('The archive decides').first().waitFor();
    expect(await tour().count()).toBe(0);
    await page.goto(`${URL_}/flows/`);
    await page.getByRole('link', { name: NAME }).first().waitFor();
    expect(await page.getByRole('button', { name: 'Take the tour' }).count()).toBe(0);
    expect(complaints).toEqual([]);
  }, BAR_MS + 60_000);
});
