/**
 * A list is worked through: a builder draws a For each with a step inside, by the mouse alone,
 * publishes it, runs it by hand with three items, and sees how far it is.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/for-each/', import.meta.url));
const NAME = `Names one by one ${process.pid}`;

describe.skipIf(!hasChromium || URL_ === '')('a list', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
    const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, reducedMotion: 'reduce', locale: 'en-GB' });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const heard = watchComplaints(page);
    page.on('close', () => complaints.push(...heard));
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill('builder@demo.local');
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
  });
  afterAll(async () => {
    if (!page.isClosed()) await page.screenshot({ path: `${SHOTS}stopped.png` });
    await browser.close();
  });

  const shots = async (name: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}${name}-${colorScheme}.png` });
    }
    await page.emulateMedia({ colorScheme: 'light' });
  };

  const middle = async (of: Locator): Promise<[number, number]> => {
    await of.scrollIntoViewIfNeeded();
    const box = await of.boundingBox();
    if (!box) throw new Error(`not on the page: ${String(of)}`);
    return [box.x + box.width / 2, box.y + box.height / 2];
  };

  const drag = async (from: [number, number], to: [number, number]) => {
    await page.mouse.move(...from);
    await page.mouse.down();
    await page.mouse.move(from[0] + 8, from[1] + 4, { steps: 4 });
    await page.mouse.move(...to, { steps: 12 });
    await page.mouse.up();
  };

  const panel = () => page.getByRole('complementary', { name: 'Form' });
  const card = (title: string) => page.locator('.react-flow__node').filter({ has: page.getByText(title, { exact: true }) });
  const carry = async (type: string, to: [number, number]) => drag(await middle(page.getByRole('button', { name: type, exact: true }).first()), to);
  const name = async (title: string) => {
    await panel().getByRole('textbox', { name: 'Title' }).fill(title);
    await card(title).waitFor();
  };
  const handle = (title: string, port: string) => card(title).locator(`.react-flow__handle[data-handleid="${port}"]`);
  const connect = async (from: string, port: string, to: [number, number]) => drag(await middle(handle(from, port)), to);
  const write = async (field: Locator, text: string) => {
    await field.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
  };
  const saved = async () => page.getByRole('status').filter({ hasText: /^Saved$/ }).waitFor();
  const stands = async () => panel().getByLabel('Stands in').first().inputValue();

  it('is worked through', { timeout: 180_000 }, async () => {
    await page.getByRole('button', { name: 'New flow' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(NAME);
    await page.getByRole('radio', { name: /Empty flow/ }).check();
    await page.getByRole('button', { name: 'Create flow' }).click();
    await page.locator('.react-flow__node').first().waitFor();
    for (let times = 0; times < 2; times++) await page.getByRole('button', { name: 'Zoom out' }).click();
    const start = page.locator('.react-flow__node').first();
    await drag(await middle(start), [430, 300]);

    // Runs are started by hand; the form asks for names.
    await start.click();
    await panel().getByText('By hand', { exact: true }).click();
    await panel().getByRole('button', { name: 'Add question' }).click();
    await panel().getByRole('textbox', { name: 'Question' }).last().fill('Names');
    await panel().getByLabel('Answer').first().click();
    await page.getByRole('option', { name: 'Several texts' }).click();
    await panel().getByRole('checkbox', { name: 'Must be answered' }).check();

    // A For each, and a step let go inside its frame: it stands there, and begins it.
    await carry('For each', [700, 330]);
    await name('Each name');
    await write(panel().getByLabel('List'), 'trigger.body.names');
    const frame = card('Each name').first();
    await carry('Map', await middle(frame.getByText(/Drop steps here/)));
    await name('Greet');
    expect(await stands()).toBe('Each name');
    await panel().getByRole('button', { name: 'Add field' }).click();
    await panel().getByRole('textbox', { name: 'Name' }).fill('words');
    await panel().getByRole('textbox', { name: 'Value of words' }).fill('=');
    await page.keyboard.type('"Hello " + item');
    await carry('Stop', [1180, 300]);
    await name('Done');
    // Let go in the frame's empty part, the frame is meant; its bar would do as well.
    const box = (await frame.boundingBox())!;
    await connect('By hand', 'done', [box.x + box.width - 30, box.y + box.height - 20]);
    await connect('Each name', 'done', await middle(card('Done')));

    // No link crosses the frame: it is refused in words.
    await connect('Greet', 'done', await middle(card('Done')));
    await page.getByRole('alert').filter({ hasText: /A link joins steps of one frame only/ }).first().waitFor();

    // A step is dragged out and back in; what is left outside is joined, and undone it is as it was.
    const [x, y] = await middle(card('Greet').last());
    await drag([x, y], [x, y + 320]);
    expect(await stands()).toBe('The flow itself');
    await page.getByRole('button', { name: /^Undo: Move Greet out/ }).click();
    await card('Greet').last().click();
    expect(await stands()).toBe('Each name');
    await saved();
    await shots('editor');

    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByRole('textbox', { name: 'What is new, and why' }).fill('Everybody is greeted');
    await page.getByRole('region', { name: /Publish/ }).getByRole('button', { name: /^Publish/ }).click();
    await page.getByText('v1', { exact: true }).first().waitFor();

    // Run by hand with three names.
    await page.getByRole('link', { name: 'Runs', exact: true }).last().click();
    await page.getByRole('button', { name: 'Run now' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Names').first().click();
    for (const one of ['Ada', 'Grace', 'Edsger']) {
      await page.keyboard.type(one);
      await page.keyboard.press('Enter');
    }
    await shots('run-now');
    await dialog.getByRole('button', { name: 'Start run' }).click();

    // The frame says how far it is; the step inside how often it was come to, and what it gave last.
    await page.getByText('Completed').first().waitFor();
    await card('Each name').first().getByText('3 of 3 done').waitFor();
    await card('Greet').last().getByText('3 times').waitFor();
    await card('Greet').last().click();
    await page.getByText('Hello Edsger').first().waitFor();
    await shots('run');
    await card('Each name').first().getByText('Each name').click();
    await page.getByText('Hello Grace').first().waitFor();
    await page.setViewportSize({ width: 360, height: 760 });
    await page.getByRole('dialog').getByText('3 of 3 done').waitFor();
    await shots('run-360');
    await page.close();
    expect(complaints).toEqual([]);
  });
});
