/**
 * A flow of 500 steps is read from a file, searched and edited; and what is no flow, is too large,
 * or names steps that nobody here knows is told apart, and nothing of it is lost or run as markup.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/large-flow/', import.meta.url));
const FILE = join(tmpdir(), `signalbox-large-${process.pid}.json`);
const COUNT = 500;
const WIDE = 23;
const MARKUP = '<img src=x onerror="document.title=\'broken\'"> <b>Ångström</b> 株式会社 شركة';
const LONG = 'A name of ten thousand letters '.repeat(323).slice(0, 10_000);

/** Rows of steps that set fields, with a fork at every fifth. */
function largeFlow(): { steps: Record<string, { type: string; version: number; title: string; config: object }>; [more: string]: unknown } {
  const ids = Array.from({ length: COUNT }, (_none, at) => `s${at}`);
  const isFork = (at: number) => at % 5 === 4 && at < COUNT - 1;
  return {
    format: 'signalbox.flow/1',
    name: `Five hundred ${process.pid}`,
    trigger: { type: 'webhook', config: { path: `large-${process.pid}` } },
    steps: Object.fromEntries(ids.map((id, at) => [
      id,
      {
        version: 1,
        title: `Step ${at}`,
        ...(at === COUNT - 1 ? { type: 'stop', config: { outcome: 'completed' } }
          : isFork(at) ? { type: 'decide', config: { branches: [{ port: 'large', when: `trigger.body.amount > ${at}` }], otherwise: 'small' } }
            : { type: 'map', config: { fields: { total: `= trigger.body.amount + ${at}`, ...(at % 100 === 0 ? { mail: '= trigger.body.customer.email' } : {}) } } }),
      },
    ])),
    links: [
      { from: 'trigger', to: 's0' },
      ...ids.slice(0, -1).flatMap((id, at) => (isFork(at) ? [{ from: id, port: 'large', to: `s${at + 1}` }, { from: id, port: 'small', to: `s${Math.min(at + 3, COUNT - 1)}` }] : [{ from: id, to: `s${at + 1}` }])),
    ],
    layout: Object.fromEntries([['trigger', [0, 0]], ...ids.map((id, at) => [id, [((at % WIDE) + 1) * 320, Math.floor(at / WIDE) * 160]])]) as unknown,
    settings: {},
  };
}

