/**
 * The story: a builder draws and publishes, GitHub signals, an approver decides, a system is told,
 * an auditor finds it. Real mouse, real browsers, the running stack; no way round the pages.
 */
import { createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasChromium, launch, watchComplaints } from './browser';

const URL_ = process.env['E2E_URL'] ?? '';
const PASSWORD = process.env['E2E_PASSWORD'] ?? '';
const SHOTS = fileURLToPath(new URL('../../var/e2e/story/', import.meta.url));
const DELIVERY = fileURLToPath(new URL('../../../shared/data/webhooks/github/issues.assigned.payload.json', import.meta.url));
const SECRET = 'a-secret-only-github-knows';
const NAME = `Issue triage ${process.pid}`;
const ADDRESS = `issues-${process.pid}`;
const SECRET_NAME = `github-${process.pid}`;
// Where the real delivery is not at hand, one of the same shape.
const PAYLOAD = existsSync(DELIVERY)
  ? readFileSync(DELIVERY)
  : Buffer.from(JSON.stringify({ action: 'assigned', issue: { number: 1, title: 'Spelling error in the README file' } }));
const ISSUE = (JSON.parse(PAYLOAD.toString()) as { issue: { number: number; title: string } }).issue;

interface Call {
  headers: IncomingHttpHeaders;
  body: string;
}

