/**
 * German, dark, on a phone of 360 px: an approver finds a task and approves it, in the app and on
 * the page that works without script. A new run brings the task; nothing is put there by a script.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/german-phone/', import.meta.url));
/** Words of the engine, which no approver reads. */
const ENGINE = /\b(Token|Payload|JSON|Node|Knoten|Instanz|Worker|Queue|null|Schema|Webhook|Exception|Statuscode)\b/;
/** English that gives away a text which is in no catalogue. */
const ENGLISH = /\b(the|and|Approve|Reject|Inbox|Facts|Details|Comment|Asked|Sign|What|your|until|left|days|hours)\b/;

describe.skipIf(!hasChromium || URL_ === '')('German, dark, 360 px', () => {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(async () => {
    for (const [at, context] of contexts.entries()) for (const page of context.pages()) await page.screenshot({ path: `${SHOTS}last-${at}.png` });
    await browser.close();
  });

  const open = async (who: string, options: object): Promise<Page> => {
    const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const heard = watchComplaints(page);
    page.on('close', () => complaints.push(...heard));
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/passwor[dt]/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in|anmelden/i }).click();
    await page.getByRole('navigation').first().waitFor();
    return page;
  };
  const phone = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, colorScheme: 'dark', locale: 'de-DE' };
  const narrow = async (page: Page) => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBeLessThanOrEqual(0);
  };
  /** What stands on the page but for what people wrote themselves. */
  const words = async (page: Page, own: string) => (await page.locator('main').innerText()).replaceAll(own, '');

  /** A builder begins a flow from an example in German and starts it by hand. */
  const begin = async (name: string, system: string) => {
    const page = await open('builder', { viewport: { width: 1440, height: 900 }, locale: 'de-DE' });
    await page.goto(`${URL_}/flows/?new=access-request`);
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await dialog.getByRole('button', { name: 'Ablauf anlegen' }).click();
    await page.waitForURL(/\/flows\/[0-9a-f-]+\//);
    await page.getByRole('button', { name: 'Veröffentlichen', exact: true }).first().click();
    await page.getByRole('textbox', { name: /Was neu ist/ }).fill('Erste Version.');
    await page.getByRole('button', { name: 'Veröffentlichen', exact: true }).last().click();
    await page.getByRole('button', { name: 'Jetzt starten' }).click();
    const form = page.getByRole('dialog');
    for (const [field, text] of [['Wer braucht ihn', 'Ada Byron'], ['E-Mail-Adresse', 'ada@example.com'], ['Wozu', system], ['Warum', 'Jahresbericht.']] as const) {
      await form.getByRole('textbox', { name: field }).fill(text);
    }
    await form.getByLabel(/Für wie viele Tage/).fill('3');
    await form.getByRole('button', { name: 'Lauf starten' }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]+\//);
    await page.getByText(/Wartet auf/).first().waitFor();
    await page.close();
  };

  it('find and approve a task in the app', async () => {
    const system = `Archiv ${process.pid}`;
    await begin(`Zugang ${process.pid}`, system);
    const page = await open('approver', phone);
    await page.goto(`${URL_}/inbox/`);
    await page.locator('html[lang="de"]').waitFor({ state: 'attached' });
    await page.getByRole('heading', { name: 'Eingang' }).first().waitFor();
    await page.getByText(`Ada Byron Zugang zu ${system} geben?`).first().waitFor();
    await page.screenshot({ path: `${SHOTS}1-list.png` });
    await narrow(page);
    await page.getByText(`Ada Byron Zugang zu ${system} geben?`).first().tap();
    await page.getByText('Was Ihre Antwort bewirkt').waitFor();
    await page.screenshot({ path: `${SHOTS}2-task.png` });
    await narrow(page);
    const shown = await words(page, system);
    expect(shown).not.toMatch(ENGINE);
    expect(shown).not.toMatch(ENGLISH);
    const approve = page.getByRole('button', { name: 'Genehmigen', exact: true });
    const box = await approve.boundingBox();
    expect(box!.height).toBeGreaterThanOrEqual(44);
    await approve.tap();
    await page.getByText(/Ihre Entscheidung ist festgehalten: Genehmigt/).first().waitFor();
    await page.screenshot({ path: `${SHOTS}3-done.png` });
    await page.close();
  }, 180_000);

  it('find and approve a task by keys alone', async () => {
    const system = `Regal ${process.pid}`;
    await begin(`Zugang mit Tasten ${process.pid}`, system);
    const page = await open('approver', { ...phone, hasTouch: false, isMobile: false });
    await page.goto(`${URL_}/inbox/`);
    const task = page.getByRole('link', { name: `Ada Byron Zugang zu ${system} geben?` });
    await task.waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Nächste Aufgabe, vorige Aufgabe').waitFor();
    await page.screenshot({ path: `${SHOTS}7-keys.png` });
    await narrow(page);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    // The list is searched, so that the task is the first of it; then it is walked and opened.
    await page.keyboard.press('/');
    await page.keyboard.type(system);
    await expect.poll(() => page.locator('a[data-task]').count(), { timeout: 20_000 }).toBe(1);
    await page.locator('body').click({ position: { x: 1, y: 60 } });
    await page.keyboard.press('j');
    await expect.poll(() => task.evaluate((element) => element === document.activeElement)).toBe(true);
    await page.keyboard.press('Enter');
    await page.getByText('Was Ihre Antwort bewirkt').waitFor();
    // One key decides nothing: it asks, and the words before it are text.
    await page.keyboard.press('g');
    const dialog = page.getByRole('dialog', { name: /Genehmigen/ });
    await dialog.waitFor();
    await page.screenshot({ path: `${SHOTS}8-confirm.png` });
    await narrow(page);
    await page.keyboard.type('geprüft');
    await page.keyboard.press('Control+Enter');
    await page.getByText(/Ihre Entscheidung ist festgehalten: Genehmigt/).first().waitFor();
    await page.goto(`${URL_}/inbox/?view=done`);
    await page.getByText(`Ada Byron Zugang zu ${system} geben?`).first().waitFor();
    await page.close();
  }, 180_000);

  it('find and approve a task on the page that works without script', async () => {
    const system = `Ordner ${process.pid}`;
    await begin(`Zugang ohne Skript ${process.pid}`, system);
    const page = await open('approver', phone);
    await page.goto(`${URL_}/inbox/list/`);
    await page.screenshot({ path: `${SHOTS}4-plain-list.png` });
    await narrow(page);
    await page.getByText(`Ada Byron Zugang zu ${system} geben?`).first().tap();
    await page.getByText('Was Ihre Antwort bewirkt').waitFor();
    await page.screenshot({ path: `${SHOTS}5-plain-task.png`, fullPage: true });
    await narrow(page);
    const shown = await words(page, system);
    expect(shown).not.toMatch(ENGINE);
    expect(shown).not.toMatch(ENGLISH);
    expect(shown).toContain('als Mitglied von „Genehmiger“');
    await page.getByRole('button', { name: 'Genehmigen', exact: true }).tap();
    await page.getByText('Genehmigt').first().waitFor();
    await page.screenshot({ path: `${SHOTS}6-plain-done.png` });
    await page.close();
    expect(complaints).toEqual([]);
  }, 180_000);
});