describe.skipIf(!hasChromium || URL_ === '')('a flow from a file', () => {
  let browser: Browser;
  let page: Page;
  let complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    writeFileSync(FILE, JSON.stringify(largeFlow(), null, 2));
    browser = await launch();
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', locale: 'en-GB' });
    page = await context.newPage();
    page.setDefaultTimeout(60_000);
    complaints = watchComplaints(page);
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill('builder@demo.local');
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
  });
  afterAll(async () => {
    await page.screenshot({ path: `${SHOTS}last.png` });
    await browser.close();
  });

  const form = () => page.getByRole('complementary', { name: 'Form' });
  const saved = () => page.getByRole('status').filter({ hasText: /^Saved$/ }).waitFor();
  const newFlow = async (name: string) => {
    await page.goto(`${URL_}/flows/`);
    await page.getByRole('button', { name: 'New flow' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(name);
    await page.getByRole('button', { name: 'Create flow' }).click();
    await page.locator('.react-flow__node').first().waitFor();
  };
  const openImport = async () => {
    await page.getByRole('button', { name: 'More for this flow' }).click();
    await page.getByRole('menuitem', { name: 'Import a flow' }).click();
    return page.getByRole('dialog', { name: 'Import a flow' });
  };
  const ask = async (term: string) => {
    await page.keyboard.press('Control+k');
    await page.getByRole('textbox', { name: 'Search flows, runs, pages' }).fill(term);
  };
  const shots = async (name: string, schemes: readonly ('light' | 'dark')[] = ['light', 'dark']) => {
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}${name}-${colorScheme}.png` });
    }
    await page.emulateMedia({ colorScheme: 'light' });
  };

  it('of 500 steps is imported, searched and edited', { timeout: 240_000 }, async () => {
    await newFlow(`Large ${process.pid}`);
    const dialog = await openImport();
    const chooser = page.waitForEvent('filechooser');
    await dialog.getByRole('button', { name: 'Choose a file' }).click();
    await (await chooser).setFiles(FILE);
    await dialog.getByText('500 steps').waitFor();
    await shots('import');
    await dialog.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByRole('application', { name: /^Flow with 500 steps/ }).waitFor();
    await page.locator('.react-flow__node[data-id="s499"]').waitFor();
    await saved();
    expect(await page.locator('.react-flow__node').count()).toBe(501);
    // From afar a card is its icon and its title: no ports, no summary.
    expect(await page.locator('.react-flow__handle').count()).toBe(0);
    // Its links are all there: 500 between steps that follow each other, and one more for each fork.
    expect(await page.locator('.react-flow__edge').count()).toBe(599);
    await shots('all', ['light']);

    // Found by name, and shown.
    await ask('Step 321');
    await page.getByRole('button', { name: /^Step 321/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('group', { name: /^Step 321, Map/ }).and(page.locator(':focus')).waitFor();
    expect(await form().getByRole('textbox', { name: 'Title' }).inputValue()).toBe('Step 321');
    await shots('found', ['light']);

    // Where a value is used: every step that reads it, and nothing else.
    await ask('customer.email');
    await page.getByRole('button', { name: /reads trigger\.body\.customer\.email/ }).first().waitFor();
    expect(await page.getByRole('button', { name: /reads trigger\.body\.customer\.email/ }).count()).toBe(5);
    await shots('uses', ['light']);
    await page.getByRole('button', { name: /^Step 300/ }).click();
    await page.getByRole('group', { name: /^Step 300, Map/ }).and(page.locator(':focus')).waitFor();

    // Edited: a title, a step put into a link by Ctrl-K, grouped, and all of it taken back.
    await form().getByRole('textbox', { name: 'Title' }).fill('Step three hundred');
    await page.getByRole('group', { name: /^Step three hundred, Map/ }).waitFor();
    await ask('Delay');
    await page.getByRole('button', { name: /^Add Delay/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('group', { name: /^Delay, Delay.*After Step three hundred\. Then Step 301/ }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('g');
    await page.getByRole('combobox', { name: 'Group 1 step in' }).fill('Block');
    await page.keyboard.press('Enter');
    await page.getByRole('group', { name: /^Block, Block.*1 step/ }).and(page.locator(':focus')).waitFor();
    await saved();
    await shots('grouped', ['light']);
    for (const label of ['Undo: Group 1 step in Block', 'Undo: Insert Delay between Step three hundred and Step 301']) await page.getByRole('button', { name: label }).click();
    await page.getByRole('application', { name: /^Flow with 500 steps/ }).waitFor();
    await saved();
    await page.reload();
    await page.getByRole('application', { name: /^Flow with 500 steps/ }).waitFor();
    await ask('Step three hundred');
    await page.getByRole('button', { name: /^Step three hundred/ }).waitFor();
    await page.keyboard.press('Escape');
    expect(complaints).toEqual([]);
  });

  it('that is none is refused in words; unknown steps, long names and markup are kept as they are', { timeout: 180_000 }, async () => {
    await newFlow(`Odd ${process.pid}`);
    const dialog = await openImport();
    const text = dialog.getByRole('textbox', { name: 'Flow as text' });
    const refused = async (given: string, words: RegExp) => {
      await text.fill(given);
      await dialog.getByText(words).waitFor();
      expect(await dialog.getByRole('button', { name: 'Import', exact: true }).isDisabled()).toBe(true);
    };
    await refused('Dear Ada, here is the flow.', /This is not a flow/);
    await refused('{"steps": []}', /not a flow of Signalbox/);
    await refused(`{"format": "signalbox.flow/1", "name": "${'x'.repeat(1_000_100)}", "trigger": {"type": "manual"}, "steps": {}}`, /too large/);
    await text.fill(JSON.stringify({
      format: 'signalbox.flow/1', name: `Odd ${process.pid}`, trigger: { type: 'manual', config: { form: { type: 'object', properties: {} } } },
      steps: {
        gone: { type: 'teleport', version: 4, title: MARKUP, config: { to: 'Mars', speed: 1.5 } },
        long: { type: 'map', version: 1, title: LONG, config: { fields: {} } },
        end: { type: 'stop', version: 1, title: 'End', config: { outcome: 'completed' } },
      },
      links: [{ from: 'trigger', to: 'gone' }, { from: 'gone', port: 'there', to: 'long' }, { from: 'long', to: 'end' }],
      notes: { 'note:1': { text: MARKUP } }, layout: { 'note:1': [0, 240] }, settings: {},
    }));
    await dialog.getByText(/not known here: teleport/).waitFor();
    await shots('unknown-import');
    await dialog.getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByRole('application', { name: /^Flow with 3 steps/ }).waitFor();
    await saved();
    await page.reload();
    await page.getByRole('application', { name: /^Flow with 3 steps/ }).waitFor();

    // Shown as text, however it looks; the unknown one as unknown, with its way out.
    const unknown = page.locator('.react-flow__node[data-id="gone"]');
    expect(await unknown.textContent()).toContain(MARKUP);
    await unknown.getByText('Unknown step type teleport').waitFor();
    expect(await page.locator('.react-flow__node[data-id="note:1"]').textContent()).toBe(MARKUP);
    expect(await page.locator('.react-flow__node img').count()).toBe(0);
    expect(await page.title()).not.toContain('broken');
    const card = await page.locator('.react-flow__node[data-id="long"]').boundingBox();
    expect(card!.width).toBeLessThan(300);
    await unknown.click();
    await form().getByText('Unknown step type teleport').first().waitFor();
    await shots('unknown');

    // The outline says the same.
    await page.getByRole('button', { name: 'Show as an outline' }).click();
    await page.getByRole('treeitem', { name: /株式会社/ }).first().waitFor();
    expect(await page.locator('[role=tree] img').count()).toBe(0);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await shots('unknown-outline');

    // With it nothing is published, and it says why.
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText(/There is no type of step “teleport”/).first().waitFor();
    await shots('unknown-publish');
    const address = page.url().replace(/\/$/, '').split('/').pop() ?? '';
    const versions = await page.evaluate(async (flow) => ((await (await fetch(`/api/v1/flows/${flow}/versions/`)).json()) as { results: unknown[] }).results.length, address);
    expect(versions).toBe(0);
    expect(complaints).toEqual([]);
  });
});