describe.skipIf(!hasChromium || URL_ === '')('the story', () => {
  let browser: Browser;
  let system: Server;
  let port = 0;
  const calls: Call[] = [];
  const complaints: string[] = [];
  const pages: Page[] = [];

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true });
    browser = await launch();
    system = createServer((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        calls.push({ headers: request.headers, body });
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"ok": true}');
      });
    });
    await new Promise<void>((done) => system.listen(0, '127.0.0.1', done));
    port = (system.address() as AddressInfo).port;
  });
  afterAll(async () => {
    // Where it stopped, if it did; pages that were left are closed.
    for (const [at, page] of pages.entries()) if (!page.isClosed()) await page.screenshot({ path: `${SHOTS}stopped-${at}.png` });
    system.close();
    await browser.close();
  });

  const signIn = async (who: string, width = 1600): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width, height: 1000 }, reducedMotion: 'reduce', locale: 'en-GB' });
    const page = await context.newPage();
    pages.push(page);
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => complaints.push(String(error)));
    const heard = watchComplaints(page);
    page.on('close', () => complaints.push(...heard));
    await page.goto(`${URL_}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/password/i).fill(PASSWORD);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.getByRole('navigation').first().waitFor();
    return page;
  };

  const shots = async (page: Page, name: string) => {
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

  const drag = async (page: Page, from: Locator, to: [number, number]) => {
    const [x, y] = await middle(from);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + 8, y + 4, { steps: 4 });
    await page.mouse.move(...to, { steps: 12 });
    await page.mouse.up();
  };

  const card = (page: Page, title: string) => page.locator('.react-flow__node').filter({ has: page.getByText(title, { exact: true }) });
  const panel = (page: Page) => page.getByRole('complementary', { name: 'Form' });
  const handle = (page: Page, title: string, port_: string) => card(page, title).locator(`.react-flow__handle[data-handleid="${port_}"]`);
  const saved = async (page: Page) => page.getByRole('status').filter({ hasText: /^Saved$/ }).waitFor();

  const place = async (page: Page, type: string, title: string, at: [number, number]) => {
    await drag(page, page.getByRole('button', { name: type, exact: true }).first(), at);
    await panel(page).getByRole('textbox', { name: 'Title' }).fill(title);
    await card(page, title).waitFor();
  };

  const connect = async (page: Page, from: string, port_: string, to: string) => {
    await drag(page, handle(page, from, port_), await middle(card(page, to)));
  };

  const write = async (page: Page, field: Locator, text: string) => {
    await field.click();
    await page.keyboard.press('Control+A');
    await page.keyboard.type(text);
  };

  it('is lived through', { timeout: 300_000 }, async () => {
    const builder = await signIn('builder');

    // An empty canvas.
    await builder.getByRole('button', { name: 'New flow' }).click();
    await builder.getByRole('textbox', { name: 'Name' }).fill(NAME);
    await builder.getByRole('radio', { name: /Empty flow/ }).check();
    await builder.getByRole('button', { name: 'Create flow' }).click();
    await builder.locator('.react-flow__node').first().waitFor();
    for (let times = 0; times < 2; times++) await builder.getByRole('button', { name: 'Zoom out' }).click();

    // The trigger: a signed webhook, its secret made in the form.
    const start = builder.locator('.react-flow__node').first();
    await drag(builder, start, [430, 300]);
    await start.click();
    await panel(builder).getByText('Webhook', { exact: true }).click();
    await panel(builder).getByRole('textbox', { name: 'Address' }).fill(ADDRESS);
    await panel(builder).getByLabel('Scheme').click();
    await builder.getByRole('option', { name: /GitHub/ }).click();
    await makeSecret(builder);

    // The steps, by drag and drop.
    await place(builder, 'Decide', 'Assigned?', [640, 300]);
    await place(builder, 'Approval', 'Lead decides', [860, 220]);
    await place(builder, 'Send HTTP request', 'Tell the tracker', [1090, 160]);
    await place(builder, 'Stop', 'Done', [1130, 400]);
    await place(builder, 'Stop', 'Dropped', [860, 520]);

    await card(builder, 'Assigned?').click();
    await panel(builder).getByRole('radiogroup', { name: 'How Condition is edited' }).getByText('FEEL').click();
    await write(builder, panel(builder).getByRole('textbox', { name: 'Condition', exact: true }), 'trigger.body.action = "assigned"');

    await card(builder, 'Lead decides').click();
    await panel(builder).getByRole('textbox', { name: 'What is asked' }).fill('Shall we take this issue?');
    await panel(builder).getByLabel('People').first().fill('approver');
    await builder.getByRole('option', { name: /approver@demo\.local/ }).click();
    await panel(builder).getByRole('button', { name: 'Add to Facts to decide by' }).click();
    await panel(builder).getByRole('textbox', { name: 'Label' }).fill('Issue');
    await fact(builder);

    await card(builder, 'Tell the tracker').click();
    await panel(builder).getByRole('textbox', { name: 'Address' }).fill(`http://127.0.0.1:${port}/issues`);

    await card(builder, 'Dropped').click();
    await panel(builder).getByText('Failed', { exact: true }).click();

    // The links, from port to step.
    await connect(builder, 'Webhook', 'done', 'Assigned?');
    await connect(builder, 'Assigned?', 'yes', 'Lead decides');
    await connect(builder, 'Assigned?', 'no', 'Dropped');
    await connect(builder, 'Lead decides', 'approved', 'Tell the tracker');
    await connect(builder, 'Lead decides', 'rejected', 'Dropped');
    await connect(builder, 'Tell the tracker', 'done', 'Done');
    await connect(builder, 'Tell the tracker', 'error', 'Dropped');
    await saved(builder);
    await shots(builder, 'editor');

    // Publishing is stopped by a finding: nobody says what happens when time runs out.
    await builder.getByRole('button', { name: 'Publish', exact: true }).click();
    await builder.getByRole('textbox', { name: 'What is new, and why' }).fill('Issues go to the lead first');
    const publish = () => builder.getByRole('region', { name: /Publish/ }).getByRole('button', { name: /^Publish/ }).click();
    await publish();
    await builder.getByText(/timeout/i).filter({ hasText: /link|leads/i }).first().waitFor();
    await shots(builder, 'editor-finding');
    await connect(builder, 'Lead decides', 'timeout', 'Dropped');
    await saved(builder);
    await publish();
    await builder.getByText('v1', { exact: true }).first().waitFor();

    // The approver has the inbox open before anything happens.
    const approver = await signIn('approver', 1280);
    await approver.goto(`${URL_}/inbox/`);
    const badge = approver.getByRole('link', { name: /Inbox, \d+ open task/ }).first();
    const openBefore = Number(/\d+/.exec((await badge.getAttribute('aria-label')) ?? '')?.[0]);
    expect(openBefore).toBeGreaterThan(0);

    // GitHub calls: unsigned is refused, signed is taken, the same again starts nothing.
    expect((await call({})).status).toBe(401);
    const signed = { 'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(PAYLOAD).digest('hex')}`, 'X-GitHub-Event': 'issues', 'X-GitHub-Delivery': `story-${process.pid}` };
    const taken = await call(signed);
    expect(taken.status).toBe(202);
    const { run } = (await taken.json()) as { run: string };
    const again = await call(signed);
    expect([again.status, ((await again.json()) as { duplicate: boolean }).duplicate]).toEqual([200, true]);

    // The run is on the canvas, waiting.
    await builder.goto(`${URL_}/runs/${run}/`);
    await builder.getByText('Waiting').first().waitFor();
    await shots(builder, 'run-waiting');

    // The badge counts on and the task appears, without reload; it is decided with a comment.
    await approver.getByRole('link', { name: `Inbox, ${openBefore + 1} open tasks` }).first().waitFor();
    await approver.getByText('Shall we take this issue?').first().click();
    await approver.getByText(String(ISSUE.number), { exact: true }).first().waitFor();
    await shots(approver, 'task');
    await approver.getByRole('textbox', { name: /comment/i }).fill('Good first issue');
    await approver.getByRole('button', { name: /^Approve/ }).click();

    // The run is completed on the builder's screen, without reload; the system was told once.
    await builder.getByText('Completed').first().waitFor();
    await shots(builder, 'run-completed');
    expect(calls.length).toBe(1);
    expect(calls[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{20,}$/);

    // The auditor finds who published and who decided.
    const auditor = await signIn('auditor', 1440);
    await auditor.goto(`${URL_}/audit/`);
    await auditor.getByText('flow.publish').or(auditor.getByText(/published/i)).first().waitFor();
    await auditor.getByText('task.decide').or(auditor.getByText(/decided/i)).first().waitFor();
    await shots(auditor, 'audit');
    for (const page of [builder, approver, auditor]) await page.context().close();
    expect(complaints).toEqual([]);
  });

  const call = (headers: Record<string, string>) =>
    fetch(`${URL_}/hooks/demo/${ADDRESS}`, { method: 'POST', body: PAYLOAD, headers: { 'Content-Type': 'application/json', ...headers } });

  async function makeSecret(page: Page) {
    await panel(page).getByLabel('Secret', { exact: true }).first().click();
    await page.getByRole('option', { name: 'New secret…' }).click();
    const form = page.getByRole('group', { name: /new secret/i });
    await form.getByRole('textbox', { name: 'Name' }).fill(SECRET_NAME);
    await form.getByLabel('Value').fill(SECRET);
    await form.getByRole('button', { name: 'Save secret' }).click();
    await form.waitFor({ state: 'detached' });
  }

  async function fact(page: Page) {
    const row = panel(page).getByRole('group', { name: /^Facts to decide by/ });
    await row.getByRole('button', { name: 'Use an expression' }).last().click();
    await row.getByRole('textbox', { name: 'Value' }).click();
    await page.keyboard.type('trigger.body.issue.number');
  }
});

