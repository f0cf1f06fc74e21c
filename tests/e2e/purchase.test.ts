/**
 * A purchase is asked for by a form and approved in two stages. Who is asked first is away: somebody
 * stands in, asks back and gets an answer, sends it back and sees what has changed. Nobody of the second
 * stage answers in time, so another one is asked, too. The clock is the product's own, moved on by hand.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOME, PASSWORD, URL_, addPeople, call } from './acting';
import { hasChromium, launch, watchComplaints } from './browser';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SHOTS = fileURLToPath(new URL('../../var/e2e/purchase/', import.meta.url));
const NAME = `Purchase ${process.pid}`;
const WHAT = `Label printer ${process.pid}`;
const QUESTION = `Buy it? ${process.pid}`;
const DEPUTY = `grace-${process.pid}@demo.local`;

const FLOW = {
  format: 'signalbox.flow/1',
  name: NAME,
  trigger: {
    type: 'form',
    config: {
      text: 'For everything above 50 euros.',
      open_to: 'members',
      form: {
        type: 'object',
        properties: { what: { type: 'string', title: 'What' }, amount: { type: 'number', title: 'Amount in euros' } },
        required: ['what', 'amount'],
        'x-order': ['what', 'amount'],
      },
    },
  },
  steps: {
    note: {
      type: 'map', version: 1, title: 'What is known',
      config: { fields: { note: '= get or else(steps.correct.output.comment, "as asked for")' } },
    },
    approve: {
      type: 'approval', version: 1, title: 'Approve the purchase',
      config: {
        title: QUESTION,
        assignees: { users: ['approver@demo.local'] },
        requester: 'trigger.requester.email',
        due: 'P3D',
        duties: { author: 'no', twice: true },
        outcomes: [
          { port: 'approved', label: 'Approve', side: 'for' },
          { port: 'rejected', label: 'Reject', side: 'against' },
          { port: 'again', label: 'Send back', side: 'back' },
        ],
        fields: [
          { label: 'What', value: '= trigger.body.what' },
          { label: 'Amount', value: '= trigger.body.amount' },
          { label: 'Note', value: '= steps.note.output.note' },
        ],
        escalation: [
          { when: { after: 'P1D' }, what: { remind: true } },
          { when: { after: 'P2D' }, what: { add: { users: [DEPUTY] } } },
        ],
        stages: [{ title: 'Budget', assignees: { users: ['builder@demo.local'] }, due: 'P3D' }],
      },
    },
    correct: {
      type: 'approval', version: 1, title: 'Put it right',
      config: {
        title: 'Put your purchase right',
        details: '= "It came back: " + steps.approve.output.comment',
        assignees: { users: ['= trigger.requester.email'] },
        requester: 'trigger.requester.email',
        allow_requester: true,
        due: 'P3D',
        outcomes: [
          { port: 'corrected', label: 'It is right now', side: 'for' },
          { port: 'dropped', label: 'Drop it', side: 'against' },
        ],
      },
    },
    bought: { type: 'stop', version: 1, title: 'Bought', config: {} },
    refused: { type: 'stop', version: 1, title: 'Not bought', config: {} },
  },
  links: [
    { from: 'trigger', to: 'note' },
    { from: 'note', to: 'approve' },
    { from: 'approve', port: 'approved', to: 'bought' },
    { from: 'approve', port: 'rejected', to: 'refused' },
    { from: 'approve', port: 'timeout', to: 'refused' },
    { from: 'approve', port: 'again', to: 'correct' },
    { from: 'correct', port: 'corrected', to: 'note' },
    { from: 'correct', port: 'dropped', to: 'refused' },
    { from: 'correct', port: 'timeout', to: 'refused' },
  ],
  settings: { risk: 'low' },
  layout: {},
};

/** Business time goes on by so much: an ISO 8601 duration. */
function advance(by: string) {
  const python = `${ROOT}.venv/bin/python`;
  execFileSync(existsSync(python) ? python : 'python3', ['-m', 'config.stack', 'manage', 'clock', 'advance', by], {
    cwd: ROOT,
    env: { ...process.env, SIGNALBOX_HOME: HOME, SIGNALBOX_TEST_CLOCK: '1' },
    stdio: 'pipe',
  });
}

