/** What the server would answer, for pages that are looked at in every state. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { requestAnswers } from './requests';
import { CHAT, deliveries, TOLD } from './telling';
import { testingAnswers } from './testing';

export type Answer = { status?: number; body?: unknown } | 'hang' | 'offline';
export type Answers = Record<string, unknown>;

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const ahead = (minutes: number) => ago(-minutes);
const id = (n: number) => `019a2f3c-7d4e-7a10-8f00-${String(n).padStart(12, '0')}`;
const list = (results: unknown[]) => ({ results, next: null, previous: null });

export const LONG =
  'Prüfung und Freigabe aller Lieferantenverträge mit mehrjähriger Laufzeit und außerordentlichen Kündigungsklauseln <b>für</b> die Niederlassungen Nord, Süd und West (vorläufig)';
const UNBROKEN = 'https://api.example.com/v1/'.padEnd(180, 'x');

const RIGHTS = [
  'flow.create', 'people.manage', 'roles.manage', 'tokens.manage', 'settings.manage', 'secrets.manage', 'hosts.manage',
  'audit.view', 'export.read', 'run.operate', 'flow.view', 'flow.edit', 'flow.publish', 'flow.run', 'run.view',
  'run.cancel', 'flow.pause', 'flow.archive', 'flow.grant', 'task.view', 'task.decide', 'request.make',
];

export const me = (rights = RIGHTS, roles = ['admin', 'builder']) => ({
  id: id(1), email: 'ada@demo.local', name: 'Ada Lovelace', theme: 'system', language: '', zone: 'Europe/Berlin',
  workspace: { id: id(900), slug: 'demo', name: 'Demo', zone: 'Europe/Berlin' },
  workspaces: [{ slug: 'demo', name: 'Demo' }, { slug: 'north', name: 'North branch' }], roles, rights, embedded: true,
  needs: Object.fromEntries(RIGHTS.filter((right) => !rights.includes(right)).map((right) => [right, right === 'audit.view' ? ['admin', 'auditor'] : right.endsWith('.view') ? ['admin', 'auditor', 'builder', 'operator', 'viewer'] : ['admin']])),
  admins: ['Grace Hopper'],
});

const person = (n: number, name: string) => ({ id: id(n), name, email: `${name.split(' ')[0]!.toLowerCase()}@demo.local` });
const PEOPLE = [person(1, 'Ada Lovelace'), person(2, 'Grace Hopper'), person(3, 'Edsger Dijkstra'), person(4, 'Katherine Johnson'), person(5, 'Alan Turing')];

export const DOCUMENT = {
  format: 'signalbox.flow/1', name: 'Vendor onboarding',
  trigger: { type: 'webhook', config: { path: 'vendors', signature: { scheme: 'hmac-sha256', secret: 'vendor-portal' } } },
  steps: {
    clean: { type: 'map', version: 1, title: 'Read the request', config: { fields: { name: '= trigger.body.name', amount: '= trigger.body.amount' } } },
    size: { type: 'decide', version: 1, title: 'Large contract?', config: { branches: [{ port: 'large', when: 'trigger.body.amount > 10000' }], otherwise: 'small' } },
    approve: { type: 'approval', version: 1, title: 'Finance approves', config: { title: 'Approve', assignees: { groups: ['finance'], users: [] }, rule: { any: 1 }, due: 'P2D' } },
    create: { type: 'http.request', version: 1, title: 'Create the vendor', config: { method: 'POST', url: 'https://erp.example.com/vendors' } },
    tell: { type: 'mail.send', version: 1, title: 'Tell the requester', config: { to: '= trigger.body.email', subject: 'Done', text: 'Done' } },
    refused: { type: 'stop', version: 1, title: 'Refused', config: { outcome: 'completed', message: 'The vendor was refused' } },
    late: { type: 'stop', version: 1, title: 'Nobody answered', config: { outcome: 'failed', message: 'Nobody decided in time' } },
  },
  links: [
    { from: 'trigger', to: 'clean' }, { from: 'clean', to: 'size' },
    { from: 'size', port: 'large', to: 'approve' }, { from: 'size', port: 'small', to: 'create' },
    { from: 'approve', port: 'approved', to: 'create' }, { from: 'approve', port: 'rejected', to: 'refused' },
    { from: 'approve', port: 'timeout', to: 'late' }, { from: 'create', port: 'done', to: 'tell' },
  ],
  layout: {
    trigger: [0, 160], clean: [304, 160], size: [608, 160], approve: [912, 48], create: [1248, 208], tell: [1552, 208], refused: [1248, 48], late: [1056, 336],
  },
};

const flow = (n: number, name: string, more: Record<string, unknown> = {}) => ({
  id: id(100 + n), name, state: 'active', owner: PEOPLE[n % 5], active_version: n + 1, hash: `sha256:${String(n).repeat(64).slice(0, 64)}`,
  trigger: { type: 'webhook', path: 'vendors' }, updated_at: ago(n * 400 + 3), created_at: ago(90_000), rights: ['view', 'edit', 'publish', 'run', 'pause', 'archive'], ...more,
});
export const FLOWS = [
  flow(0, 'Vendor onboarding'), flow(1, 'Invoice approval over 10,000'), flow(2, 'Access request', { trigger: { type: 'manual' } }),
  flow(3, 'Nightly stock check', { trigger: { type: 'schedule' }, state: 'paused', pause: { at: ago(2900), by: 'Grace Hopper', reason: 'The ledger is closed until Monday', held: 12 } }), flow(4, 'Employee onboarding', { active_version: null }),
  flow(5, 'Refunds', { owner: null }), flow(6, LONG), flow(7, 'Old campaign', { state: 'archived' }),
];

const ERROR = { step: 'create', class: 'permanent', code: 'http_status', message: 'erp.example.com answered 422 where 2xx was expected; check the body of “Create the vendor”.' };
const run = (n: number, status: string, more: Record<string, unknown> = {}) => {
  const over = ['completed', 'failed', 'cancelled'].includes(status);
  return {
    id: id(300 + n), flow: { id: FLOWS[n % 3]!.id, name: FLOWS[n % 3]!.name }, version: 3, status, error: status === 'failed' ? ERROR : null, waiting_for: status === 'paused' ? [{ kind: 'fault', step: '', title: '', until: null, detail: 'it was tried too often.' }] : [],
    trigger: { type: n % 4 === 3 ? 'manual' : 'webhook' }, started_by: n % 4 === 3 ? { name: 'Grace Hopper' } : null,
    started_at: ago(n * n * 7 + 2), finished_at: over ? ago(n * n * 7 + 1.97) : null, duration_ms: over ? 1830 + n * 120 : null, ...more,
  };
};
export const RUNS = ['running', 'waiting', 'completed', 'failed', 'completed', 'queued', 'cancelled', 'paused', 'cancelling', 'completed'].map((status, n) => run(n, status));

const step = (status: string, from: number, ms: number | null, more: Record<string, unknown> = {}) => ({
  status, visits: 1, attempts: 1, input: null, output: null, error: null, started_at: ago(from), finished_at: ms === null ? null : new Date(Date.parse(ago(from)) + ms).toISOString(), port: null, ...more,
});
const SIGNAL = {
  body: { name: 'Acme GmbH', email: 'paula@acme.example', amount: '@@12000.50@@', lines: [{ sku: 'A-1', qty: 2, price: '@@1.10@@' }, { sku: 'B-7', qty: 12, price: '@@990.00@@' }], note: LONG },
  headers: { 'content-type': 'application/json', 'x-signature': 'fingerprint 9f2c…' },
};
export const waitingRun = {
  ...run(1, 'waiting'), trigger_data: SIGNAL,
  waiting_for: [{ kind: 'person', step: 'approve', title: 'Finance approves', until: ahead(2700), detail: '' }],
  steps: {
    clean: step('completed', 20, 3, { input: { fields: 2 }, output: { name: 'Acme GmbH', amount: '@@12000.50@@' }, port: 'done' }),
    size: step('completed', 20, 1, { output: { port: 'large' }, port: 'large' }),
    approve: step('waiting', 20, null, { input: { title: 'Approve Acme GmbH', groups: ['finance'] } }),
  },
  links: [{ from: 'trigger', port: null, to: 'clean', count: 1 }, { from: 'clean', port: 'done', to: 'size', count: 1 }, { from: 'size', port: 'large', to: 'approve', count: 1 }],
};
export const failedRun = {
  ...run(3, 'failed'), trigger_data: SIGNAL,
  steps: {
    ...waitingRun.steps,
    approve: step('completed', 20, 900_000, { output: { outcome: 'approved', by: 'Grace Hopper', comment: 'Fine' }, port: 'approved' }),
    create: step('failed', 4, 8400, { attempts: 3, input: { method: 'POST', url: UNBROKEN, body: { name: 'Acme GmbH' } }, output: { status: 422, body: { error: LONG } }, error: ERROR }),
  },
  links: [...waitingRun.links, { from: 'approve', port: 'approved', to: 'create', count: 1 }],
};
/** A flow that runs another: the run that it waits for, and the one that it is a part of itself. */
const CALLING = {
  ...DOCUMENT, settings: { priority: 'high', concurrency: { max: 5, key: 'trigger.body.customer' }, contract: { input: { type: 'object', required: ['customer', 'lines'], additionalProperties: false, properties: { customer: { type: 'string' }, amount: { type: 'number' }, lines: { type: 'array', items: { type: 'object', required: ['sku'], properties: { sku: { type: 'string', pattern: '^A-' }, qty: { type: 'integer' } } } }, kind: { type: 'string', enum: ['new', 'known'] } } } } },
  steps: { ...DOCUMENT.steps, clean: { type: 'subflow', version: 1, title: 'Check the vendor', config: { flow: FLOWS[1]!.id, version: 'latest', input: { customer: '= trigger.body.name' } } }, tell: { type: 'emit', version: 1, title: 'Tell the others', config: { type: 'vendor.created', subject: '= trigger.body.name', data: { name: '= trigger.body.name' } } } },
};
export const callingRun = {
  ...run(11, 'waiting'), id: id(331), version: 4, trigger_data: SIGNAL, parent: id(304), children: [id(305), id(306)], links: [{ from: 'trigger', port: null, to: 'clean', count: 1 }],
  waiting_for: [{ kind: 'run', step: 'clean', title: 'Check the vendor', since: ago(9), until: null, detail: `Waits for a run of “${FLOWS[1]!.name}”.`, run: id(305) }],
  steps: { clean: step('waiting', 9, null, { input: { run: id(305), flow: FLOWS[1]!.id, version: 'latest', input: { customer: 'Acme GmbH' } } }) },
};
export const heldRun = {
  ...run(13, 'queued'), id: id(333), started_at: null, created_at: ago(14), trigger_data: null, steps: {}, links: [],
  waiting_for: [{ kind: 'limit', step: '', title: '', since: ago(14), until: null, detail: 'Waits for a place: 5 runs of this flow are at work, and no more may be.', holders: [1, 2, 3, 4, 5].map((n) => ({ run: id(300 + n), title: n === 3 ? LONG : `Run of ${n} o’clock` })) }],
};
export const stuckRun = {
  ...run(5, 'running'), id: id(335), trigger_data: SIGNAL, steps: { ...waitingRun.steps, approve: step('retrying', 95, null, { attempts: 3, error: ERROR }) }, links: waitingRun.links,
  stuck: { step: 'approve', since: ago(95), usual_s: 12, cause: { kind: 'retry', step: 'approve', title: 'Finance approves', since: ago(95), until: ahead(20), detail: '', attempt: 3, max_attempts: 6, error: ERROR } },
  waiting_for: [
    { kind: 'retry', step: 'approve', title: 'Finance approves', since: ago(95), until: ahead(20), detail: '', attempt: 3, max_attempts: 6, error: ERROR },
    { kind: 'join', step: 'tell', title: 'Tell the requester', since: ago(40), until: null, detail: '', missing: [{ from: 'create', port: 'done', title: 'Create the vendor' }, { from: 'approve', port: 'approved', title: LONG }] },
  ],
};
export const momentOf = (seq: number) => ({
  seq, last_seq: 12, at: ago(19), type: 'step.started', step: 'approve', status: 'waiting', error: null, steps: waitingRun.steps, links: waitingRun.links,
  waiting_for: [{ kind: 'person', step: 'approve', title: 'Finance approves', since: ago(19), until: ahead(900), missing: [] }],
});
const taker = (what: string, more: Record<string, unknown> = {}) => ({ what, flow: FLOWS[0]!.id, flow_name: FLOWS[0]!.name, run: id(302), step: '', reason: '', ...more });
const event = (n: number, type: string, state: string, takers: unknown[] = [], more: Record<string, unknown> = {}) => ({
  id: id(900 + n), event_id: n % 2 ? id(950 + n) : `shop-${4711 + n}`, type, version: '1', source: n % 2 ? `/flows/${FLOWS[1]!.id}` : 'https://shop.example', subject: n % 3 ? `R-2026-${17 + n}` : '',
  time: ago(n * n * 5 + 1), correlation: id(990), causation: '', depth: 1, flow: n % 2 ? FLOWS[1]!.id : null, flow_name: n % 2 ? FLOWS[1]!.name : '', run: n % 2 ? id(304) : null, step: n % 2 ? 'tell' : '',
  created_at: ago(n * n * 5 + 1), expires_at: ahead(60), state, takers, faults: [], ...more,
});
export const EVENTS = [
  event(0, 'invoice.paid', 'taken', [taker('accepted'), taker('woke', { flow_name: FLOWS[2]!.name, step: 'wait' }), taker('accepted', { flow_name: LONG }), taker('duplicate')]),
  event(1, 'vendor.created', 'waiting'), event(2, 'invoice.disputed', 'refused', [taker('refused', { run: null, reason: 'The event\u2019s data does not fit what the flow takes: “amount” must be a number; it is text.' })]),
  event(3, 'order.shipped', 'expired', [], { subject: LONG }), event(4, 'com.example.erp.procurement.contract-amendment.requested.v3', 'taken', [taker('held', { flow_name: FLOWS[3]!.name })], { source: UNBROKEN }),
  event(5, 'ping', 'refused', [taker('too_deep', { run: null, reason: '32 events led to this one, each caused by the one before; at most 32 in a row start something.' })], { depth: 33, faults: ['“order” is not there.'] }),
];
const JOURNAL = ['run_started', 'token_placed', 'step_entered', 'step_completed', 'step_entered', 'step_completed', 'wait_opened', 'wait_resolved', 'effect_requested', 'effect_failed', 'effect_retried', 'run_failed'].map(
  (type, n) => ({ seq: n + 1, type, step: n > 1 ? ['clean', 'size', 'approve', 'create'][Math.min(3, Math.floor((n - 2) / 2))] : null, at: ago(20 - n), data: { visit: 1, port: 'done' } }),
);

