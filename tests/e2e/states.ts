import { ALTERED, CHECKING, comparison, DOCUMENT, EMPTY, full, ids, LONG, me, stuckRun, TASKS, waitingRun } from './world';
import { ASKED as ASKED_BACK, BUILT, CHANGED, CORRECTION, EMPTY_FORM, REFUSED, requestIds, STALE, TASK_FORM, TO_CORRECT } from './requests';
import { UNTOLD } from './telling';
import { HIDDEN, LISTENER } from './testing';
import type { Answers } from './world';

/** A page in a state. `answers` replace those of a workspace in use; `act` brings the page into the state. */
export interface PageState {
  /** A route of `frontend/src/app/router.tsx`, as written there. */
  route: string;
  state: string;
  path: string;
  answers?: Answers;
  /** Accessible names of buttons or links to press, in order. */
  press?: string[];
  /** Names of boxes to tick, before that. */
  tick?: string[];
  /** What a tab that was closed has kept in this browser, by its key. */
  kept?: Record<string, unknown>;
  offline?: boolean;
  /** Text that has to be there before the picture is taken. */
  shows: string;
}

const fails = { status: 500, body: { title: 'Error', status: 500, detail: 'The database did not answer. Try again in a moment.', code: 'unavailable' } };
const denied = { status: 403, body: { title: 'Forbidden', status: 403, detail: 'Your role does not allow this. An administrator can change that.', code: 'forbidden' } };
const gone = { status: 404, body: { title: 'Not found', status: 404, detail: 'There is no such flow.', code: 'not_found' } };

/** What the server says of a flow in words. */
const EXPLAINED = {
  hash: 'a'.repeat(64), language: 'en', name: 'Vendor onboarding',
  summary: ['“Vendor onboarding” starts when a call comes to the address “/vendors”.', 'It has 7 steps.', '“Finance approves” is decided by the group “finance”.', 'Data leaves to erp.example.com.'],
  steps: [
    { id: 'clean', number: 1, title: 'Read the request', kind: 'Map', depth: 0, does: 'Makes these values: amount and name.', then: ['Then “Large contract?”.'] },
    { id: 'size', number: 2, title: 'Large contract?', kind: 'Decide', depth: 0, does: 'Takes the first way that fits: by “large” if amount > 10000; otherwise by “small”.', then: ['By “large”: “Finance approves”.', 'By “small”: “Create the vendor”.'] },
  ],
  deciding: [{ step: 'approve', title: 'Finance approves', who: 'the group “finance”', how: ['The first answer decides.', 'Time to answer: 2 days; afterwards nobody is asked any more.'] }],
  leaving: [{ step: 'create', title: 'Create the vendor', how: 'Send HTTP request', to: 'erp.example.com', fields: ['trigger.body.name'], secrets: ['erp'] }],
};

/** Somebody else has saved another approval meanwhile, where this person takes it away. */
const DRAFT = `flows/${ids.flow}/draft/`;
const theirs = structuredClone(DOCUMENT) as unknown as { steps: Record<string, { title: string; config: Record<string, unknown> }> };
Object.assign(theirs.steps['approve']!, { title: 'The board approves', config: { ...theirs.steps['approve']!.config, due: 'PT4H' } });
const MEANWHILE = {
  [DRAFT]: { until_written: DOCUMENT, then: theirs },
  [`PUT ${DRAFT}`]: { status: 412, body: { status: 412, title: 'Precondition failed', code: 'precondition_failed', detail: 'Grace Hopper has saved this flow meanwhile.', updated_by: { id: 'u2', name: 'Grace Hopper' } } },
};
/** Work of a tab that was closed before it could be saved. */
const LEFT = { user: me().id, flow: ids.flow, tab: 'closed', revision: 1, base: DOCUMENT, mine: { ...DOCUMENT, name: 'Vendors' }, at: Date.now() - 3_600_000 };
const notSaved = (answer: unknown) => ({ [`PUT ${DRAFT}`]: answer });

/** What would become of several tasks that are answered together. */
const BULK_LINES = {
  results: [
    { task: ids.task, title: 'Approve Acme GmbH as a vendor', requester: 'Grace Hopper', amount: { label: 'Amount', value: 1200 }, seen: 'a'.repeat(64), then: 'Next: Create the vendor.', problem: '', code: '' },
    { task: ids.long, title: LONG, requester: '', amount: null, seen: 'b'.repeat(64), then: '', problem: '“Amount” is not below 5000; answer this one alone.', code: 'over_limit' },
  ],
};

