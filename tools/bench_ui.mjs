/**
 * What a person at the browser feels, measured in headless Chromium against a running stack.
 * Called by tools/bench_ui.py: reads what to measure as JSON from standard input, writes the
 * figures as JSON to standard output. Real mouse, real keys; the page is only listened to.
 */
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const given = JSON.parse(readFileSync(0, 'utf8'));
const { url, password, build, token } = given;
const say = (text) => process.stderr.write(`${text}\n`);
const rest = (ms) => new Promise((done) => setTimeout(done, ms));
const share = (values, part) => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? null : Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] * 10) / 10;
};

const browser = await chromium.launch({ executablePath: given.chromium, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });

/** A browser as it is after signing in, and nothing in its cache but the cookie. */
const states = new Map();
async function cold(who, size = { width: 1440, height: 900 }) {
  if (!states.has(who)) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${url}/sign-in/`);
    await page.getByLabel(/mail/i).fill(`${who}@demo.local`);
    await page.getByLabel(/password/i).fill(password);
    await page.getByRole('button', { name: /sign in/i }).click();
    await page.waitForURL((to) => !to.pathname.startsWith('/sign-in'));
    states.set(who, await context.storageState());
    await context.close();
  }
  const context = await browser.newContext({ viewport: size, storageState: states.get(who), locale: 'en-GB' });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  return { context, page };
}

/** When so many of a thing are in the page, and the page has drawn and answers again, since its navigation began. */
async function usable(page, selector, count) {
  await page.addInitScript(({ selector, count }) => {
    const look = () => {
      if (document.querySelectorAll(selector).length < count) return void requestAnimationFrame(look);
      requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => { window.usableAt = performance.now(); })));
    };
    requestAnimationFrame(look);
  }, { selector, count });
}
const usableAt = (page) => page.waitForFunction(() => window.usableAt).then((handle) => handle.jsonValue()).then(Math.round);

const startFrames = (page) => page.evaluate(() => {
  const frames = [];
  let last = 0;
  const tick = (at) => {
    if (last > 0) frames.push(at - last);
    last = at;
    window.frameId = requestAnimationFrame(tick);
  };
  window.frames_ = frames;
  window.frameId = requestAnimationFrame(tick);
});
const stopFrames = (page) => page.evaluate(() => {
  cancelAnimationFrame(window.frameId);
  return window.frames_;
});

/** What the page's own thread has worked so far, in ms: unlike the clock it does not count what others had of the machine. */
async function workOf(context, page) {
  const session = await context.newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  return async () => (await session.send('Performance.getMetrics')).metrics.find((one) => one.name === 'TaskDuration').value * 1000;
}

/** From each key until what it changed is on the screen. */
const startTyping = (page) => page.evaluate(() => {
  const taken = [];
  window.typed_ = taken;
  document.addEventListener('keydown', (event) => {
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => taken.push(performance.now() - event.timeStamp);
      channel.port2.postMessage(0);
    });
  }, true);
});
const stopTyping = (page) => page.evaluate(() => window.typed_);

const nodes = (page) => page.evaluate(() => document.querySelectorAll('.react-flow__node').length);
const elements = (page) => page.evaluate(() => document.querySelectorAll('*').length);
const scaleOf = (page) => page.evaluate(() => new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a);

/** A card whose middle is on the canvas, away from its edges. */
const someCard = (page) => page.evaluate(() => {
  const pane = document.querySelector('[data-canvas]').getBoundingClientRect();
  for (const node of document.querySelectorAll('.react-flow__node-step')) {
    const box = node.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const seen = x > pane.x + 120 && x < pane.right - 320 && y > pane.y + 120 && y < pane.bottom - 240;
    if (seen && document.elementFromPoint(x, y)?.closest('.react-flow__node') === node) return { x, y };
  }
  return null;
});

async function drag(page) {
  const at = await someCard(page);
  if (!at) throw new Error('no card to drag');
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x + 6, at.y + 4, { steps: 3 });
  await startFrames(page);
  for (let step = 1; step <= 90; step += 1) {
    await page.mouse.move(at.x + 6 + step * 1.5, at.y + 4 + 40 * Math.sin(step / 12));
    await rest(8);
  }
  const frames = await stopFrames(page);
  await page.mouse.up();
  return frames;
}

async function type(page) {
  const at = await someCard(page);
  await page.mouse.click(at.x, at.y);
  const field = page.getByRole('complementary', { name: 'Form' }).getByRole('textbox', { name: 'Title' });
  await field.click();
  await page.keyboard.press('End');
  await startTyping(page);
  for (const letter of ' is approved by finance first') {
    await page.keyboard.type(letter);
    await rest(60);
  }
  return stopTyping(page);
}

/** From the press on another look until the page is drawn in it: by the clock, and what the page worked. */
async function turnTheme(page, work) {
  const menu = page.getByRole('button', { name: /, your menu$/ });
  const taken = { ms: [], work: [] };
  for (const [name, scheme] of [['Dark', 'dark'], ['Light', 'light'], ['Dark', 'dark'], ['Light', 'light']]) {
    await menu.click();
    await page.getByRole('radio', { name, exact: true }).waitFor({ state: 'attached' });
    await rest(800);
    await page.evaluate((wanted) => {
      window.turnedAfter = undefined;
      document.addEventListener('click', (event) => {
        const look = () => {
          if (document.documentElement.dataset.mantineColorScheme !== wanted) return void requestAnimationFrame(look);
          requestAnimationFrame(() => {
            const channel = new MessageChannel();
            channel.port1.onmessage = () => { window.turnedAfter = performance.now() - event.timeStamp; };
            channel.port2.postMessage(0);
          });
        };
        requestAnimationFrame(look);
      }, { capture: true, once: true });
    }, scheme);
    const before = await work();
    await page.getByText(name, { exact: true }).click();
    taken.ms.push(await page.waitForFunction(() => window.turnedAfter, undefined, { timeout: 30_000 }).then((handle) => handle.jsonValue()));
    taken.work.push((await work()) - before);
    await page.keyboard.press('Escape');
    await rest(800);
  }
  return { ms: share(taken.ms, 0.5), work: share(taken.work, 0.5) };
}

/** Scripts and styles of the first page, packed: the entry and what it imports. */
function bundle(entry) {
  const manifest = JSON.parse(readFileSync(`${build}/.vite/manifest.json`, 'utf8'));
  const seen = new Set();
  const visit = (name) => {
    if (seen.has(name)) return;
    seen.add(name);
    manifest[name]?.imports?.forEach(visit);
  };
  visit(entry);
  const packed = (file) => gzipSync(readFileSync(`${build}/${file}`), { level: 6 }).length;
  return Math.round([...seen].reduce((sum, name) => sum + packed(manifest[name].file), 0) / 100) / 10;
}

const measures = {
  async cold() {
    const { context, page } = await cold('builder');
    await usable(page, '.react-flow__node', 21);
    await page.goto(`${url}/flows/${given.flows.f20}/`, { waitUntil: 'commit' });
    const usable_ms = await usableAt(page);
    await context.close();
    return { usable_ms, main_kb_gz: bundle('src/app/main.tsx') };
  },

  async large() {
    const { context, page } = await cold('builder');
    await usable(page, '.react-flow__node', 501);
    const work = await workOf(context, page);
    const least = await work();
    await page.goto(`${url}/flows/${given.flows.f500}/`, { waitUntil: 'commit' });
    const figures = { fit_usable_ms: await usableAt(page), fit_nodes: await nodes(page), fit_elements: await elements(page), fit_scale: Math.round((await scaleOf(page)) * 1000) / 1000 };
    figures.fit_usable_work_ms = Math.round((await work()) - least);
    await rest(1500);
    const worked = async (prefix, name, act) => {
      const before = await work();
      const values = await act(page);
      figures[`${prefix}_${name}_work_ms`] = Math.round(((await work()) - before) / values.length * 10) / 10;
      figures[`${prefix}_${name}_p95_ms`] = share(values, 0.95);
    };
    await worked('fit', 'drag', drag);
    await worked('fit', 'type', type);
    await rest(1500);
    const turned = await turnTheme(page, work);
    figures.fit_theme_ms = turned.ms;
    figures.fit_theme_work_ms = turned.work;
    // To 100 % with the wheel, as people do; a turn ends when it is drawn.
    const at = await someCard(page);
    await page.mouse.move(at.x, at.y);
    await page.keyboard.down('Control');
    let turns = 0;
    let slowest = 0;
    while ((await scaleOf(page)) < 1 && turns < 80) {
      const before = performance.now();
      await page.mouse.wheel(0, -60);
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      slowest = Math.max(slowest, performance.now() - before);
      turns += 1;
    }
    await page.keyboard.up('Control');
    figures.full_usable_ms = Math.round(slowest);
    await rest(800);
    figures.full_nodes = await nodes(page);
    figures.full_elements = await elements(page);
    figures.full_scale = Math.round((await scaleOf(page)) * 1000) / 1000;
    await worked('full', 'drag', drag);
    await worked('full', 'type', type);
    await context.close();
    return figures;
  },

  async findings() {
    const { context, page } = await cold('builder');
    await usable(page, '.react-flow__node', 2);
    await page.goto(`${url}/flows/${given.flows.f200}/?step=s10`, { waitUntil: 'commit' });
    await usableAt(page);
    await rest(2500);
    const field = page.getByRole('complementary', { name: 'Form' }).getByRole('textbox', { name: 'Title' });
    const count = () => page.evaluate(() => [...document.querySelectorAll('button')].map((one) => one.getAttribute('aria-label') ?? '').find((name) => /^(No|\d+) problems?$/.test(name)));
    const taken = [];
    for (let round = 0; round < 7; round += 1) {
      const before = await count();
      await field.click();
      await page.keyboard.press('Control+A');
      // The time runs in the page, from the input to the changed number of problems on the screen.
      await page.evaluate((was) => {
        window.foundAfter = undefined;
        const name = () => [...document.querySelectorAll('button')].map((one) => one.getAttribute('aria-label') ?? '').find((one) => /^(No|\d+) problems?$/.test(one));
        document.addEventListener('input', (event) => {
          const look = () => (name() !== was && name() !== undefined ? requestAnimationFrame(() => { window.foundAfter = performance.now() - event.timeStamp; }) : requestAnimationFrame(look));
          look();
        }, { capture: true, once: true });
      }, before);
      await page.keyboard.insertText(round % 2 === 0 ? 'x'.repeat(160) : `Step ${round}`);
      taken.push(await page.waitForFunction(() => window.foundAfter, undefined, { timeout: 20_000 }).then((handle) => handle.jsonValue()));
      await rest(700);
    }
    await context.close();
    return { findings_p50_ms: share(taken, 0.5), findings_max_ms: share(taken, 1) };
  },

  async live() {
    const { context, page } = await cold('builder');
    const call = async (path, body) => {
      const answer = await fetch(`${url}/api/v1/${path}`, { method: body ? 'POST' : 'GET', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', 'Idempotency-Key': `bench-${Math.random()}` }, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    const heard = [];
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(JSON.parse(String(payload)))));
    await page.goto(`${url}/flows/`);
    await page.getByRole('navigation').first().waitFor();
    const run = await call(`flows/${given.flows.live}/runs/`, { input: { count: given.items } });
    await page.goto(`${url}/runs/${run.id}/`);
    await page.locator('.react-flow__node').first().waitFor();
    await rest(1000);
    const entries = async () => {
      let found = 0;
      let path = `runs/${run.id}/journal/?limit=200`;
      while (path) {
        const answer = await call(path);
        found += answer.results.length;
        path = answer.next ? answer.next.split('/api/v1/')[1] : null;
      }
      return found;
    };
    let reads = 0;
    page.on('request', (request) => { if (request.url().endsWith(`/api/v1/runs/${run.id}/`)) reads += 1; });
    const work = await workOf(context, page);
    const [first, began, least] = [await entries(), Date.now(), await work()];
    await startFrames(page);
    await rest(given.live_s * 1000);
    const frames = await stopFrames(page);
    const share_of_time = Math.round(((await work()) - least) / (given.live_s * 10));
    const reads_per_s = Math.round((reads / given.live_s) * 10) / 10;
    const [last, ended] = [await entries(), Date.now()];
    for (let tries = 0; tries < 600; tries += 1) {
      if (['completed', 'failed', 'cancelled'].includes((await call(`runs/${run.id}/`)).status)) break;
      await rest(500);
    }
    await rest(1500);
    const whole = await call(`runs/${run.id}/`);
    const shown = await page.locator('.react-flow__node').filter({ hasText: `${given.items} of ${given.items} done` }).count();
    const numbers = heard.map((one) => one.seq);
    const gaps = numbers.filter((seq, at) => at > 0 && seq !== numbers[at - 1] + 1 && seq > numbers[at - 1]).length;
    await context.close();
    return { live_frame_p95_ms: share(frames, 0.95), live_work_percent: share_of_time, live_reads_per_s: reads_per_s, live_events_per_s: Math.round(((last - first) / (ended - began)) * 10_000) / 10, live_messages: heard.length, live_gaps: gaps, live_missed: shown > 0 && whole.status === 'completed' ? 0 : 1, live_status: whole.status };
  },

  async task() {
    const { context, page } = await cold('approver', { width: 360, height: 740 });
    await page.goto(`${url}/inbox/list/`);
    const path = await page.locator('a[href*="/inbox/0"]').first().getAttribute('href');
    await context.close();
    const again = await cold('approver', { width: 360, height: 740 });
    const sent = { html: 0, css: 0, script: 0, blocking: 0 };
    const kinds = new Map();
    const session = await again.context.newCDPSession(again.page);
    await session.send('Network.enable');
    session.on('Network.responseReceived', ({ requestId, type, response }) => kinds.set(requestId, { type, url: response.url }));
    session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const kind = kinds.get(requestId);
      const name = kind?.type === 'Document' ? 'html' : kind?.type === 'Stylesheet' ? 'css' : kind?.type === 'Script' ? 'script' : null;
      if (name) sent[name] += encodedDataLength;
    });
    await session.send('Network.emulateNetworkConditions', { offline: false, latency: 400, downloadThroughput: (400 * 1000) / 8, uploadThroughput: (400 * 1000) / 8 });
    await again.page.addInitScript(() => {
      const look = () => {
        const button = [...document.querySelectorAll('button, input[type=submit]')].find((one) => /approve/i.test(one.textContent || one.value || ''));
        const box = button?.getBoundingClientRect();
        const drawn = performance.getEntriesByName('first-contentful-paint').length > 0;
        if (button && !button.disabled && box.height > 0 && drawn) window.usableAt = performance.now();
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    await again.page.goto(url + path, { waitUntil: 'commit' });
    const decidable_ms = await usableAt(again.page);
    await again.page.waitForLoadState('load');
    await rest(3000);
    const blocking = await again.page.evaluate(() => [...document.querySelectorAll('script[src]')].filter((one) => !one.defer && !one.async && one.type !== 'module').length);
    await again.context.close();
    const kb = (bytes) => Math.round(bytes / 100) / 10;
    return { task_decidable_ms: decidable_ms, task_html_css_kb: kb(sent.html + sent.css), task_script_kb: kb(sent.script), task_blocking_scripts: blocking };
  },
};

const found = {};
for (const name of given.only) {
  const rounds = [];
  for (let round = 0; round < given.rounds; round += 1) {
    const load = Math.round(loadavg()[0] * 100) / 100;
    say(`${name}, round ${round + 1}, load ${load} …`);
    try {
      rounds.push({ ...(await measures[name]()), load_before: load });
      say(`  ${JSON.stringify(rounds.at(-1))}`);
    } catch (error) {
      say(`  ${name} could not be measured: ${error.message.split('\n')[0]}`);
      rounds.push({ load_before: load, failed: error.message.split('\n')[0] });
    }
  }
  found[name] = rounds;
}
await browser.close();
process.stdout.write(JSON.stringify({ browser: browser.version(), found }));