const fact = (label: string, value: unknown) => ({ label, value });
const task = (n: number, title: string, more: Record<string, unknown> = {}) => ({
  id: id(500 + n), run: id(301), flow: { id: FLOWS[0]!.id, name: FLOWS[0]!.name }, status: 'open', title, requester: { name: PEOPLE[(n + 1) % 5]!.name },
  opened_at: ago(60 * n + 12), due: ahead(2700 - n * 900), step: 'approve', outcome: null, outcome_word: '', decided_at: null, decided_by: null, ...more,
});
/** Both can be answered together. */
const BULK = { kind: 'v/approve/1', most: 20, answers: [{ outcome: 'approved', label: 'Approve', side: 'for' }, { outcome: 'rejected', label: 'Reject', side: 'against' }] };
export const TASKS = [task(0, 'Approve Acme GmbH as a vendor', { bulk: BULK, urgency: 'urgent', next: { at: ahead(600), words: 'It goes to Finance instead' } }), task(1, 'Approve invoice 2025-1182, 12,400.00 EUR'), task(2, LONG, { bulk: BULK }), task(3, 'Give Grace access to the ledger', { requester: null, due: null })];
const DONE = [
  task(5, 'Approve Nordwind AG as a vendor', { status: 'decided', outcome: 'approved', outcome_word: 'Approved', decided_at: ago(90), decided_by: { name: 'Ada Lovelace' } }),
  task(6, 'Refund order 8841', { status: 'decided', outcome: 'rejected', outcome_word: 'Rejected', decided_at: ago(900), decided_by: { name: 'Grace Hopper' } }),
  task(7, 'Approve invoice 2025-0977', { status: 'timed_out', decided_at: ago(3000) }),
  task(8, 'Approve Blue Harbor as a vendor', { pending_word: 'Approved', settles_at: ahead(45), undo: 'It goes on 1 hour later. Until then whoever answered can take their answer back.', may_take_back: true, may_decide: false }),
];
export const full = (base: object) => ({
  ...base, seen: 'a'.repeat(64),
  details: 'Acme supplies **printed boxes** to the plant in Kassel.\n\n- Contract for 24 months\n- Payment within 30 days\n\nThe old supplier ends in March.',
  facts: [
    fact('Vendor', 'Acme GmbH'), fact('Amount', '@@12000.50@@'), fact('Currency', 'EUR'), fact('Cost centre', '4711 – Packaging'), fact('New supplier', true),
    fact('Documents', ['offer.pdf', 'register.pdf']), fact('Bank account', null), fact('Note of the requester', LONG),
  ],
  outcomes: ['approved', 'rejected'],
  answers: [
    { outcome: 'approved', label: 'Approve', then: 'It goes on with “Create the vendor”.', side: 'for' },
    { outcome: 'rejected', label: 'Reject', then: 'It ends: the vendor was refused.', side: 'against' },
  ],
  without_answer: 'it ends as “Nobody answered”.', respond_by: ahead(90),
  course: [{ at: ago(30), words: 'A reminder was sent', done: true }, { at: ahead(600), words: 'It goes to Finance instead', done: false }], rule: 'The first answer decides.', assignees: ['Ada Lovelace', 'Grace Hopper'],
  why: 'You are asked as one of “Finance”.', amount: fact('Amount', '@@12000.50@@'),
  similar: [
    { id: id(505), title: 'Approve Nordwind AG as a vendor', word: 'Approved', outcome: 'approved', by: 'Ada Lovelace', at: ago(90), amount: '@@900@@', compared: 'less' },
    { id: id(506), title: LONG, word: 'Rejected', outcome: 'rejected', by: 'Grace Hopper', at: ago(900), amount: null, compared: '' },
  ],
  decisions: 'outcome' in base && base.outcome ? [{ by: 'Ada Lovelace', outcome: base.outcome, word: 'Approved', comment: 'Checked the register.', at: ago(90) }] : [],
  may_decide: true, why_not: null,
});