const SAME = { ...comparison(), same: true, groups: [], notes: [], authors: [], moved: [] };

const when = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
const ASKED = [
  { id: ids.done, step: 'approve', status: 'decided', title: 'Approve Acme GmbH', stage_name: 'Stage 1 of 2', outcome_word: 'Approved', decided_by: 'Grace Hopper', ended_at: when(30), has_evidence: true },
  { id: ids.late, step: 'approve', status: 'timed_out', title: LONG, stage_name: '', outcome_word: '', decided_by: '', ended_at: when(20), has_evidence: true },
];
const CHANGED_RIGHTS = [
  { id: ids.entry, at: when(60), verb: 'flow.grant', subject: 'Finance', before: 'view', after: 'edit, view', by: 'ada@demo.local', reason: '' },
  { id: ids.altered, at: when(90_000), verb: 'member.deactivate', subject: LONG, before: 'active: yes', after: 'active: no', by: 'ada@demo.local', reason: LONG },
];

export const STATES: PageState[] = [
  { route: '/', state: 'leads to the flows', path: '/', shows: 'Vendor onboarding' },
  { route: '*', state: 'not found', path: '/nowhere/', shows: 'Nothing here' },

  { route: '/flows/', state: 'full', path: '/flows/', shows: 'Vendor onboarding' },
  { route: '/flows/', state: 'first use', path: '/flows/', answers: { 'flows/': EMPTY }, shows: 'Flows do the routine work' },
  { route: '/flows/', state: 'nothing matches', path: '/flows/?search=zzz', answers: { 'flows/': EMPTY }, shows: 'No flow matches' },
  { route: '/flows/', state: 'loading', path: '/flows/', answers: { 'flows/': 'hang' }, shows: 'Flows' },
  { route: '/flows/', state: 'error', path: '/flows/', answers: { 'flows/': fails }, shows: 'This did not work' },
  { route: '/flows/', state: 'no connection', path: '/flows/', answers: { 'flows/': 'offline' }, shows: 'No connection to the server' },
  { route: '/flows/', state: 'new', path: '/flows/?new=example', shows: 'Incident routing' },
  { route: '/flows/', state: 'tour', path: '/flows/', press: ['Take the tour'], shows: 'Step 1 of 4' },
  { route: '/flows/', state: 'menu', path: '/flows/', press: ['Actions for Vendor onboarding'], shows: 'Archive' },
  { route: '/flows/', state: 'alerts', path: '/flows/', press: ['Alerts, 1 new'], shows: '14 times' },
  { route: '/flows/', state: 'person', path: '/flows/', press: ['Ada Lovelace, your menu'], shows: 'Sign out' },
  { route: '/flows/', state: 'search', path: '/flows/', press: ['Search flows, runs, pages'], shows: 'Access request' },
  { route: '/flows/$flowId', state: 'not found', path: '/flows/019a2f3c-0000-7000-8000-000000000000/', answers: { 'flows/019a2f3c-0000-7000-8000-000000000000/': gone }, shows: 'Nothing here' },
  { route: '/flows/$flowId', state: 'paused', path: `/flows/${ids.flow.slice(0, -1)}3/runs/`, shows: '12 signals are held' },
  { route: '/flows/$flowId/', state: 'editor', path: `/flows/${ids.flow}/`, shows: 'Vendor onboarding' },
  { route: '/flows/$flowId/', state: 'work of a closed tab', path: `/flows/${ids.flow}/`, kept: { [`${LEFT.user}/${LEFT.flow}/${LEFT.tab}`]: LEFT }, shows: 'were never saved' },
  { route: '/flows/$flowId/', state: 'samples', path: `/flows/${ids.flow}/`, press: ['Samples'], shows: 'Large vendor' },
  { route: '/flows/$flowId/', state: 'no sample', path: `/flows/${ids.flow}/`, press: ['Samples'], answers: { [`flows/${ids.flow}/samples/`]: { results: [], may_see: true } }, shows: 'No sample yet' },
  { route: '/flows/$flowId/', state: 'values hidden', path: `/flows/${ids.flow}/`, press: ['Samples'], answers: { [`flows/${ids.flow}/samples/${HIDDEN.id}/`]: HIDDEN }, shows: 'not what is in them' },
  { route: '/flows/$flowId/', state: 'samples failed', path: `/flows/${ids.flow}/`, press: ['Samples'], answers: { [`flows/${ids.flow}/samples/`]: fails }, shows: 'This did not work' },
  { route: '/flows/$flowId/', state: 'listens', path: `/flows/${ids.flow}/`, press: ['Samples'], answers: { [`flows/${ids.flow}/listen/`]: { listener: LISTENER } }, shows: '2 calls arrived' },
  { route: '/flows/$flowId/', state: 'pastes a sample', path: `/flows/${ids.flow}/`, press: ['Samples', 'Paste a sample'], shows: 'What the flow is started with' },
  { route: '/flows/$flowId/', state: 'what a test does', path: `/flows/${ids.flow}/`, press: ['Try out'], shows: '5 steps will run' },
  { route: '/flows/$flowId/', state: 'what a test did', path: `/flows/${ids.flow}/`, press: ['Try out', 'Run all of it, dry'], shows: 'Would send 3 mails and 1 request' },
  { route: '/flows/$flowId/', state: 'cannot be tried', path: `/flows/${ids.flow}/`, press: ['Try out'], answers: { [`flows/${ids.flow}/test-plan/`]: { status: 422, body: { status: 422, title: 'Has errors', code: 'has_errors', detail: 'This cannot be tried out yet. “Create the vendor” needs an address.' } } }, shows: 'needs an address' },
  { route: '/flows/$flowId/', state: 'import', path: `/flows/${ids.flow}/`, press: ['More for this flow', 'Import a flow'], shows: 'Choose a file' },
  { route: '/flows/$flowId/', state: 'merge', path: `/flows/${ids.flow}/?step=approve`, press: ['Delete'], answers: MEANWHILE, shows: 'changed by both' },
  { route: '/flows/$flowId/', state: 'not saved, no connection', path: `/flows/${ids.flow}/?step=approve`, press: ['Delete'], answers: notSaved('offline'), shows: 'kept in this browser' },
  { route: '/flows/$flowId/', state: 'not saved, signed out', path: `/flows/${ids.flow}/?step=approve`, press: ['Delete'], answers: notSaved({ status: 401, body: { status: 401, title: 'Unauthorized', code: 'not_authenticated', detail: 'Sign in.' } }), shows: 'You are signed out.' },
  { route: '/flows/$flowId/', state: 'what an answer gives', path: `/flows/${ids.flow}/`, press: ['Try out', 'Set what it gives: Create the vendor'], shows: 'Use this' },
  { route: '/flows/$flowId/', state: 'what it takes', path: `/flows/${ids.caller}/`, shows: 'Check the vendor' },
  { route: '/flows/$flowId/', state: 'runs another', path: `/flows/${ids.caller}/?step=clean`, shows: 'amount' },
  { route: '/flows/$flowId/', state: 'tells of an event', path: `/flows/${ids.caller}/?step=tell`, shows: 'Type of event' },
  { route: '/flows/$flowId/', state: 'a condition', path: `/flows/${ids.flow}/?step=size`, shows: 'Add condition' },
  { route: '/flows/$flowId/', state: 'a form is built', path: `/flows/${ids.flow}/?step=trigger`, answers: { [`flows/${ids.flow}/draft/`]: { ...DOCUMENT, trigger: BUILT } }, shows: 'How it looks' },
  { route: '/flows/$flowId/', state: 'maps', path: `/flows/${ids.flow}/?step=clean`, press: ['Map side by side'], shows: 'Drop a value here' },
  { route: '/flows/$flowId/', state: 'explains', path: `/flows/${ids.flow}/`, press: ['Explain'], answers: { [`flows/${ids.flow}/explain/`]: EXPLAINED }, shows: 'Page to print' },
  { route: '/flows/$flowId/', state: 'explanation failed', path: `/flows/${ids.flow}/`, press: ['Explain'], answers: { [`flows/${ids.flow}/explain/`]: fails }, shows: 'could not be explained' },
  { route: '/flows/$flowId/', state: 'a save', path: `/flows/${ids.flow}/?revision=12`, shows: 'Save 12 of the draft' },
  { route: '/flows/$flowId/', state: 'a version', path: `/flows/${ids.flow}/?version=3`, shows: 'Compare with the draft' },
  { route: '/flows/$flowId/', state: 'a save that is gone', path: `/flows/${ids.flow}/?revision=4`, shows: 'Nothing here' },
  { route: '/flows/$flowId/', state: 'publish', path: `/flows/${ids.flow}/`, press: ['Publish'], shows: '“Tell finance” was removed' },
  { route: '/flows/$flowId/', state: 'saves', path: `/flows/${ids.flow}/`, press: ['Versions'], shows: 'Restored from version 3' },
  { route: '/flows/$flowId/', state: 'restore', path: `/flows/${ids.flow}/`, press: ['Versions', 'Restore'], shows: 'Nothing is published by it' },
  { route: '/flows/$flowId/compare/', state: 'full', path: `/flows/${ids.flow}/compare/`, shows: 'Finance approves: due changed' },
  { route: '/flows/$flowId/compare/', state: 'nothing differs', path: `/flows/${ids.flow}/compare/`, answers: { [`flows/${ids.flow}/compare/`]: SAME }, shows: 'Both do the same' },
  { route: '/flows/$flowId/compare/', state: 'not found', path: `/flows/${ids.flow}/compare/?from=99`, answers: { [`flows/${ids.flow}/compare/`]: gone }, shows: 'Nothing here' },
  { route: '/flows/$flowId/compare/', state: 'error', path: `/flows/${ids.flow}/compare/`, answers: { [`flows/${ids.flow}/compare/`]: fails }, shows: 'This did not work' },
  { route: '/flows/$flowId/compare/', state: 'no connection', path: `/flows/${ids.flow}/compare/`, answers: { [`flows/${ids.flow}/compare/`]: 'offline' }, shows: 'No connection to the server' },
  { route: '/flows/$flowId/runs/', state: 'full', path: `/flows/${ids.flow}/runs/`, shows: 'Completed' },
  { route: '/flows/$flowId/runs/', state: 'first use', path: `/flows/${ids.flow}/runs/`, answers: { 'runs/': EMPTY }, shows: 'No run yet' },
  { route: '/flows/$flowId/access/', state: 'full', path: `/flows/${ids.flow}/access/`, shows: 'Edsger Dijkstra' },
  { route: '/flows/$flowId/access/', state: 'an auditor', path: `/flows/${ids.flow}/access/`, answers: { 'me/': me(['flow.view', 'run.view', 'task.view', 'audit.view', 'export.read'], ['auditor']), [`flows/${ids.flow}/access-changes/`]: { results: CHANGED_RIGHTS, next: null, previous: null } }, shows: 'Whose rights changed' },
  { route: '/flows/$flowId/access/', state: 'no rights changed', path: `/flows/${ids.flow}/access/`, answers: { [`flows/${ids.flow}/access-changes/`]: { results: [], next: null, previous: null } }, shows: 'Nobody’s rights changed' },
  { route: '/flows/$flowId/access/', state: 'no right', path: `/flows/${ids.flow}/access/`, answers: { [`flows/${ids.flow}/grants/`]: denied }, shows: 'You cannot open this' },

  { route: '/runs/', state: 'full', path: '/runs/', shows: 'Completed' },
  { route: '/runs/', state: 'filtered', path: '/runs/?status=failed&from=day', shows: 'Status: Failed' },
  { route: '/runs/', state: 'first use', path: '/runs/', answers: { 'runs/': EMPTY }, shows: 'No run yet' },
  { route: '/runs/', state: 'nothing matches', path: '/runs/?status=failed', answers: { 'runs/': EMPTY }, shows: 'No run matches' },
  { route: '/runs/', state: 'no right', path: '/runs/', answers: { 'me/': me(['task.view', 'task.decide'], ['approver']) }, shows: 'Ask Grace Hopper' },
  { route: '/runs/$runId/', state: 'waiting', path: `/runs/${ids.waiting}/`, shows: 'Finance approves' },
  { route: '/runs/$runId/', state: 'failed', path: `/runs/${ids.failed}/?step=create`, shows: 'What went wrong' },
  { route: '/runs/$runId/', state: 'trigger', path: `/runs/${ids.failed}/?step=trigger`, shows: 'What came in' },
  { route: '/runs/$runId/', state: 'journal', path: `/runs/${ids.failed}/?tab=journal&step=create`, shows: 'Only this step' },
  { route: '/runs/$runId/', state: 'cancel', path: `/runs/${ids.waiting}/`, press: ['Cancel run'], shows: 'Cancel this run?' },
  { route: '/runs/$runId/', state: 'decided by people', path: `/runs/${ids.failed}/?step=approve`, answers: { [`runs/${ids.failed}/tasks/`]: { results: ASKED, next: null, previous: null } }, shows: 'Approve Acme GmbH (Stage 1 of 2): Approved by Grace Hopper. Evidence' },
  { route: '/runs/$runId/', state: 'not found', path: '/runs/019a2f3c-0000-7000-8000-000000000000/', answers: { 'runs/019a2f3c-0000-7000-8000-000000000000/': gone }, shows: 'Nothing here' },

  { route: '/runs/$runId/', state: 'runs another', path: `/runs/${ids.calling}/`, shows: 'Started 2 runs' },
  { route: '/runs/$runId/', state: 'held by a limit', path: `/runs/${ids.held}/`, shows: 'Waits for a place' },
  { route: '/runs/$runId/', state: 'stuck', path: `/runs/${ids.stuck}/`, shows: 'No progress since' },
  { route: '/runs/$runId/', state: 'as it was', path: `/runs/${ids.failed}/?at=5`, shows: 'After entry 5 of 12' },
  { route: '/runs/$runId/', state: 'again', path: `/runs/${ids.failed}/`, press: ['Do again'], shows: 'The version it ran on' },
  { route: '/runs/$runId/', state: 'of another one', path: `/runs/${ids.waiting}/`, answers: { [`runs/${ids.waiting}/`]: { ...waitingRun, replay_of: ids.failed, replay: { of: ids.failed, from_step: 'size', mode: 'dry', stopped_at: 'approve' } } }, shows: 'Finance approves' },
  { route: '/runs/', state: 'of one run', path: `/runs/?parent=${ids.calling}`, shows: 'Started by: One run' },
  { route: '/runs/', state: 'stuck', path: '/runs/?stuck=true', answers: { 'runs/': { results: [stuckRun], next: null, previous: null } }, shows: 'Stuck' },
  { route: '/runs/', state: 'pause many', path: '/runs/?status=waiting', press: ['Pause…'], shows: '12 runs' },
  { route: '/runs/', state: 'stop everything', path: '/runs/', press: ['Stop everything'], shows: 'Within seconds no run starts' },
  { route: '/runs/', state: 'stopped', path: '/runs/', answers: { 'operations/stop/': { stopped: true, by: 'Grace Hopper', reason: LONG, stopped_at: new Date(Date.now() - 600_000).toISOString() } }, shows: 'Grace Hopper' },

  { route: '/events/', state: 'full', path: '/events/', shows: 'invoice.disputed' },
  { route: '/events/', state: 'one', path: `/events/?event=${ids.event}`, shows: 'What belongs together' },
  { route: '/events/', state: 'refused', path: `/events/?event=${ids.refused}`, shows: 'does not fit what the flow takes' },
  { route: '/events/', state: 'filtered', path: '/events/?state=waiting', shows: 'State: Waiting' },
  { route: '/events/', state: 'first use', path: '/events/', answers: { 'events/': EMPTY, 'event-types/': { types: [] } }, shows: 'everybody can hear' },
  { route: '/events/', state: 'nothing matches', path: '/events/?type=zzz', answers: { 'events/': EMPTY }, shows: 'No event matches' },
  { route: '/events/', state: 'error', path: '/events/', answers: { 'events/': fails }, shows: 'This did not work' },
  { route: '/events/', state: 'no right', path: '/events/', answers: { 'me/': me(['task.view', 'task.decide'], ['approver']) }, shows: 'You cannot open this' },

  { route: '/requests/', state: 'full', path: '/requests/', shows: 'Waits for somebody' },
  { route: '/requests/', state: 'first use', path: '/requests/', answers: { 'request-forms/': { results: [] }, 'requests/': EMPTY }, shows: 'Nothing to ask for yet' },
  { route: '/requests/', state: 'loading', path: '/requests/', answers: { 'request-forms/': 'hang', 'requests/': 'hang' }, shows: 'My requests' },
  { route: '/requests/', state: 'error', path: '/requests/', answers: { 'request-forms/': fails, 'requests/': fails }, shows: 'This did not work' },
  { route: '/requests/', state: 'no right', path: '/requests/', answers: { 'me/': me(['flow.view', 'run.view', 'audit.view'], ['auditor']) }, shows: 'You cannot open this' },
  { route: '/requests/new/$flowId', state: 'filled', path: `/requests/new/${requestIds.form}/`, shows: 'Why is it needed?' },
  { route: '/requests/new/$flowId', state: 'empty', path: `/requests/new/${requestIds.form}/`, answers: { [`request-forms/${requestIds.form}/`]: EMPTY_FORM }, shows: 'nobody else sees it' },
  { route: '/requests/new/$flowId', state: 'another form since', path: `/requests/new/${requestIds.form}/`, answers: { [`request-forms/${requestIds.form}/`]: STALE }, shows: 'was changed since you began' },
  { route: '/requests/new/$flowId', state: 'refused', path: `/requests/new/${requestIds.form}/`, press: ['Send'], answers: { 'POST requests/': REFUSED }, shows: 'each says what is expected' },
  { route: '/requests/new/$flowId', state: 'changed meanwhile', path: `/requests/new/${requestIds.form}/`, press: ['Send'], answers: { 'POST requests/': CHANGED }, shows: 'Open it again' },
  { route: '/requests/new/$flowId', state: 'throw away', path: `/requests/new/${requestIds.form}/`, press: ['Throw away'], shows: 'Nothing was sent' },
  { route: '/requests/new/$flowId', state: 'loading', path: `/requests/new/${requestIds.form}/`, answers: { [`request-forms/${requestIds.form}/`]: 'hang' }, shows: 'Requests' },
  { route: '/requests/new/$flowId', state: 'not found', path: `/requests/new/${requestIds.other}/`, answers: { [`request-forms/${requestIds.other}/`]: gone }, shows: 'Nothing here' },
  { route: '/requests/$requestId', state: 'waiting', path: `/requests/${requestIds.waiting}/`, shows: 'Who has it now' },
  { route: '/requests/$requestId', state: 'asked back', path: `/requests/${requestIds.waiting}/`, answers: { [`requests/${requestIds.waiting}/`]: ASKED_BACK }, shows: 'Grace Hopper asks you' },
  { route: '/requests/$requestId', state: 'to correct', path: `/requests/${requestIds.waiting}/`, answers: { [`requests/${requestIds.waiting}/`]: TO_CORRECT }, shows: 'You are asked to fill something in' },
  { route: '/requests/$requestId', state: 'done', path: `/requests/${requestIds.done}/`, shows: 'Approved by Grace Hopper' },
  { route: '/requests/$requestId', state: 'withdraw', path: `/requests/${requestIds.waiting}/`, press: ['Withdraw'], shows: 'nobody is asked any more' },
  { route: '/requests/$requestId', state: 'error', path: `/requests/${requestIds.waiting}/`, answers: { [`requests/${requestIds.waiting}/`]: fails }, shows: 'This did not work' },
  { route: '/requests/$requestId', state: 'not found', path: `/requests/${requestIds.other}/`, answers: { [`requests/${requestIds.other}/`]: gone }, shows: 'Nothing here' },

  { route: '/inbox/', state: 'full', path: '/inbox/', shows: 'Approve Acme GmbH' },
  { route: '/inbox/', state: 'task', path: `/inbox/?task=${ids.task}`, shows: 'What your answer does' },
  { route: '/inbox/', state: 'long', path: `/inbox/?task=${ids.long}`, shows: 'What your answer does' },
  { route: '/inbox/', state: 'conflict', path: `/inbox/?task=${ids.task}`, press: ['Approve'], answers: { [`POST tasks/${ids.task}/decide/`]: { status: 409, body: { status: 409, title: 'Conflict', code: 'stale', detail: 'The amount was changed while you were reading. Look again before you decide.' } } }, shows: 'This task has changed' },
  { route: '/inbox/', state: 'rejected without a word', path: `/inbox/?task=${ids.task}`, press: ['Reject'], shows: 'Reject without a reason?' },
  { route: '/inbox/', state: 'with a form', path: `/inbox/?task=${ids.task}`, answers: { [`tasks/${ids.task}/`]: { ...full(TASKS[0]!), form: TASK_FORM } }, shows: 'Needed for: Approve.' },
  { route: '/inbox/', state: 'form refused', path: `/inbox/?task=${ids.task}`, press: ['Approve'], answers: { [`tasks/${ids.task}/`]: { ...full(TASKS[0]!), form: TASK_FORM }, [`POST tasks/${ids.task}/decide/`]: REFUSED }, shows: 'It must have 60 characters at most' },
  { route: '/inbox/', state: 'to correct', path: `/inbox/?task=${ids.task}`, answers: { [`tasks/${ids.task}/`]: { ...full(TASKS[0]!), ...CORRECTION } }, shows: 'What happens then' },
  { route: '/inbox/', state: 'done', path: `/inbox/?state=done&task=${ids.done}`, shows: 'Approved by Ada Lovelace' },
  { route: '/inbox/', state: 'can be taken back', path: `/inbox/?state=done&task=${ids.undone}`, shows: 'Why you take your answer back' },
  { route: '/inbox/', state: 'several at once', path: '/inbox/', tick: ['Choose Approve Acme GmbH as a vendor', `Choose ${LONG}`], press: ['Approve (2)'], answers: { 'tasks/bulk/': BULK_LINES }, shows: 'One comment for all of them' },
  { route: '/inbox/', state: 'out of time', path: `/inbox/?state=done&task=${ids.late}`, shows: 'Time ran out' },
  { route: '/inbox/', state: 'a view', path: '/inbox/?view=groups', shows: '999+' },
  { route: '/inbox/', state: 'nothing in a view', path: '/inbox/?view=delegated', answers: { 'tasks/': EMPTY }, shows: 'Nothing waits for you here' },
  { route: '/inbox/', state: 'nothing fits', path: '/inbox/?search=zebra', answers: { 'tasks/': EMPTY }, shows: 'Nothing fits' },
  { route: '/inbox/', state: 'filters', path: '/inbox/?search=acme', press: ['Filters'], shows: 'Large vendors' },
  { route: '/inbox/', state: 'keeps a filter', path: '/inbox/?search=acme', press: ['Filters', 'Keep this filter'], shows: 'Only you see it' },
  { route: '/inbox/', state: 'keys', path: '/inbox/', press: ['Keys'], shows: 'Next task, task before' },
  { route: '/inbox/', state: 'first use', path: '/inbox/', answers: { 'tasks/': EMPTY, 'tasks/count/': { open: 0 } }, shows: 'Nothing waits for you' },
  { route: '/inbox/', state: 'approver', path: '/inbox/', answers: { 'me/': me(['task.view', 'task.decide'], ['approver']) }, shows: 'Approve Acme GmbH' },
  { route: '/inbox/', state: 'error', path: '/inbox/', answers: { 'tasks/': fails }, shows: 'This did not work' },

  { route: '/audit/', state: 'full', path: '/audit/', shows: 'Published flow' },
  { route: '/audit/', state: 'entry', path: `/audit/?event=${ids.entry}`, shows: 'Limit raised to 10,000' },
  { route: '/audit/', state: 'no right', path: '/audit/', answers: { 'me/': me(['flow.view', 'run.view'], ['viewer']) }, shows: 'This needs the role Auditor or Administrator' },
  { route: '/audit/', state: 'nothing matches', path: '/audit/?search=zzz', answers: { 'audit/': EMPTY }, shows: 'No entry matches' },

  { route: '/audit/', state: 'altered entry', path: `/audit/?event=${ids.altered}`, shows: 'Altered since it was sealed' },
  { route: '/audit/', state: 'of one matter', path: '/audit/?correlation=c-1&flow=x&since=2026-01-01&until=2026-01-31', shows: 'Matter: c-1' },
  { route: '/audit/check/', state: 'intact', path: '/audit/check/', shows: 'Nothing has been altered' },
  { route: '/audit/check/', state: 'altered', path: '/audit/check/', answers: { 'audit/checks/': ALTERED }, shows: 'was changed' },
  { route: '/audit/check/', state: 'running', path: '/audit/check/', answers: { 'audit/checks/': CHECKING }, shows: 'Everything is being checked' },
  { route: '/audit/check/', state: 'first use', path: '/audit/check/', answers: { 'audit/checks/': EMPTY }, shows: 'Not checked yet' },
  { route: '/audit/check/', state: 'error', path: '/audit/check/', answers: { 'audit/checks/': fails }, shows: 'This did not work' },
  { route: '/audit/check/', state: 'no right', path: '/audit/check/', answers: { 'audit/checks/': denied }, shows: 'You cannot open this' },
  { route: '/audit/evidence/', state: 'full', path: '/audit/evidence/', shows: 'Evidence packs' },
  { route: '/audit/evidence/', state: 'new', path: '/audit/evidence/', press: ['New evidence pack'], shows: 'What it holds' },
  { route: '/audit/evidence/', state: 'first use', path: '/audit/evidence/', answers: { 'audit/evidence/': EMPTY }, shows: 'No evidence pack yet' },
  { route: '/audit/evidence/', state: 'error', path: '/audit/evidence/', answers: { 'audit/evidence/': fails }, shows: 'This did not work' },

  { route: '/settings', state: 'no right', path: '/settings/', answers: { 'me/': me(['flow.view', 'run.view'], ['viewer']) }, shows: 'You cannot open this' },
  { route: '/settings/people/', state: 'no right', path: '/settings/people/', answers: { 'me/': me(['flow.view', 'secrets.manage'], ['builder']) }, shows: 'This needs the role Administrator' },
  { route: '/settings/', state: 'first part', path: '/settings/', shows: 'Grace Hopper' },
  { route: '/settings/people/', state: 'full', path: '/settings/people/', shows: 'Open invitations' },
  { route: '/settings/people/', state: 'invite', path: '/settings/people/', press: ['Invite person'], shows: 'Send invitation' },
  { route: '/settings/people/', state: 'import', path: '/settings/people/', press: ['Import people'], shows: 'Only mail must be there' },
  { route: '/settings/people/', state: 'place', path: '/settings/people/', press: ['Actions for Grace Hopper', 'Manager and department'], shows: 'What held and will hold' },
  { route: '/settings/people/', state: 'leaver', path: '/settings/people/', press: ['Actions for Grace Hopper', 'Hand everything on'], shows: 'Flows owned' },
  { route: '/settings/people/', state: 'tasks handed on', path: '/settings/people/', press: ['Actions for Grace Hopper', 'Hand tasks to somebody'], shows: 'Who takes over' },
  { route: '/settings/teams/', state: 'full', path: '/settings/teams/', shows: 'Finance' },
  { route: '/settings/teams/', state: 'first use', path: '/settings/teams/', answers: { 'teams/': EMPTY }, shows: 'Put people into teams' },
  { route: '/settings/secrets/', state: 'full', path: '/settings/secrets/', shows: 'vendor-portal' },
  { route: '/settings/secrets/', state: 'first use', path: '/settings/secrets/', answers: { 'secrets/': EMPTY }, shows: 'Keep keys out of your flows' },
  { route: '/settings/secrets/', state: 'new', path: '/settings/secrets/', press: ['New secret'], shows: 'Stored encrypted' },
  { route: '/settings/tokens/', state: 'full', path: '/settings/tokens/', shows: 'Nightly export' },
  { route: '/settings/hosts/', state: 'full', path: '/settings/hosts/', shows: '127.0.0.1:9000' },
  { route: '/settings/logs/', state: 'full', path: '/settings/logs/', shows: 'Up to date' },
  { route: '/settings/logs/', state: 'first use', path: '/settings/logs/', answers: { 'audit/destinations/': EMPTY }, shows: 'Nothing is sent elsewhere' },
  { route: '/settings/logs/', state: 'new', path: '/settings/logs/', press: ['Add log'], shows: 'From the first entry on' },
  { route: '/settings/calendar/', state: 'full', path: '/settings/calendar/', shows: 'Working time' },
  { route: '/settings/calendar/', state: 'no days off', path: '/settings/calendar/', answers: { 'calendar/': { zone: 'UTC', hours: [[{ from: '09:00', to: '17:00' }], [], [], [], [], [], []], holidays: [] } }, shows: 'Add day off' },
  { route: '/settings/chat/', state: 'full', path: '/settings/chat/', shows: 'Given up after 18 tries' },
  { route: '/settings/chat/', state: 'first use', path: '/settings/chat/', answers: { 'chat/': { chat: null } }, shows: 'No chat is connected' },
  { route: '/settings/chat/', state: 'error', path: '/settings/chat/', answers: { 'chat/': fails }, shows: 'This did not work' },
  { route: '/settings/chat/', state: 'taken away', path: '/settings/chat/', press: ['Take away'], shows: 'Take the chat away?' },
  { route: '/account/notifications/', state: 'full', path: '/account/notifications/', shows: 'Given up after 18 tries' },
  { route: '/account/notifications/', state: 'first use', path: '/account/notifications/', answers: { 'me/notifications/': UNTOLD, 'me/notifications/deliveries/': EMPTY }, shows: 'Nothing was sent yet' },
  { route: '/account/notifications/', state: 'chat', path: '/account/notifications/', press: ['Change the address'], shows: 'It is kept like a password' },
  { route: '/account/notifications/', state: 'loading', path: '/account/notifications/', answers: { 'me/notifications/': 'hang' }, shows: 'Notifications' },
  { route: '/account/notifications/', state: 'error', path: '/account/notifications/', answers: { 'me/notifications/': fails }, shows: 'This did not work' },
  { route: '/account/', state: 'full', path: '/account/', shows: 'Firefox on Linux' },
  { route: '/account/', state: 'nobody stands in', path: '/account/', answers: { 'delegations/': EMPTY }, shows: 'Nobody stands in for you' },
  { route: '/account/', state: 'stand-in', path: '/account/', press: ['Name somebody'], shows: 'Your deputy where you choose nobody' },
];