describe.skipIf(!hasChromium || URL_ === '' || HOME === '')('a purchase in two stages', () => {
  let browser: Browser;
  let address = '';
  const complaints: string[] = [];

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
  });
  afterAll(async () => browser.close());

  const as = async (who: string, doing: (page: Page) => Promise<void>, options: object = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce', locale: 'en-GB', ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const heard = watchComplaints(page);
    try {
      await page.goto(`${URL_}/sign-in/`);
      await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
      await page.getByLabel(/password/i).fill(PASSWORD);
      await page.getByRole('button', { name: /sign in/i }).click();
      await page.getByRole('navigation').first().waitFor();
      await doing(page);
      complaints.push(...heard);
    } catch (error) {
      await page.screenshot({ path: `${SHOTS}broken-${who}.png`, fullPage: true });
      throw error;
    } finally {
      await context.close();
    }
  };
  const shot = (page: Page, name: string) => page.screenshot({ path: `${SHOTS}${name}.png`, fullPage: true });
  /** From the inbox to a question, by its links; it may come a moment later. */
  const openTask = async (page: Page, title = QUESTION) => {
    const link = page.getByRole('link').filter({ hasText: title });
    await expect.poll(async () => {
      await page.goto(`${URL_}/inbox/list/`);
      return link.count();
    }, { timeout: 15_000 }).toBeGreaterThan(0);
    await link.first().click();
    await page.getByRole('heading', { name: title }).waitFor();
  };
  const answer = async (page: Page, word: string, comment = '') => {
    if (comment) await page.getByRole('textbox', { name: 'Comment' }).fill(comment);
    await page.getByRole('button', { name: word, exact: true }).click();
    await page.getByRole('status').filter({ hasText: word }).waitFor();
  };

  it('is drawn, published and offered', async () => {
    await as('builder', async (page) => {
      addPeople([{ email: DEPUTY, name: 'Grace Hopper' }]);
      const { id } = await call<{ id: string }>(page, 'POST', 'flows/', { name: NAME });
      await call(page, 'PUT', `flows/${id}/draft/`, FLOW, 1);
      await call(page, 'POST', `flows/${id}/publish/`, { note: 'Purchases in two stages.' });
    });
  });

  it('somebody stands in for who is away', async () => {
    await as('approver', async (page) => {
      await page.goto(`${URL_}/account/`);
      await page.getByRole('button', { name: 'Name somebody' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('combobox', { name: 'Who stands in' }).fill('admin');
      await page.getByRole('option').filter({ hasText: /admin/i }).first().click();
      await shot(page, '1-stand-in');
      await dialog.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByText('Stand-in saved').waitFor();
    });
  });

  it('is asked for by the form, and shows who has it', async () => {
    await as('viewer', async (page) => {
      await page.goto(`${URL_}/requests/`);
      await page.getByRole('link').filter({ hasText: NAME }).first().click();
      await page.getByRole('textbox', { name: 'What' }).fill(WHAT);
      await page.getByRole('textbox', { name: 'Amount in euros' }).fill('480');
      await shot(page, '2-form');
      await page.getByRole('button', { name: 'Send', exact: true }).click();
      await page.getByText('Waits for somebody').first().waitFor();
      await shot(page, '3-sent');
      address = page.url();
    });
  });

  it('the stand-in asks back, and the time stands still', async () => {
    await as('admin', async (page) => {
      await openTask(page);
      await page.getByText(/You stand in for/).waitFor();
      await page.getByText('Ask for more before you decide').click();
      await page.getByRole('textbox', { name: 'Question' }).fill('Why not the cheaper one?');
      await page.getByRole('button', { name: 'Ask', exact: true }).click();
      await page.getByText(/has stood still since/).waitFor();
      await shot(page, '4-asked');
    });
    advance('P2D');
    await as('viewer', async (page) => {
      await page.goto(`${URL_}/inbox/questions/`);
      await page.getByRole('link').filter({ hasText: QUESTION }).first().click();
      await page.getByText('Why not the cheaper one?').waitFor();
      await page.getByRole('textbox', { name: 'Your answer' }).fill('It prints in colour, too.');
      await page.getByRole('button', { name: 'Send the answer' }).click();
      await page.getByText(/has answered/).waitFor();
    }, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true });
  });

  it('it is sent back, put right, and the page says what has changed', async () => {
    await as('admin', async (page) => {
      await openTask(page);
      await page.getByText('It prints in colour, too.').waitFor();
      await answer(page, 'Send back', 'For which department?');
    });
    await as('viewer', async (page) => {
      await openTask(page, 'Put your purchase right');
      await page.getByText('It came back: For which department?').waitFor();
      await answer(page, 'It is right now', 'For the warehouse');
    });
    await as('admin', async (page) => {
      await openTask(page);
      await page.getByText('For which department?').first().waitFor();
      await page.getByText('as asked for').first().waitFor();
      await page.getByText('For the warehouse').first().waitFor();
      await shot(page, '5-there-again');
    });
  });

  it('the stand-in approves for who is away, and the second stage is asked', async () => {
    await as('admin', async (page) => {
      await openTask(page);
      await answer(page, 'Approve', 'Fine.');
      await page.getByText('Then the next stage was asked.').waitFor();
      await shot(page, '6-first-stage');
    });
    await as('viewer', async (page) => {
      await page.goto(address);
      await page.getByText(/Bo Builder|builder@demo.local|Builder/).first().waitFor();
    });
  });

  it('nobody answers, so another one is asked, who sees what was said before', async () => {
    advance('P1D');
    advance('P1D');
    await as(DEPUTY.split('@')[0]!, async (page) => {
      await openTask(page);
      await page.getByText(/Budget/).first().waitFor();
      await page.getByText('Stages before').waitFor();
      await page.getByText('Fine.').first().waitFor();
      await shot(page, '7-escalated');
      await answer(page, 'Approve');
    });
    await as('viewer', async (page) => {
      await page.goto(address);
      await page.getByText('Done', { exact: true }).first().waitFor();
      await shot(page, '8-done');
    });
  });

  it('no page complained', () => {
    expect(complaints).toEqual([]);
  });
});
