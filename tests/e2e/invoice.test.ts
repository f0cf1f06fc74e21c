/**
 * Invoice approval from an empty canvas: a mapping, a decision table, an approval and a failure lane,
 * once by the keys alone and once by the mouse, to the same document; published, run, approved, failed.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INVOICE } from './both-ways/invoice';
import type { Builder } from './both-ways/invoice';
import { buildInvoicesByKeyboard } from './both-ways/invoice-keyboard';
import { buildInvoicesByMouse } from './both-ways/invoice-mouse';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/invoice/', import.meta.url));
const LIMIT = 300_000;

type Flow = Awaited<ReturnType<typeof buildInvoicesByMouse>>;

describe.skipIf(!hasChromium || URL_ === '')('invoice approval', () => {
  let browser: Browser;
  let bank: Server;
  let port = 0;
  let answer = 200;
  const payments: unknown[] = [];
  const built: Partial<Record<'keyboard' | 'mouse', Flow>> = {};

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
    bank = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        payments.push(JSON.parse(body));
        response.writeHead(answer, { 'Content-Type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((done) => bank.listen(0, '127.0.0.1', done));
    port = (bank.address() as AddressInfo).port;
  });
  afterAll(async () => {
    bank.close();
    await browser.close();
  });

  const open = async (): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, reducedMotion: 'reduce', locale: 'en-GB', acceptDownloads: true });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    return page;
  };
  const shots = async (page: Page, name: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}${name}-${colorScheme}.png` });
    }
    await page.emulateMedia({ colorScheme: 'light' });
  };
  const signIn = async (who: string): Promise<Page> => {
    const page = await open();
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
    return page;
  };

  const build = async (how: 'keyboard' | 'mouse', by: (builder: Builder) => Promise<Flow>) => {
    const page = await open();
    const complaints = watchComplaints(page);
    try {
      built[how] = await by({ page, url: URL_, password: PASSWORD, bank: `http://127.0.0.1:${port}/payments` });
      // It is paid at once: the table says so.
      await page.getByText('Completed', { exact: true }).first().waitFor();
      await shots(page, how);
    } catch (error) {
      const focus = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 300));
      await page.screenshot({ path: `${SHOTS}${how}-stopped.png` });
      throw new Error(`the focus is on ${focus ?? 'nothing'}`, { cause: error });
    } finally {
      await page.context().close();
    }
    expect(payments.splice(0)).toEqual([{ amount: 700 }]);
    expect(complaints).toEqual([]);
  };

  it('is built, published and run with the keyboard only', { timeout: LIMIT }, () => build('keyboard', buildInvoicesByKeyboard));

  it('is built, published and run with the mouse', { timeout: LIMIT }, () => build('mouse', buildInvoicesByMouse));

  it('is the same document, places apart', () => {
    const { name: _one, ...byKeys } = built.keyboard ?? {};
    const { name: _other, ...byMouse } = built.mouse ?? {};
    expect(Object.keys((byKeys as Flow)['steps'] as object)).toHaveLength(8);
    expect((byKeys as Flow).links).toHaveLength(10);
    expect(byMouse).toEqual(byKeys);
  });

  it('asks a person where the invoice is large, and takes the failure lane where the bank fails', { timeout: LIMIT }, async () => {
    const builder = await signIn('builder');
    const approver = await signIn('approver');
    await builder.goto(`${URL_}/flows/`);
    await builder.getByRole('link', { name: INVOICE.name('mouse') }).first().click();
    await builder.getByRole('application').waitFor();
    const address = builder.url();

    const pay = async (supplier: string, ends: string, expected: number, expectedEnd: string) => {
      answer = expected;
      await builder.goto(address);
      await builder.getByRole('button', { name: 'Run now' }).click();
      const start = builder.getByRole('dialog');
      await start.getByRole('textbox', { name: 'Supplier' }).fill(supplier);
      await start.getByLabel(/^Amount/).fill('900');
      await start.getByRole('button', { name: 'Start run' }).click();
      await builder.waitForURL(/\/runs\/[0-9a-f-]+\//);
      await builder.getByText('Waiting', { exact: true }).first().waitFor();
      await approver.goto(`${URL_}/inbox/`);
      await approver.getByText(INVOICE.question).first().click();
      await approver.getByText(supplier, { exact: true }).first().waitFor();
      await approver.getByRole('textbox', { name: /comment/i }).fill('As ordered.');
      await approver.getByRole('button', { name: /^Approve/ }).click();
      await builder.getByText(expectedEnd, { exact: true }).first().waitFor();
      await shots(builder, ends);
    };
    await pay(`Initech ${process.pid}`, 'approved', 200, 'Completed');
    await pay(`Umbrella ${process.pid}`, 'failed', 422, 'Failed');
    await builder.getByText(INVOICE.message).first().waitFor();
    expect(payments).toEqual([{ amount: 900 }, { amount: 900 }]);
    await builder.context().close();
    await approver.context().close();
  });
});