const entry = (n: number, verb: string, target: { type: string; label: string }, more: Record<string, unknown> = {}) => ({
  id: id(700 + n), hash: 'd'.repeat(64), on_behalf_of: '', details: {}, at: ago(n * n * 11 + 1), actor: { kind: 'person', id: id(1 + (n % 5)), label: `${PEOPLE[n % 5]!.name} (${PEOPLE[n % 5]!.email})` }, verb,
  target: { ...target, id: id(100 + n) }, reason: '', before: {}, after: {}, seal: n > 2 ? 41 - Math.floor(n / 4) : null, correlation_id: id(301), ...more,
});
export const TRAIL = [
  entry(0, 'task.decide', { type: 'task', label: 'Approve Acme GmbH as a vendor' }, { reason: 'Checked the register.', after: { outcome: 'approved', seen: 'aaaaaaaa' } }),
  entry(1, 'flow.publish', { type: 'flow', label: 'Vendor onboarding' }, { reason: 'Limit raised to 10,000', before: { version: 2 }, after: { version: 3 } }),
  entry(2, 'access.denied', { type: 'flow', label: LONG }), entry(3, 'sign_in.success', { type: 'person', label: 'Grace Hopper' }),
  entry(4, 'task.timeout', { type: 'task', label: 'Approve invoice 2025-0977' }, { actor: { kind: 'system', id: '', label: 'system' } }),
  entry(5, 'secret.set', { type: 'secret', label: 'vendor-portal' }), entry(6, 'member.invite', { type: 'person', label: 'edsger@demo.local' }), entry(7, 'run.cancel', { type: 'run', label: 'Vendor onboarding' }, { reason: LONG }),
];

