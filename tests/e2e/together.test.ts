/**
 * Two people edit one flow at once: they see each other, what each did elsewhere is kept of both,
 * what both changed is asked side by side, undo takes back only one's own. Then versions: compare,
 * publish a part, restore. Real browsers on the running stack.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const PATIENCE = 60_000;

describe.skipIf(!hasChromium || URL_ === '')('two people at once', () => {
  let browser: Browser;
  let ana: Page;
  let bob: Page;
  let flow = '';
  /** Of every page that was opened. */
  const heard: string[][] = [];
  const complaints = () => heard.flat();

  const signIn = async (who: string): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, reducedMotion: 'reduce', locale: 'en-GB' });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    heard.push(watchComplaints(page));
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
    return page;
  };

  /** Through the API: only what has to be there before the story begins. */
  const send = async (page: Page, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const csrf = (await page.context().cookies()).find(({ name }) => name.endsWith('csrftoken'))?.value ?? '';
    const answer = await page.context().request.fetch(`${URL_}/api/v1/${path}`, { method, headers: { 'X-CSRFToken': csrf, Referer: URL_ }, ...(body === undefined ? {} : { data: body }) });
    return (await answer.json()) as Record<string, unknown>;
  };

  const open = async (page: Page) => {
    await page.goto(`${URL_}/flows/${flow}/`);
    await page.locator('.react-flow__node').first().waitFor();
  };
  const card = (page: Page, id: string) => page.locator(`.react-flow__node[data-id="${id}"]`);
  const rename = async (page: Page, id: string, title: string) => {
    await card(page, id).click();
    const field = page.getByLabel('Title', { exact: true }).first();
    await field.fill(title);
    await field.blur();
  };
  /** What the server has, which is what the other will get. */
  const savedTitle = async (page: Page, id: string, title: string) =>
    expect.poll(async () => ((await send(page, 'GET', `flows/${flow}/draft/`))['steps'] as Record<string, { title: string }>)[id]?.title, { timeout: PATIENCE }).toBe(title);

  beforeAll(async () => {
    browser = await launch();
    const admin = await signIn('admin');
    const members = (await send(admin, 'GET', 'members/'))['results'] as { id: string; email: string }[];
    const viewer = members.find(({ email }) => email === 'viewer@demo.local');
    // A second builder, for as long as this test lasts.
    await send(admin, 'PATCH', `members/${viewer?.id ?? ''}/`, { roles: ['builder'], reason: 'Edits along' });
    [ana, bob] = [await signIn('builder'), await signIn('viewer')];
    flow = String((await send(ana, 'POST', 'flows/', { name: `Together ${process.pid}`, example: 'daily-report' }))['id']);
    await send(ana, 'POST', `flows/${flow}/publish/`, { note: 'First' });
    await open(ana);
    await open(bob);
  }, 5 * PATIENCE);

  afterAll(async () => {
    const admin = await signIn('admin');
    const members = (await send(admin, 'GET', 'members/'))['results'] as { id: string; email: string }[];
    await send(admin, 'PATCH', `members/${members.find(({ email }) => email === 'viewer@demo.local')?.id ?? ''}/`, { roles: ['viewer'], reason: 'As before' });
    await browser.close();
  }, PATIENCE);

  const idsOf = async () => Object.keys((await send(ana, 'GET', `flows/${flow}/draft/`))['steps'] as object);

  it('see who is here and what they have selected', async () => {
    const [first = ''] = await idsOf();
    await card(ana, first).click();
    await bob.getByRole('list', { name: 'Also here' }).getByRole('button', { name: /is at/ }).waitFor();
  }, 2 * PATIENCE);

  it('keep what each did elsewhere, and are asked about what both changed', async () => {
    const [first = '', second = ''] = await idsOf();
    await rename(ana, first, 'By Ana alone');
    await card(bob, first).getByText('By Ana alone').waitFor();

    // Bob's connection is gone; he works on.
    await card(bob, second).click();
    await bob.getByLabel('Title', { exact: true }).first().waitFor();
    await bob.context().setOffline(true);
    await rename(bob, second, 'By Bob');
    await bob.getByText('The server cannot be reached. Go on working.').waitFor();
    await rename(ana, second, 'By Ana');
    await savedTitle(ana, second, 'By Ana');
    await bob.context().setOffline(false);

    const asked = bob.getByRole('region', { name: /changed by both/ });
    await asked.getByText('By Ana', { exact: true }).waitFor();
    await asked.getByText('By Bob', { exact: true }).waitFor();
    await savedTitle(ana, second, 'By Ana');
    await asked.getByText('Mine', { exact: true }).last().click();
    await bob.getByRole('button', { name: 'Go on with this' }).click();
    await savedTitle(bob, second, 'By Bob');
    await card(ana, second).getByText('By Bob').waitFor();
  }, 4 * PATIENCE);

  it('undo only their own, also after loading the page again', async () => {
    const [first = '', second = ''] = await idsOf();
    await ana.getByRole('button', { name: /^Undo: Rename/ }).click();
    await ana.getByText(/has since changed “By Bob”/).first().waitFor();
    expect(await card(ana, second).getByText('By Bob').count()).toBe(1);
    await ana.reload();
    await ana.locator('.react-flow__node').first().waitFor();
    await ana.getByRole('button', { name: /^Undo: Rename/ }).click();
    await expect.poll(() => card(ana, first).getByText('By Ana alone').count(), { timeout: PATIENCE }).toBe(0);
    await ana.getByRole('button', { name: /^Redo: Rename/ }).click();
    await savedTitle(ana, first, 'By Ana alone');
  }, 3 * PATIENCE);

  it('publish what is ticked, and leave the rest in the draft', async () => {
    await ana.getByRole('button', { name: 'Publish', exact: true }).click();
    const panel = ana.getByRole('region', { name: /Publish/ });
    await panel.getByText('Others changed this draft, too.', { exact: false }).waitFor();
    expect(await panel.getByRole('checkbox', { name: /By Ana alone/ }).isChecked()).toBe(true);
    expect(await panel.getByRole('checkbox', { name: /By Bob/ }).isChecked()).toBe(false);
    await panel.getByLabel('What is new, and why').fill('A clearer name');
    await panel.getByRole('button', { name: 'Publish 1 ticked change' }).click();
    await ana.getByText('Version 2 is published.', { exact: false }).waitFor();
    await ana.goto(`${URL_}/flows/${flow}/compare/?from=2&to=draft`);
    await ana.getByText(/is now called “By Bob”/).waitFor();
    expect(await ana.getByText(/By Ana alone”/).count()).toBe(0);
    await ana.getByText('Changed', { exact: true }).first().waitFor();
  }, 3 * PATIENCE);

  it('go back to what was, and forth again', async () => {
    const [first = ''] = await idsOf();
    await open(ana);
    await ana.getByRole('button', { name: 'Versions', exact: true }).click();
    await ana.getByRole('listitem').filter({ hasText: 'Version 1' }).getByRole('button', { name: 'Restore' }).click();
    await ana.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
    await expect.poll(() => card(ana, first).getByText('By Ana alone').count(), { timeout: PATIENCE }).toBe(0);
    await ana.getByRole('button', { name: 'Undo: Restore Version 1' }).click();
    await savedTitle(ana, first, 'By Ana alone');
    expect(complaints()).toEqual([]);
  }, 3 * PATIENCE);

  it('lose nothing when the server is gone while a page is closed', async () => {
    const [first = ''] = await idsOf();
    await ana.route('**/draft/', (route) => (route.request().method() === 'PUT' ? route.abort('connectionrefused') : route.continue()));
    await rename(ana, first, 'Kept in the browser');
    await ana.getByText('Your changes are kept in this browser', { exact: false }).waitFor();
    await ana.unroute('**/draft/');
    ana.once('dialog', (dialog) => void dialog.accept());
    await ana.reload();
    await card(ana, first).getByText('Kept in the browser').waitFor();
    await savedTitle(bob, first, 'Kept in the browser');
  }, 3 * PATIENCE);

  it('sign in again where a session ends while editing, and lose nothing', async () => {
    const [first = ''] = await idsOf();
    await ana.context().clearCookies();
    await rename(ana, first, 'Without a session');
    await ana.getByText('You are signed out. Sign in again in the other tab', { exact: false }).waitFor();
    const tab = await ana.context().newPage();
    await tab.goto(`${URL_}/sign-in/`);
    await tab.getByLabel(/mail/i).fill('builder@demo.local');
    await tab.getByLabel(/password/i).fill(PASSWORD);
    await tab.getByRole('button', { name: /sign in/i }).click();
    await tab.getByRole('navigation').first().waitFor();
    await ana.bringToFront();
    await savedTitle(bob, first, 'Without a session');

    // Two tabs of one person: each hears of the other, and what one does the other shows.
    await open(tab);
    await ana.getByRole('button', { name: /^You, in another tab/ }).waitFor();
    await rename(tab, first, 'From the other tab');
    await card(ana, first).getByText('From the other tab').waitFor();
    expect(complaints()).toEqual([]);
  }, 4 * PATIENCE);
});
