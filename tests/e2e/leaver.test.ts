/**
 * Somebody leaves: an administrator sees all that is theirs, hands it to another in one action, and it is so:
 * the flow has another owner, the task another decider, nobody signs in as them, and the trail says it once.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPeople, call, HOME, PASSWORD, signIn, URL_ } from './acting';
import { hasChromium, launch, watchComplaints } from './browser';

const SHOTS = fileURLToPath(new URL('../../var/e2e/leaver/', import.meta.url));
const NAME = `Travel requests ${process.pid}`;
const at = (name: string) => `${name}-${process.pid}@demo.local`;
const DOCUMENT = {
  format: 'signalbox.flow/1', name: NAME, trigger: { type: 'manual', config: {} },
  steps: {
    ask: { type: 'approval', version: 1, title: 'May they travel?', config: { title: '= "Trip to " + trigger.body.to', assignees: { users: [at('lena')], groups: [] }, rule: { any: 1 }, due: 'P2D' } },
    go: { type: 'stop', version: 1, title: 'Go', config: { outcome: 'completed' } },
    stay: { type: 'stop', version: 1, title: 'Stay', config: { outcome: 'completed' } },
  },
  links: [{ from: 'trigger', to: 'ask' }, { from: 'ask', port: 'approved', to: 'go' }, { from: 'ask', port: 'rejected', to: 'stay' }, { from: 'ask', port: 'timeout', to: 'stay' }],
  settings: { risk: 'low' }, layout: {},
};

describe.skipIf(!hasChromium || URL_ === '' || HOME === '')('somebody who leaves', () => {
  let browser: Browser;
  const complaints: string[] = [];
  const watch = (page: Page) => {
    const heard = watchComplaints(page);
    page.on('close', () => complaints.push(...heard));
  };

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(async () => browser.close());

  it('hands everything on in one action', { timeout: 240_000 }, async () => {
    addPeople([
      { email: at('lena'), name: `Lena Lang ${process.pid}`, roles: ['builder', 'approver'] },
      { email: at('nils'), name: `Nils Neu ${process.pid}`, roles: ['builder', 'approver'] },
    ]);
    const lena = await signIn(browser, `lena-${process.pid}`, watch);
    const flow = await call<{ id: string }>(lena, 'POST', 'flows/', { name: NAME });
    const { revision } = await call<{ revision: number }>(lena, 'GET', `flows/${flow.id}/`);
    await call(lena, 'PUT', `flows/${flow.id}/draft/`, DOCUMENT, revision);
    await call(lena, 'POST', `flows/${flow.id}/publish/`, { note: 'First' });
    const builder = await signIn(browser, 'builder', watch);
    const { id: run } = await call<{ id: string }>(builder, 'POST', `flows/${flow.id}/runs/`, { input: { to: 'Oslo' } });
    let task = '';
    await expect.poll(async () => (task = (await call<{ results: { id: string }[] }>(builder, 'GET', `runs/${run}/tasks/`)).results[0]?.id ?? ''), { timeout: 60_000 }).not.toBe('');

    // The wizard says what is theirs and why it cannot go without a reason.
    const admin = await signIn(browser, 'admin', watch);
    await admin.getByRole('link', { name: 'Settings' }).click();
    await admin.getByRole('button', { name: `Actions for Lena Lang ${process.pid}` }).click();
    await admin.getByRole('menuitem', { name: 'Hand everything on' }).click();
    const wizard = admin.getByRole('dialog');
    await wizard.getByText(NAME).waitFor();
    await wizard.getByText('Trip to Oslo').waitFor();
    const apply = wizard.getByRole('button', { name: 'Hand on and close access' });
    expect(await apply.isDisabled()).toBe(true);
    await wizard.getByLabel('Who takes over').first().fill('Nils');
    await admin.getByRole('option', { name: new RegExp(at('nils')) }).click();
    await wizard.getByLabel(/Reason/i).fill('Leaves at the end of the month');
    await admin.screenshot({ path: `${SHOTS}wizard.png` });
    await apply.click();
    await wizard.waitFor({ state: 'detached' });
    await admin.screenshot({ path: `${SHOTS}people.png` });

    // The flow, the task and the way in.
    expect((await call<{ owner: { email: string } }>(builder, 'GET', `flows/${flow.id}/`)).owner.email).toBe(at('nils'));
    const nils = await signIn(browser, `nils-${process.pid}`, watch);
    await nils.getByRole('link', { name: /^Inbox/ }).first().click();
    await nils.getByText('Trip to Oslo').first().click();
    await nils.getByRole('button', { name: 'Approve', exact: true }).click();
    await expect.poll(async () => (await call<{ status: string }>(builder, 'GET', `runs/${run}/`)).status, { timeout: 60_000 }).toBe('completed');
    const gone = await (await browser.newContext({ locale: 'en-GB' })).newPage();
    await gone.goto(`${URL_}/sign-in/`);
    await gone.getByLabel(/mail/i).fill(at('lena'));
    await gone.getByLabel(/password/i).fill(PASSWORD);
    await gone.getByRole('button', { name: /sign in/i }).click();
    await gone.getByRole('alert').first().waitFor();
    expect(new URL(gone.url()).pathname).toBe('/sign-in/');
    // Her open browser is signed out as well.
    await lena.goto(`${URL_}/flows/`);
    await lena.waitForURL((url) => url.pathname.startsWith('/sign-in'));

    // The trail tells of it as one thing, and the evidence names how he came to decide.
    const auditor = await signIn(browser, 'auditor', watch);
    await auditor.getByRole('link', { name: 'Audit' }).click();
    await auditor.getByRole('button', { name: 'Handed on everything a person had' }).first().click();
    await auditor.getByRole('dialog').getByText('Leaves at the end of the month').first().waitFor();
    await auditor.goto(`${URL_}/inbox/${task}/evidence/`);
    await auditor.getByText(`The task was handed over by ${at('lena')}.`).waitFor();
    await auditor.screenshot({ path: `${SHOTS}evidence.png`, fullPage: true });
    for (const page of [lena, builder, admin, nils, gone, auditor]) await page.context().close();
    expect(complaints).toEqual([]);
  });
});