const PLACE = {
  from: '2026-01-01', manager: { id: id(601), name: 'Grace Hopper', email: 'grace@demo.local' }, deputy: { id: id(602), name: LONG, email: 'long@demo.local' }, department: 'Purchasing', zone: 'Europe/Berlin',
};
const MEMBERS = PEOPLE.map((who, n) => ({
  id: id(600 + n), user_id: who.id, email: who.email, name: who.name, roles: [['admin', 'builder'], ['approver'], ['auditor'], ['viewer'], ['builder', 'operator']][n],
  teams: n % 2 ? ['finance'] : [], is_active: n !== 4, last_sign_in_at: n === 3 ? null : ago(n * 900 + 30),
}));

/** Step types of the product itself, so that pictures and forms are the real ones. */
function stepTypes(): unknown {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const python = `${root}/.venv/bin/python`;
  const code = 'import json;from apps.steps.registry import catalogue,triggers;print(json.dumps({"results":[s.as_json() for s in catalogue()],"triggers":[t.as_json() for t in triggers()]}))';
  return JSON.parse(execFileSync(existsSync(python) ? python : 'python3', ['-c', code], { cwd: root, encoding: 'utf8' })) as unknown;
}

const SOUND = { state: 'verified', seal: 41, place: 4, count: 12, steps: 4, sealed_at: ago(4), fingerprint: 'a'.repeat(64), problems: [] };
const BROKEN = { ...SOUND, state: 'altered', problems: [{ code: 'value_changed', message: `The value 'after.limit' of row ${id(602)} of seal 41 was changed.` }] };
const CHECKED = {
  id: id(871), state: 'done', asked_by: 'Ada Lovelace', created_at: ago(3), finished_at: ago(2), error: '',
  result: { intact: true, rows: 1_204_311, seals: 20_441, unsealed: 2, fingerprint: 'a'.repeat(64), seconds: 41.2, checked_at: ago(2), count: 0, problems: [], notes: [] },
};
export const CHECKING = list([{ ...CHECKED, state: 'running', finished_at: null, result: null }, CHECKED]);
export const ALTERED = list([{
  ...CHECKED,
  result: {
    ...CHECKED.result, intact: false, count: 3, notes: ['The search words of 1 rows are not those of their values: a search may miss them.'],
    problems: [
      { code: 'row_changed', message: `Row ${id(601)} of seal 41 was changed.`, seal: 41, row: id(601), entry: { id: id(601), at: ago(90), verb: 'flow.publish', actor: 'ada@demo.local', target: LONG } },
      { code: 'row_missing', message: `Row ${id(699)} of seal 40 was deleted.`, seal: 40, row: id(699), entry: null },
      { code: 'tail_cut', message: 'The checkpoint file knows seals up to 44, the database ends at 41: seals 42 to 44 and their rows were cut, or an older backup was restored.', seal: 42, row: null, entry: null },
    ],
  },
}]);
const pack = (n: number, state: string, result: unknown) => ({
  id: id(n), state, asked_by: 'Ada Lovelace', created_at: ago(n - 870), finished_at: result ? ago(1) : null, error: '', result,
  wanted: { since: '2026-01-01T00:00:00Z', until: '2026-04-01T00:00:00Z', flow: null, lists: ['changes', 'reviews', 'tests', 'access', 'exceptions'] },
});
const destination = (n: number, name: string, more: Record<string, unknown> = {}) => ({
  id: id(n), name, kind: 'http', address: 'https://logs.example.com/trail', secret: '', with_rows: true, with_checkpoints: true, is_paused: false,
  sent: 88_120, behind: 0, behind_since: null, last_sent_at: ago(0.1), failing_since: null, failures: 0, last_error: '', ...more,
});

