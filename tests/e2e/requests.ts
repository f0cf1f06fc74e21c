/** What can be asked for, and what was asked for, for pages without a server behind them. */
const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const id = (n: number) => `019a2f3c-0000-7000-8000-${String(n).padStart(12, '0')}`;
const LONG = 'Anschaffung von Arbeitsplatzausstattung einschließlich höhenverstellbarer Schreibtische, Bildschirme und Zubehör <b>für</b> alle Niederlassungen (vorläufig)';

export const requestIds = { form: id(950), other: id(951), waiting: id(960), done: id(961), withdrawn: id(962) };

const FILE = { id: id(980), name: 'Angebot Büroausstattung (verbindlich bis Jahresende).pdf', type: 'application/pdf', size: 1_432_000, sha256: 'c'.repeat(64) };
const FORM = {
  type: 'object',
  'x-order': ['what', 'kind', 'price', 'by', 'lines', 'extras', 'why', 'offers', 'urgent'],
  properties: {
    what: { type: 'string', title: 'What do you need?', description: 'As the shop calls it.', maxLength: 80 },
    kind: { type: 'string', title: 'Kind', enum: ['Furniture', 'Device', 'Software'] },
    price: { type: 'number', title: 'Price in euros', 'x-widget': 'amount', minimum: 0 },
    by: { type: 'string', title: 'Needed by', format: 'date' },
    lines: { type: 'array', title: 'Items', items: { type: 'object', 'x-order': ['item', 'count'], properties: { item: { type: 'string', title: 'Item' }, count: { type: 'integer', title: 'Count' } }, required: ['item'] } },
    extras: { type: 'array', title: 'Extras', items: { type: 'string', enum: ['Delivery', 'Assembly'] }, uniqueItems: true },
    why: { type: 'string', title: 'Why is it needed?', 'x-widget': 'text' },
    offers: { type: 'array', title: 'Offers', description: 'PDF or pictures', 'x-widget': 'files', 'x-accept': ['pdf', 'image'], maxItems: 3, items: { type: 'object' } },
    urgent: { type: 'boolean', title: 'It is urgent' },
  },
  required: ['what', 'price'],
  allOf: [{ if: { properties: { price: { type: 'number', minimum: 100 } }, required: ['price'] }, then: { required: ['why'] }, else: { properties: { why: false } } }],
};
/** The trigger of a flow that asks by the same form. */
export const BUILT = { type: 'form', config: { text: 'For everything that costs money.', open_to: 'members', form: FORM } };
const form = (more: Record<string, unknown> = {}): Record<string, unknown> => ({
  flow: { id: requestIds.form, name: 'Buy something' }, text: 'For everything that costs money. Finance answers within two days.', is_paused: false,
  open_to: 'members', form: FORM, form_hash: 'a'.repeat(64), draft: null, ...more,
});
export const EMPTY_FORM = form({ text: '', form: { type: 'object', properties: { what: { type: 'string', title: 'What' } } } });
export const FILLED = form({ draft: { id: id(970), answers: { what: LONG.slice(0, 70), kind: 'Furniture', price: 420, lines: [{ item: LONG, count: 2 }, { item: 'Lamp', count: 1 }], extras: ['Delivery'], why: 'The old one is broken.', offers: [FILE] }, is_stale: false, updated_at: ago(20) } });
export const STALE = form({ is_paused: true, draft: { ...(FILLED['draft'] as object), is_stale: true } });

