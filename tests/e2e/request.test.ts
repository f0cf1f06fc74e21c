/**
 * Somebody asks for something by a form, an approver decides, and the page of requests says that it is
 * done. Then somebody without an account, without script and on a phone asks for the same.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/request/', import.meta.url));
const NAME = `Buy something ${process.pid}`;
const PDF = Buffer.from('%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n');
const FILE = { type: 'object', properties: { id: { type: 'string' }, name: { type: 'string' }, type: { type: 'string' }, size: { type: 'integer' }, sha256: { type: 'string' } }, required: ['id', 'name', 'type', 'size', 'sha256'], additionalProperties: false };
const FLOW = {
  format: 'signalbox.flow/1',
  name: NAME,
  trigger: {
    type: 'form',
    config: {
      text: 'For everything that costs money.', open_to: 'public',
      form: {
        type: 'object',
        'x-order': ['what', 'price', 'why', 'offers'],
        properties: {
          what: { type: 'string', title: 'What do you need?' }, price: { type: 'number', title: 'Price' }, why: { type: 'string', title: 'Why is it needed?' },
          offers: { type: 'array', title: 'Offers', 'x-widget': 'files', 'x-accept': ['pdf'], items: FILE },
        },
        required: ['what', 'price'],
        allOf: [{ if: { properties: { price: { type: 'number', minimum: 100 } }, required: ['price'] }, then: { required: ['why'] }, else: { properties: { why: false } } }],
      },
    },
  },
  steps: {
    ask: {
      type: 'approval', version: 1, title: 'Buying says',
      config: { title: '= "Buy " + trigger.body.what', assignees: { users: [], groups: ['approver'] }, rule: { any: 1 }, due: 'P2D', fields: [{ label: 'Offers', value: '= get or else(trigger.body.offers, "none")' }] },
    },
    bought: { type: 'stop', version: 1, config: { outcome: 'completed' } },
    no: { type: 'stop', version: 1, config: { outcome: 'completed', message: 'No.' } },
  },
  links: [{ from: 'trigger', to: 'ask' }, { from: 'ask', port: 'approved', to: 'bought' }, { from: 'ask', port: 'rejected', to: 'no' }, { from: 'ask', port: 'timeout', to: 'no' }],
  settings: {},
  layout: {},
};

describe.skipIf(!hasChromium || URL_ === '')('a request', () => {
  let browser: Browser;
  let address = '';
  const complaints: string[] = [];
  const pages: Page[] = [];

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(async () => {
    for (const [at, page] of pages.entries()) if (!page.isClosed()) await page.screenshot({ path: `${SHOTS}stopped-${at}.png` });
    await browser.close();
  });

  const signIn = async (who: string): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', locale: 'en-GB' });
    const page = await context.newPage();
    pages.push(page);
    page.setDefaultTimeout(20_000);
    const heard = watchComplaints(page);
    page.on('close', () => complaints.push(...heard));
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
    return page;
  };

  /** What the builder of flows sends; drawing one is another test's matter. */
  const send = (page: Page, method: string, path: string, body: unknown, revision?: number) =>
    page.evaluate(
      async ({ method: how, path: where, body: what, revision: match }) => {
        const token = /csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? '';
        const headers = { 'Content-Type': 'application/json', 'X-CSRFToken': token, ...(match === undefined ? {} : { 'If-Match': `"${match}"` }) };
        const answer = await fetch(`/api/v1/${where}`, { method: how, headers, body: JSON.stringify(what) });
        if (!answer.ok) throw new Error(`${where}: ${answer.status} ${await answer.text()}`);
        return (await answer.json()) as { id: string };
      },
      { method, path, body, revision },
    );

  it('is filled in, decided and done', { timeout: 240_000 }, async () => {
    const builder = await signIn('builder');
    const flow = await send(builder, 'POST', 'flows/', { name: NAME });
    await send(builder, 'PUT', `flows/${flow.id}/draft/`, FLOW, 1);
    await send(builder, 'POST', `flows/${flow.id}/publish/`, { note: '' });
    await builder.goto(`${URL_}/flows/${flow.id}/?step=trigger`);
    address = (await builder.getByText(/\/forms\//).first().textContent()) ?? '';
    await builder.getByRole('region', { name: 'How it looks' }).waitFor();
    await builder.screenshot({ path: `${SHOTS}builder.png` });

    const viewer = await signIn('viewer');
    await viewer.getByRole('link', { name: 'Requests' }).click();
    await viewer.getByRole('link', { name: new RegExp(NAME) }).click();
    await viewer.getByLabel(/^What do you need/).fill('a desk');
    await viewer.getByLabel(/^Price/).fill('420');
    await viewer.getByLabel(/^Why is it needed/).fill('The old one is broken.');
    const kept = viewer.waitForResponse((one) => one.url().endsWith('/draft/') && (one.request().postData() ?? '').includes('offer.pdf'));
    await viewer.locator('input[type=file]').setInputFiles({ name: 'offer.pdf', mimeType: 'application/pdf', buffer: PDF });
    await viewer.getByRole('link', { name: 'offer.pdf' }).waitFor();
    await kept;
    await viewer.getByText('Draft saved').waitFor();
    // What was typed is there again, for whoever comes back.
    await viewer.reload();
    await viewer.getByRole('link', { name: 'offer.pdf' }).waitFor();
    expect(await viewer.getByLabel(/^Why is it needed/).inputValue()).toBe('The old one is broken.');
    await viewer.getByRole('button', { name: 'Send' }).dblclick();
    await viewer.getByText('Waits for somebody').first().waitFor();
    await viewer.getByText('Who has it now').waitFor();
    await viewer.screenshot({ path: `${SHOTS}waits.png` });
    const mine = viewer.url();

    const approver = await signIn('approver');
    await approver.goto(`${URL_}/inbox/`);
    await approver.getByText('Buy a desk').first().click();
    await approver.getByRole('link', { name: 'offer.pdf' }).waitFor();
    const [saved] = await Promise.all([approver.waitForEvent('download'), approver.getByRole('link', { name: 'offer.pdf' }).click()]);
    expect(saved.suggestedFilename()).toBe('offer.pdf');
    await approver.getByRole('button', { name: 'Approve', exact: true }).click();
    await approver.getByText(/Approved/).first().waitFor();

    await viewer.bringToFront();
    await viewer.goto(mine);
    await viewer.getByText('Approved by', { exact: false }).first().waitFor();
    await viewer.getByText('Done', { exact: true }).first().waitFor();
    await viewer.goto(`${URL_}/requests/`);
    // A double click was one request.
    const rows = viewer.getByRole('row', { name: new RegExp(NAME) });
    await rows.first().waitFor();
    expect(await rows.count()).toBe(1);
    for (const page of [builder, viewer, approver]) await page.close();
    expect(complaints).toEqual([]);
  });

  it('comes from a phone without an account and without script', { timeout: 120_000 }, async () => {
    expect(address).toContain('/forms/');
    const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width: 360, height: 740 }, locale: 'en-GB' });
    const page = await context.newPage();
    pages.push(page);
    await page.goto(URL_ + new URL(address).pathname);
    await page.screenshot({ path: `${SHOTS}public.png`, fullPage: true });
    await page.getByLabel(/^What do you need/).fill('a lamp');
    await page.getByLabel(/^Price/).fill('120');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Some answers do not fit').waitFor();
    await page.screenshot({ path: `${SHOTS}public-refused.png` });
    await page.goBack();
    expect(await page.getByLabel(/^What do you need/).inputValue()).toBe('a lamp');
    await page.getByLabel(/^Why is it needed/).fill('It is dark.');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByText('Thank you').waitFor();
    expect(await page.content()).not.toContain('a lamp');
    await page.screenshot({ path: `${SHOTS}thanks.png` });
    await context.close();
  });
});