const builder = (name: string) => ({ id: id(name === 'Ada Lovelace' ? 1 : 2), name, email: `${name.split(' ')[0]!.toLowerCase()}@demo.local` });
const save = (number: number, more: Record<string, unknown> = {}) => ({ number, author: builder('Ada Lovelace'), created_at: ago(600 - number), how: 'saved', restored_from: '', changed: 2, about: ['Large contract?', LONG], is_current: number === 12, ...more });
const side = (what: string, number: number | null, document: unknown) => ({ what, number, author: builder('Ada Lovelace'), at: ago(500), note: '', document });

/** What differs between version 3 and the draft: something of everything. */
export function comparison() {
  const older = structuredClone(DOCUMENT) as { steps: Record<string, Record<string, unknown>>; links: { from: string; to: string }[]; layout?: Record<string, unknown> };
  const [first, second] = Object.keys(older.steps);
  older.steps['told'] = { type: 'mail.send', version: 1, title: 'Tell finance', config: { to: ['finance@example.com'], subject: 'A vendor', text: '' } };
  older.links.push({ from: first!, to: 'told' });
  return {
    before: side('version', 3, older), after: side('draft', 12, DOCUMENT), same: false, moved: [first!],
    groups: [
      { id: `/steps/${second!}/config/due`, title: 'Finance approves', steps: [second!], authors: [builder('Ada Lovelace')], changes: [{ path: `/steps/${second!}/config/due`, became: 'changed', step: second!, text: 'Finance approves: due changed from 2 days to 4 hours' }] },
      { id: '/steps/told', title: 'Tell finance', steps: ['told'], authors: [builder('Grace Hopper'), builder('Ada Lovelace')], changes: [{ path: '/steps/told', became: 'removed', step: 'told', text: '“Tell finance” was removed' }, { path: '/links/x', became: 'removed', step: null, text: `No longer connected: ${LONG} → Tell finance` }] },
    ],
    notes: [{ code: 'approval_removed', severity: 'high', step: null, text: `A new field leaves to api.example.com: trigger.body.iban (“${LONG}”)` }, { code: 'other_approvers', severity: 'note', step: null, text: 'Other people decide “Finance approves”' }],
    authors: [builder('Ada Lovelace'), builder('Grace Hopper')],
  };
}