const request = (n: string, name: string, progress: Record<string, unknown>, answered: unknown[] = []) => ({
  id: n, flow: { id: requestIds.form, name }, created_at: ago(600), answered, questions: [] as unknown[],
  progress: { state: 'waiting', said: 'It waits for an answer: Finance.', who: ['Finance'], since: ago(590), until: ago(-1440), may_withdraw: true, ...progress },
});
const DONE = request(requestIds.done, LONG, { state: 'done', said: 'Done.', who: [], since: ago(30), until: null, may_withdraw: false }, [
  { title: 'Buy a desk for the branch in the north', word: 'Approved', by: ['Grace Hopper'], comments: [`Fine, but ${LONG}`], at: ago(40) },
]);
const ALL = [
  request(requestIds.waiting, 'Buy something', {}),
  DONE,
  request(requestIds.withdrawn, 'Buy something', { state: 'withdrawn', said: 'You have withdrawn it.', who: [], until: null, may_withdraw: false }),
];
const ANSWERS = [
  { name: 'what', label: 'What do you need?', kind: 'text', value: LONG },
  { name: 'price', label: 'Price in euros', kind: 'amount', value: 420 },
  { name: 'lines', label: 'Items', kind: 'table', value: [{ Item: 'Desk', Count: 2 }, { Item: LONG, Count: 1 }] },
  { name: 'offers', label: 'Offers', kind: 'files', value: [FILE] },
  { name: 'urgent', label: 'It is urgent', kind: 'yes_no', value: true },
];
export const ASKED = { ...request(requestIds.waiting, 'Buy something', { said: 'Grace Hopper asks you something; it goes on with your answer.', who: ['You'], until: null }), questions: [{ id: id(985), by: 'Grace Hopper', text: `Which of these is meant? ${LONG}`, at: ago(5) }], answers: [], form_hash: 'a', version_hash: 'b' };
const whole = (one: object) => ({ ...one, answers: ANSWERS, form_hash: 'a'.repeat(64), version_hash: 'b'.repeat(64) });

export const requestAnswers: Record<string, unknown> = {
  'request-forms/': { results: [
    { flow: { id: requestIds.form, name: 'Buy something' }, text: 'For everything that costs money. Finance answers within two days.', is_paused: false, draft_at: ago(20) },
    { flow: { id: requestIds.other, name: LONG }, text: LONG, is_paused: true, draft_at: null },
  ] },
  [`request-forms/${requestIds.form}/`]: FILLED,
  [`PUT request-forms/${requestIds.form}/draft/`]: FILLED['draft'],
  'requests/': { results: ALL, next: null, previous: null },
  ...Object.fromEntries(ALL.map((one) => [`requests/${one.id}/`, whole(one)])),
};
/** The same form at a task, where no files are attached. */
export const TASK_FORM = {
  form: { ...FORM, properties: Object.fromEntries(Object.entries(FORM.properties).filter(([name]) => name !== 'offers')) },
  form_hash: 'a'.repeat(64), needed_for: ['approved'], initial: { what: LONG.slice(0, 70), price: 420, lines: [{ item: 'Desk', count: 2 }] }, draft: null,
};
/** What the person is asked to put right, as the request and as the task say it. */
export const TO_CORRECT = { ...whole(request(requestIds.waiting, 'Buy something', { said: 'You are asked to fill something in: “Please correct your request”. It goes on when you have.', who: ['You'] })), to_fill_in: [{ task: id(986), title: LONG, at: ago(30), until: ago(-2880) }] };
export const CORRECTION = {
  kind: 'fill_in', title: 'Please correct your request', form: { ...TASK_FORM, needed_for: ['submitted'] }, rule: '', outcomes: ['submitted'], amount: null, similar: [], assignees: ['Ada Lovelace'],
  answers: [{ outcome: 'submitted', label: 'Submit', then: 'Next: Finance approves.', side: 'for' }], facts: [{ label: 'Sent back because', value: 'The price lacks the delivery.' }],
};
export const REFUSED = { status: 422, body: { status: 422, title: 'Answers refused', code: 'answers_refused', detail: 'Some answers do not fit; each says what is expected.', errors: [{ path: 'what', message: 'It must have 60 characters at most.' }, { path: 'lines.0.count', message: 'It must be 1 or more.' }] } };
export const CHANGED = { status: 409, body: { status: 409, title: 'Form changed', code: 'form_changed', detail: 'The form was changed while you filled it in. Open it again: what you have filled in is kept where the questions are the same.' } };
