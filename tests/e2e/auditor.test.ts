/**
 * An auditor answers ten questions about a decision, from the pages alone: each begins at the run and takes
 * four links at most. The one who decided has left since, and the team that was asked is called otherwise.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addPeople, call, HOME, signIn, URL_ } from './acting';
import { hasChromium, launch, watchComplaints } from './browser';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SHOTS = fileURLToPath(new URL('../../var/e2e/auditor/', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const MOST_CLICKS = 4;
const NAME = `Purchases ${process.pid}`;
const TEAM = `purchasing-${process.pid}`;
const at = (name: string) => `${name}-${process.pid}@demo.local`;

const drawn = (facts: { label: string; value: string }[]) => ({
  format: 'signalbox.flow/1', name: NAME, trigger: { type: 'manual', config: {} },
  steps: {
    ask: { type: 'approval', version: 1, title: 'Purchasing decides', config: {
      title: '= "Buy from " + trigger.body.vendor + "?"', assignees: { users: [], groups: [TEAM] }, rule: { any: 1 }, due: 'P2D', fields: facts,
      escalation: [{ when: { after: 'PT1S' }, what: { add: { users: [at('pia')] } } }],
    } },
    bought: { type: 'stop', version: 1, title: 'Bought', config: { outcome: 'completed' } },
    dropped: { type: 'stop', version: 1, title: 'Dropped', config: { outcome: 'failed', message: 'Not bought' } },
  },
  links: [
    { from: 'trigger', to: 'ask' }, { from: 'ask', port: 'approved', to: 'bought' },
    { from: 'ask', port: 'rejected', to: 'dropped' }, { from: 'ask', port: 'timeout', to: 'dropped' },
  ],
  settings: { risk: 'low' }, layout: {},
});

/** What axe finds to be serious. */
async function seriousOn(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 160)}`);
  });
}

describe.skipIf(!hasChromium || URL_ === '' || HOME === '')('an auditor', () => {
  let browser: Browser;
  let run = '';
  let task = '';
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

  /** What is to be audited: asked of a team, escalated, decided by who stood in; then people and names change. */
  it('finds a decision whose people and names have changed since', { timeout: 240_000 }, async () => {
    const admin = await signIn(browser, 'admin', watch);
    const team = await call<{ id: string }>(admin, 'POST', 'teams/', { slug: TEAM, name: 'Purchasing' });
    addPeople([
      { email: at('nora'), name: 'Nora Norden', teams: [TEAM] }, { email: at('otto'), name: 'Otto Osten', teams: [TEAM] },
      { email: at('pia'), name: 'Pia Perle' }, { email: at('dora'), name: 'Dora Dietz' },
    ]);
    const members = (await call<{ results: { id: string; user_id: string; email: string }[] }>(admin, 'GET', 'members/?limit=200')).results;
    const member = (name: string) => members.find(({ email }) => email === at(name))!;
    const hour = 3_600_000;
    await call(admin, 'POST', 'delegations/', {
      person: member('nora').user_id, to: at('dora'), reason: 'On holiday',
      begins_at: new Date(Date.now() - hour).toISOString(), ends_at: new Date(Date.now() + 48 * hour).toISOString(),
    });

    const builder = await signIn(browser, 'builder', watch);
    const flow = await call<{ id: string }>(builder, 'POST', 'flows/', { name: NAME });
    const facts = [{ label: 'Amount', value: '= trigger.body.amount' }];
    for (const [note, shown] of [['First version', facts], ['Says where it is delivered', [...facts, { label: 'Delivered to', value: '= trigger.body.place' }]]] as const) {
      const { revision } = await call<{ revision: number }>(builder, 'GET', `flows/${flow.id}/`);
      await call(builder, 'PUT', `flows/${flow.id}/draft/`, drawn([...shown]), revision);
      await call(builder, 'POST', `flows/${flow.id}/publish/`, { note });
    }
    await call(admin, 'PUT', `flows/${flow.id}/grants/`, { grants: [{ subject: { kind: 'team', id: team.id }, rights: ['view'] }] });
    run = (await call<{ id: string }>(builder, 'POST', `flows/${flow.id}/runs/`, { input: { vendor: 'Blue Harbor', amount: 12500.5, place: 'Oslo' } })).id;
    await expect.poll(async () => {
      const found = await call<{ results: { id: string }[] }>(builder, 'GET', `runs/${run}/tasks/`);
      task = found.results[0]?.id ?? '';
      return task;
    }, { timeout: 60_000 }).not.toBe('');
    // The ladder asks one more person within seconds.
    await expect.poll(async () => (await call<{ assignees: string[] }>(builder, 'GET', `tasks/${task}/`)).assignees.length, { timeout: 60_000 }).toBe(3);

    const dora = await signIn(browser, `dora-${process.pid}`, watch);
    await dora.goto(`${URL_}/inbox/${task}/`);
    await dora.getByRole('textbox', { name: 'Comment' }).fill('Within the budget');
    await dora.getByRole('button', { name: 'Approve' }).click();
    await dora.getByRole('status').filter({ hasText: 'Approved' }).waitFor();

    await call(admin, 'PATCH', `members/${member('dora').id}/`, { is_active: false, reason: 'Left the company' });
    await call(admin, 'PATCH', `teams/${team.id}/`, { name: 'Procurement' });
    for (const page of [admin, builder, dora]) await page.context().close();
  });

  /** From the run by links alone, at most four of them. */
  async function ask(page: Page, ...links: ((page: Page) => Locator)[]) {
    expect(links.length).toBeLessThanOrEqual(MOST_CLICKS);
    await page.goto(`${URL_}/runs/${run}/`);
    for (const link of links) {
      const target = link(page);
      await target.first().waitFor();
      expect(await target.first().evaluate((element) => element.closest('a')?.getAttribute('href') ?? '')).not.toBe('');
      await target.first().click();
    }
  }

  const evidence = (page: Page) => page.getByRole('link', { name: /Evidence/ });

  it('answers ten questions, each within four links of the run', { timeout: 300_000 }, async () => {
    const page = await signIn(browser, 'auditor', watch);
    const says = async (text: string | RegExp) => page.getByText(text).first().waitFor();

    // 1. Who approved this?
    await ask(page, evidence);
    await page.getByRole('heading', { name: `Approved: Dora Dietz (${at('dora')}), who is not here any more` }).waitFor();
    await page.screenshot({ path: `${SHOTS}evidence.png`, fullPage: true });

    // 2. What exactly did they see?
    await says('Buy from Blue Harbor?');
    await says('12,500.5');
    await says('Oslo');
    await says(/The first answer decides/);

    // 3. Were they allowed at that moment, and by which grant?
    await says('Asked as a member of “Purchasing” (now called “Procurement”).');
    await says(/Roles then: “Approver”/);

    // 4. Who else could have?
    await says(`Otto Osten (${at('otto')})`);
    await says(`Pia Perle (${at('pia')})`);

    // 5. On whose behalf?
    await says('On behalf of Nora Norden, for whom they stood in.');

    // 6. Was the limit kept?
    await says(/The limit was .*; it was kept, with 1 day left\./);

    // 7. Who wrote and published the version that ran, and what did it change?
    await ask(page, evidence, (on) => on.getByRole('link', { name: 'Version 2' }));
    await says(/Version 2, published by Bea Builder, written by Bea Builder/);
    await says('Says where it is delivered');
    await ask(page, (on) => on.getByRole('link', { name: 'v2', exact: true }), (on) => on.getByRole('link', { name: 'What changed' }));
    await page.getByRole('region', { name: /in words/i }).getByText(/Delivered to/).first().waitFor();
    await page.screenshot({ path: `${SHOTS}changed.png` });

    // 8. What happened at each escalation?
    await ask(page, evidence, (on) => on.getByRole('link', { name: 'What else happened to it' }));
    await says('Escalated: others were asked as well');
    await says(at('pia'));

    // 9. Whose rights on this flow changed this quarter?
    await ask(page, evidence, (on) => on.getByRole('link', { name: 'Whose rights on this flow changed' }));
    const changes = page.getByRole('table', { name: 'Whose rights changed' });
    await changes.getByText('Purchasing').first().waitFor();
    await changes.getByText(at('dora')).first().waitFor();
    await page.screenshot({ path: `${SHOTS}rights.png`, fullPage: true });

    // 10. Has anything been altered since?
    await ask(page, evidence);
    await expect.poll(async () => { await page.reload(); return page.getByText(/Not altered since it was sealed/).count(); }, { timeout: 60_000 }).toBe(1);
    await ask(page, evidence, (on) => on.getByRole('link', { name: 'Has anything been altered?' }));
    await page.getByRole('heading', { name: 'Has anything been altered?' }).or(page.getByRole('heading', { name: /altered/i })).first().waitFor();
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  it('takes the evidence away and checks it without us', { timeout: 120_000 }, async () => {
    const page = await signIn(browser, 'auditor', watch);
    await ask(page, evidence);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Take it away, signed' }).click()]);
    const path = `${SHOTS}decision.html`;
    await file.saveAs(path);
    const { fingerprint } = await page.evaluate(async () => (await (await fetch('/api/v1/audit/state/')).json()) as { fingerprint: string });
    const python = existsSync(`${ROOT}.venv/bin/python`) ? `${ROOT}.venv/bin/python` : 'python3';
    const told = execFileSync(python, ['-S', '-I', `${ROOT}tools/verify_audit.py`, path, '--fingerprint', fingerprint], { encoding: 'utf-8' });
    expect(told).toContain('The evidence verifies.');
    expect(told).toContain('Delivered to: Oslo');
    writeFileSync(`${SHOTS}told.txt`, told);

    // The page holds on a phone and in the dark.
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [1440, 360]) {
        await page.setViewportSize({ width, height: 800 });
        await page.emulateMedia({ colorScheme });
        await page.goto(`${URL_}/inbox/${task}/evidence/`);
        await page.screenshot({ path: `${SHOTS}evidence-${width}-${colorScheme}.png`, fullPage: true });
        expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
        expect(await seriousOn(page)).toEqual([]);
      }
    }

    // It is read without us, too: no script, nothing asked of anybody.
    await page.goto(`file://${path}`);
    await page.getByRole('heading', { name: /^Approved: Dora Dietz/ }).waitFor();
    await page.screenshot({ path: `${SHOTS}file.png`, fullPage: true });
    await page.context().close();
  });
});