/** A workspace in use, by path below `/api/v1/`. */
export function fullWorld(): Answers {
  return {
    'me/notifications/': TOLD, 'me/notifications/deliveries/': deliveries(LONG), 'chat/': CHAT, 'chat/deliveries/': deliveries(LONG),
    'me/': me(), 'me/sessions/': list([
      { id: id(801), current: true, created_at: ago(300), last_seen_at: ago(0), user_agent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', ip: '10.2.0.14' },
      { id: id(802), current: false, created_at: ago(9000), last_seen_at: ago(700), user_agent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1', ip: '2001:db8::7' },
    ]),
    'flows/': list(FLOWS), 'runs/latest/': Object.fromEntries<unknown>(FLOWS.slice(0, 5).map((one, n) => [one.id, { id: RUNS[n]!.id, status: RUNS[n]!.status, started_at: RUNS[n]!.started_at }])),
    'flow-examples/': list([
      { slug: 'vendor-onboarding', title: 'Vendor onboarding', description: 'Large contracts are approved by finance, then the vendor is created.', document: DOCUMENT },
      { slug: 'incident-routing', title: 'Incident routing', description: 'New issues go to whoever is on duty.', document: DOCUMENT },
    ]),
    'step-types/': stepTypes(), 'runs/': list(RUNS), 'tasks/count/': { open: TASKS.length },
    'tasks/counts/': { all: TASKS.length, mine: 1, groups: 1000, delegated: 2, overdue: 1 },
    'task-filters/': list([{ id: id(901), name: 'Large vendors', filter: { view: 'groups', search: 'vendor' } }, { id: id(902), name: LONG.slice(0, 60), filter: { view: 'overdue' } }]),
    'questions/': list([]), 'tasks/': list(TASKS), 'tasks/?state=done': list(DONE), 'members/': list(MEMBERS),
    ...Object.fromEntries<unknown>([...TASKS, ...DONE].map((one) => [`tasks/${one.id}/`, full(one)])),
    ...Object.fromEntries(FLOWS.flatMap((one): [string, unknown][] => [
      [`flows/${one.id}/`, one], [`flows/${one.id}/draft/`, DOCUMENT], [`flows/${one.id}/check/`, { findings: [], checked_ms: 3 }],
      [`flows/${one.id}/versions/`, list([{ number: 3, hash: one.hash, author: 'Ada Lovelace', note: 'Limit raised', created_at: ago(500), is_active: true }])],
      [`flows/${one.id}/revisions/`, list([save(12), save(11, { author: builder('Grace Hopper'), how: 'restored', restored_from: 'version 3', about: [] }), save(1, { changed: 0, about: [] })])],
      [`flows/${one.id}/revisions/12/`, { ...save(12), document: DOCUMENT }], [`flows/${one.id}/compare/`, comparison()],
      [`flows/${one.id}/trigger/`, { type: 'webhook', url: 'http://127.0.0.1:8000/hooks/demo/vendors', curl: 'curl -X POST http://127.0.0.1:8000/hooks/demo/vendors', secret: 'vendor-portal', enabled: true, path: 'vendors' }],
      [`flows/${one.id}/deliveries/`, list([])], ...testingAnswers(one.id, DOCUMENT),
      ...[1, 2, 3, 4].map((n): [string, unknown] => [`flows/${one.id}/versions/${n}/`, { number: n, hash: one.hash, author: 'Ada Lovelace', note: '', created_at: ago(500), is_active: n === 3, document: DOCUMENT }]),
      [`flows/${one.id}/grants/`, { grants: [{ subject: { kind: 'team', id: id(651), name: 'Finance' }, rights: ['view', 'run'] }, { subject: { kind: 'user', id: id(3), name: 'Edsger Dijkstra' }, rights: ['view', 'edit'] }] }],
    ])),
    ...Object.fromEntries<unknown>(RUNS.map((one) => [`runs/${one.id}/`, { ...waitingRun, ...one }])),
    [`runs/${waitingRun.id}/`]: waitingRun, [`runs/${failedRun.id}/`]: failedRun,
    [`runs/${waitingRun.id}/journal/`]: list(JOURNAL), [`runs/${failedRun.id}/journal/`]: list(JOURNAL),
    'events/': list(EVENTS), 'event-types/': { types: [...new Set(EVENTS.map((one) => one.type))].sort() },
    ...Object.fromEntries<unknown>(EVENTS.map((one) => [`events/${one.id}/`, { specversion: '1.0', id: one.event_id, type: one.type, source: one.source, data: { order: 7, amount: '@@120.50@@', note: LONG } }])),
    [`flows/${FLOWS[2]!.id}/draft/`]: CALLING, [`flows/${FLOWS[1]!.id}/versions/2/`]: { number: 2, hash: '', author: '', note: '', created_at: ago(500), is_active: true, document: CALLING },
    [`flows/${FLOWS[2]!.id}/versions/4/`]: { number: 4, hash: '', author: '', note: '', created_at: ago(500), is_active: true, document: CALLING },
    [`runs/${failedRun.id}/at/5/`]: momentOf(5), 'operations/stop/': { stopped: false, by: null, reason: null, stopped_at: null },
    'POST runs/pause/': { count: 12 }, 'POST runs/cancel/': { count: 1204 }, 'POST runs/resume/': { count: 0 },
    [`runs/${callingRun.id}/`]: callingRun, [`runs/${heldRun.id}/`]: heldRun, [`runs/${stuckRun.id}/`]: stuckRun,
    'alerts/': { ...list([
      { id: id(851), kind: 'run_failed', title: 'Vendor onboarding fails at “Create the vendor”', body: ERROR.message, flow: FLOWS[0]!.id, run: failedRun.id, count: 14, created_at: ago(9), read_at: null },
      { id: id(853), kind: 'task', title: 'To decide: Approve Blue Harbor as a vendor?', body: 'A decision is put to you.', flow: FLOWS[0]!.id, run: failedRun.id, task: id(90), path: `/inbox/${id(90)}/`, count: 1, created_at: ago(70), read_at: ago(60) },
      { id: id(852), kind: 'run_failed', title: LONG, body: LONG, flow: FLOWS[1]!.id, run: null, count: 1, created_at: ago(2000), read_at: ago(1000) },
    ]), unread: 1 },
    ...Object.fromEntries<unknown>(TRAIL.map((one, n) => [`audit/${one.id}/check/`, n === 2 ? BROKEN : { ...SOUND, seal: 41 }])),
    'audit/checks/': list([CHECKED, { ...CHECKED, id: id(872), created_at: ago(2900) }]),
    'audit/evidence/': list([
      pack(881, 'done', { name: 'evidence-demo-20260101-20260401.zip', bytes: 48211, sha256: 'd'.repeat(64), lists: { changes: 212, reviews: 1840, tests: 12, access: 96, exceptions: 31 }, versions: 9 }),
      pack(882, 'running', null), { ...pack(883, 'failed', null), error: 'The flow that the pack is about is not there any more.', wanted: { since: ago(90_000), until: ago(0), flow: { id: FLOWS[6]!.id, name: LONG }, lists: ['changes'] } },
    ]),
    'audit/destinations/': list([
      destination(891, 'Company log', { kind: 'syslog_tls', address: 'logs.example.com:6514' }),
      destination(892, 'Archive', { behind: 12, behind_since: ago(9), failing_since: ago(8), failures: 7, last_error: 'The receiver answered 503 where 200 to 299 says that it took the lines.', address: UNBROKEN }),
      destination(893, LONG.slice(0, 100), { is_paused: true, last_sent_at: null, sent: 0 }),
    ]),
    'audit/': list(TRAIL), 'audit/seals/': list([{ number: 41, at: ago(4), count: 12, hash: 'c'.repeat(64) }]),
    'invitations/': list([{ id: id(661), email: 'barbara@example.com', roles: ['auditor'], created_at: ago(60), expires_at: ahead(9000) }]),
    'teams/': list([{ id: id(651), slug: 'finance', name: 'Finance', kind: 'team' }, { id: id(652), slug: 'it', name: LONG, kind: 'team' }]),
    'secrets/': list([
      { name: 'vendor-portal', hosts: [], updated_at: ago(90), updated_by: 'Ada Lovelace', has_previous: true },
      { name: 'erp', hosts: ['erp.example.com', 'erp-standby.example.com'], updated_at: ago(90_000), updated_by: 'Grace Hopper', has_previous: false },
    ]),
    'tokens/': list([
      { id: id(681), name: 'Nightly export', prefix: 'sb_live_a1', owner: 'ada@demo.local', scopes: ['export.read'], created_at: ago(9000), expires_at: ahead(90_000), last_used_at: ago(300) },
      { id: id(682), name: LONG, prefix: 'sb_live_b2', owner: 'grace@demo.local', scopes: null, created_at: ago(9000), expires_at: null, last_used_at: null },
    ]),
    ...requestAnswers,
    'colleagues/': { results: [{ id: id(601), name: 'Grace Hopper', email: 'grace@demo.local' }, { id: id(602), name: LONG, email: 'long@demo.local' }], next: null, previous: null },
    'delegations/': list([
      { id: id(695), person: { id: id(603), name: 'Ada Lovelace', email: 'ada@demo.local' }, to: { id: id(601), name: 'Grace Hopper', email: 'grace@demo.local' }, begins_at: ago(60), ends_at: ahead(9000), kinds: ['approval'], flows: [{ id: FLOWS[1]!.id, name: LONG }], amount_label: 'Amount', amount_limit: '1000.000000', without_high_risk: true, reason: 'On leave' },
      { id: id(696), person: { id: id(602), name: LONG, email: 'long@demo.local' }, to: null, begins_at: ago(60), ends_at: ahead(9000), kinds: [], flows: [], amount_label: '', amount_limit: null, without_high_risk: false, reason: '' },
    ]),
    ...Object.fromEntries<unknown>(MEMBERS.flatMap(({ id: member }): [string, unknown][] => [
      [`members/${member}/place/`, { language: '', today: '2026-03-02', on: PLACE, history: [{ ...PLACE, from: '2024-01-01', manager: null }, PLACE] }],
      [`members/${member}/belongings/`, {
        flows: [{ id: FLOWS[0]!.id, name: 'Vendor onboarding', state: 'active', is_scheduled: true }], tasks: [{ id: id(611), title: LONG, problem: '' }, { id: id(612), title: 'Approve', problem: 'Grace Hopper may not decide this.' }],
        grants: [], tokens: ['Nightly export'], teams: ['Finance'], manager_of: ['Grace Hopper'], deputy_of: [], delegations: 1,
      }],
    ])),
    'calendar/': {
      zone: 'Europe/Vienna',
      hours: [0, 1, 2, 3, 4].map((day) => (day < 4 ? [{ from: '08:30', to: '12:00' }, { from: '13:00', to: '17:30' }] : [{ from: '08:30', to: '14:00' }])).concat([[], []]),
      holidays: [{ date: '2026-12-25', name: 'Christmas Day' }, { date: '2027-01-01', name: 'New Year' }],
    },
    'allowed-hosts/': list([{ id: id(691), host: '127.0.0.1', port: 9000, reason: 'The test receiver on this machine', created_at: ago(800) }]),
  };
}

export const EMPTY = list([]);
export const ids = { flow: FLOWS[0]!.id, waiting: waitingRun.id, failed: failedRun.id, task: TASKS[0]!.id, long: TASKS[2]!.id, done: DONE[0]!.id, late: DONE[2]!.id, undone: DONE[3]!.id, entry: TRAIL[1]!.id, altered: TRAIL[2]!.id, event: EVENTS[0]!.id, refused: EVENTS[2]!.id, caller: FLOWS[2]!.id, calling: callingRun.id, held: heldRun.id, stuck: stuckRun.id };

/** `"@@1.10@@"` stands for the number as written, which a JavaScript number would lose. */
export const asJson = (body: unknown): string => JSON.stringify(body ?? null).replaceAll(/"@@([^"]*)@@"/g, '$1');
