/** What the server would answer about samples and tests of a flow. */

const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const id = (n: number) => `019a2f3c-7d4e-7a10-8f00-${String(n).padStart(12, '0')}`;
const sample = (n: number, source: string, name: string, more: object = {}) => ({
  id: id(n), source, type: 'webhook', name, run: source === 'run' ? id(n) : null, made_by: 'ada@demo.local', at: ago(n % 50), size: 240, ...more,
});
const SAMPLES = [sample(1401, 'heard', 'JSON, 85 bytes', { made_by: '' }), sample(1402, 'pasted', 'Large vendor'), sample(1403, 'run', '')];
const TRIGGER = { type: 'webhook', id: id(1401), received_at: ago(3), body: { name: 'Acme GmbH', amount: 12_000, iban: 'fp:1f0a93' }, headers: { 'content-type': 'application/json' }, query: {} };

const step = (name: string, title: string, type: string, does: string, more: object = {}) => ({
  id: name, title, type, times: 1, does, outward: false, ports: [], port: 'done', given: [], output: null, ...more,
});
const STEPS = [
  step('clean', 'Read the request', 'map', 'runs', { output: { name: 'Acme GmbH', amount: 12_000 } }),
  step('size', 'Large contract?', 'decide', 'runs', { port: 'large', output: { port: 'large' } }),
  step('approve', 'Finance approves', 'approval', 'asked', { ports: ['approved', 'rejected', 'timeout'], port: 'approved', given: [{ title: 'Approve Acme GmbH', users: ['grace@demo.local'] }], output: { outcome: 'approved' } }),
  step('create', 'Create the vendor', 'http.request', 'answered', { outward: true, ports: ['done', 'error'], given: [{ method: 'POST', url: 'https://erp.example.com/vendors', headers: { Authorization: { secret: 'erp', prefix: 'Bearer ' } } }], output: { status: 200, headers: {}, body: {} } }),
  step('tell', 'Tell the team', 'mail.send', 'answered', { outward: true, times: 3, ports: ['done', 'error'], given: [{ to: 'team@example.com', subject: 'New vendor' }], output: { message_id: '', to: [] } }),
];
const TOLD = {
  kind: 'dry', step: '', hash: 'a'.repeat(64), revision: 4, steps: STEPS, stand_ins: [], reaches: true, error: null, skipped_to: ago(-2880),
  leaves: [{ type: 'mail.send', sent: false, count: 3 }, { type: 'http.request', sent: false, count: 1 }],
};
export const PLAN = { ...TOLD, missing: [], ends: 'completed' };
export const LISTENER = {
  url: `http://127.0.0.1:8000/hooks/-/listen/${'Q7dm'.repeat(8)}`, curl: `BODY='{"hello": "world"}'\ncurl -X POST 'http://127.0.0.1:8000/hooks/-/listen/${'Q7dm'.repeat(8)}' \\\n  --data-binary "$BODY"`,
  until: ago(-9), heard: 2, refused: 1, said: 'The call is not signed: it has no X-Signature header.',
};
export const TESTED = id(1499);

/** What somebody sees who may not see data. */
export const HIDDEN = { ...SAMPLES[0]!, trigger: { type: '•••', body: { name: '•••', amount: '•••' } }, steps: {}, may_see: false };

export const testingAnswers = (flow: string, document: unknown): [string, unknown][] => [
  [`flows/${flow}/samples/`, { results: SAMPLES, may_see: true }],
  ...SAMPLES.map((one): [string, unknown] => [`flows/${flow}/samples/${one.id}/`, { ...one, trigger: TRIGGER, steps: { clean: { output: { name: 'Acme GmbH', amount: 12_000 } } }, may_see: true }]),
  [`flows/${flow}/listen/`, { listener: null }],
  [`flows/${flow}/test-plan/`, PLAN],
  [`POST flows/${flow}/test-runs/`, { status: 201, body: { id: TESTED } }],
  [`runs/${TESTED}/test/`, { ...TOLD, run: TESTED, status: 'completed', document, announced: STEPS.map((one) => one.id) }],
];
