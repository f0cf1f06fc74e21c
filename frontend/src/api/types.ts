import type { Followed, TaskDecision } from './changes';
import type { Question } from './questions';

/** Shapes of the server's answers, written from the contract; `npm run api:types` generates theirs. */

export type Right =
  | 'flow.create' | 'people.manage' | 'roles.manage' | 'tokens.manage' | 'settings.manage'
  | 'secrets.manage' | 'hosts.manage' | 'audit.view' | 'export.read' | 'run.operate' | 'event.publish'
  | 'flow.pause' | 'flow.archive' | 'flow.grant' | 'task.view' | 'task.decide' | 'request.make'
  | 'flow.view' | 'flow.edit' | 'flow.publish' | 'flow.run' | 'run.view' | 'run.cancel';

/** `system`: as the device. */
export type Theme = 'system' | 'light' | 'dark';
export const ROLES = ['viewer', 'builder', 'operator', 'approver', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export interface Me {
  id: string;
  email: string;
  name: string;
  theme: Theme;
  /** Empty: what the browser asks for. */
  language: string;
  zone: string;
  workspace: { id: string; slug: string; name: string; zone: string };
  workspaces: { slug: string; name: string }[];
  roles: Role[];
  rights: Right[];
  /** The rights that are lacking, each with the roles that would bring it. */
  needs?: Partial<Record<Right, Role[]>>;
  /** Names of people to ask for a right. */
  admins?: string[];
  embedded: boolean;
}

export interface Session {
  id: string;
  current: boolean;
  created_at: string;
  last_seen_at: string;
  user_agent: string;
  ip: string;
}

export interface Member {
  id: string;
  user_id: string;
  email: string;
  name: string;
  roles: Role[];
  teams: string[];
  is_active: boolean;
  department?: string;
  /** The name of who leads them today. */
  manager?: string;
  last_sign_in_at: string | null;
}

export interface Invitation {
  id: string;
  email: string;
  roles: Role[];
  created_at: string;
  expires_at: string;
}

export interface Team {
  id: string;
  slug: string;
  name: string;
  kind?: 'role' | 'team';
  members?: number;
}

/** What one person or team can be given on one flow. */
export type GrantRight = 'view' | 'edit' | 'publish' | 'run';
/** What the person reading may do with the flow. */
export type FlowRight = GrantRight | 'pause' | 'archive' | 'grant';

export interface Grant {
  subject: { kind: 'user' | 'team'; id: string; name?: string };
  rights: GrantRight[];
}

export interface Secret {
  name: string;
  hosts: string[];
  updated_at: string;
  updated_by: string | { name: string } | null;
  has_previous: boolean;
}

/** Times of day such as `09:00`; the end of a day is `24:00`. */
export interface WorkingSpan {
  from: string;
  to: string;
}

export interface WorkingCalendar {
  zone: string;
  /** Seven days from Monday on. */
  hours: WorkingSpan[][];
  holidays: { date: string; name: string }[];
}

export interface AllowedHost {
  id: string;
  host: string;
  /** Null is every port. */
  port: number | null;
  reason: string;
  created_at?: string;
  created_by?: string | { name: string } | null;
}

export interface ApiToken {
  id: string;
  name: string;
  prefix?: string;
  owner?: string;
  scopes: string[] | null;
  created_at?: string;
  expires_at: string | null;
  last_used_at?: string | null;
  token?: string;
}

export type FlowState = 'active' | 'paused' | 'archived';

export interface Flow {
  id: string;
  name: string;
  state: FlowState;
  owner: { id: string; name: string; email: string } | null;
  active_version: number | null;
  hash: string | null;
  trigger: { type: string; path?: string } | null;
  /** Of the draft; grows with every save. */
  revision?: number;
  updated_at: string;
  created_at: string;
  rights: FlowRight[];
  /** On the flow's own page only. */
  pause?: { at: string; by: string; reason: string; held: number } | null;
}

export interface FlowExample {
  slug: string;
  title: string;
  description: string;
  document: FlowDocument;
}

export interface FlowVersion {
  number: number;
  hash: string;
  author: string | { name: string } | null;
  note: string;
  created_at: string;
  is_active: boolean;
}

export type Severity = 'error' | 'warning' | 'info';

export interface Finding {
  code: string;
  severity: Severity;
  step: string | null;
  path: string | null;
  message: string;
  fix: string | null;
  /** Where in an expression, from behind its `=`. */
  position?: { start: number; end: number } | null;
  /** What puts it right at once, where one way to do so is safe. */
  repair?: Repair | null;
}

/** A change of the document, as JSON Patch (RFC 6902) with `add`, `remove` and `replace`. */
export interface Repair {
  does: string;
  patch: { op: 'add' | 'remove' | 'replace'; path: string; value?: unknown }[];
}

/** A flow's document, `signalbox.flow/1`. Fields that are not named here survive a round trip. */
export interface FlowDocument {
  format: string;
  name: string;
  trigger: { type: string; config: Record<string, unknown>; [more: string]: unknown };
  steps: Record<string, StepDocument>;
  links: LinkDocument[];
  settings?: Record<string, unknown>;
  layout?: Record<string, [number, number]>;
  [more: string]: unknown;
}

export interface StepDocument {
  type: string;
  version: number;
  title: string;
  config: Record<string, unknown>;
  [more: string]: unknown;
}

export interface LinkDocument {
  from: string;
  port?: string;
  to: string;
  [more: string]: unknown;
}

export interface StepType {
  kind: string;
  version: number;
  title: string;
  help: string;
  category: string;
  icon: string;
  ports: string[] | null;
  ports_from: string | null;
  behaviour: 'pure' | 'effect' | 'wait' | 'join' | 'end' | 'scope';
  outward: boolean;
  config_schema: Record<string, unknown>;
  output_schema: Record<string, unknown> | null;
  default_config: Record<string, unknown>;
  /** What a reader gets told of a configured step: a text with `{field}` in it. */
  summary?: string;
  [more: string]: unknown;
}

export interface StepCatalogue {
  results: StepType[];
  triggers: StepType[];
}

export const RUN_STATUSES = [
  'queued', 'running', 'waiting', 'paused', 'cancelling', 'completed', 'failed', 'cancelled',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const isFinal = (status: RunStatus) =>
  status === 'completed' || status === 'failed' || status === 'cancelled';

export interface RunError {
  step: string | null;
  class: string;
  code: string;
  message: string;
}

export interface RunItem {
  id: string;
  flow: { id: string; name: string };
  /** A test of a draft has none. */
  version: number | null;
  status: RunStatus;
  error: RunError | null;
  trigger: { type: string } | null;
  started_by: string | { name: string } | null;
  started_at: string | null;
  finished_at: string | null;
  created_at?: string;
  duration_ms: number | null;
  replay_of?: string | null;
  /** Set where it makes no progress for too long. */
  stuck?: { step: string; since: string; usual_s: number | null; cause: WaitReason } | null;
}

export interface RunStep {
  status: string;
  visits: number;
  attempts: number;
  input?: unknown;
  output?: unknown;
  error?: RunError | null;
  started_at: string | null;
  finished_at: string | null;
  port: string | null;
  /** The outcome is that of the run that is done again. */
  taken_over?: boolean;
  /** How far a step that contains others is with its items, or its rounds. */
  items?: { total: number; begun: number; done: number; failed: number } | null;
}

/** Why a run does not go on by itself. */
export interface WaitReason {
  kind:
    | 'person' | 'time' | 'event' | 'run' | 'retry' | 'effect' | 'worker' | 'limit' | 'lock' | 'join' | 'items'
    | 'paused' | 'stopped' | 'fault';
  step: string;
  title: string;
  since?: string | null;
  until: string | null;
  detail: string;
  people?: string[];
  groups?: string[];
  /** Of people: it is decided, and passed on at `until`. */
  held?: boolean;
  /** Of people: what happens first while nobody answers. */
  next?: { at: string; words: string } | null;
  error?: RunError | null;
  attempt?: number;
  max_attempts?: number;
  lease_until?: string | null;
  lock?: string;
  /** Of a limit the runs that have it; of a lock the step. */
  holders?: { run?: string; step?: string; title: string; since?: string | null }[];
  ahead?: number;
  counts?: { done: number; failed: number; at_work: number; of: number };
  missing?: { from: string; port: string; title: string }[];
  by?: string;
  /** Of a wait for another run that run. */
  run?: string | null;
  /** Of an event that is waited for, and what tells it from others; null for any. */
  type?: string;
  key?: unknown;
}

/** What a run does again. */
export interface Replay {
  of: string;
  from_step: string;
  mode: 'live' | 'dry';
  /** Where a dry run ended, since nothing is recorded of that step. */
  stopped_at: string | null;
}

/** A run as it was after a row of its journal. */
export interface RunAt {
  seq: number;
  last_seq: number;
  at: string;
  type: string;
  step: string;
  status: RunStatus;
  error: RunError | null;
  steps: Record<string, RunStep>;
  links: Run['links'];
  waiting_for: { kind: WaitReason['kind']; step: string; title: string; since: string | null; until: string | null; missing: string[] }[];
}

export interface Run extends RunItem {
  waiting_for: WaitReason[];
  replay?: Replay | null;
  /** The run that started it, and those that it started. */
  parent?: string | null;
  children?: string[];
  steps: Record<string, RunStep>;
  links: { from: string; port: string | null; to: string; count: number }[];
  /** What came in, as expressions read it; null where it is no longer kept. */
  trigger_data: Record<string, unknown> | null;
}

export interface JournalRow {
  seq: number;
  type: string;
  step: string | null;
  at: string;
  data: unknown;
}

export interface TaskItem {
  id: string;
  run: string;
  flow: { id: string; name: string };
  /** An approval, what becomes of a step that has failed, or a form to fill in. */
  kind?: 'approval' | 'exception' | 'fill_in';
  status: 'open' | 'decided' | 'timed_out' | 'cancelled';
  title: string;
  requester: { name: string; email?: string } | null;
  opened_at: string;
  due: string | null;
  step?: string;
  outcome: string | null;
  /** Whose it is, where the person only stands in. */
  stands_in_for?: string;
  /** Who has taken it, if anybody. */
  claimed_by?: string;
  /** Which of the stages of one question it is, as people read it; empty where there is one. */
  stage_name?: string;
  urgency?: 'normal' | 'urgent';
  /** What happens first while nobody answers. */
  next?: { at: string; words: string } | null;
  /** The outcome as people read it; empty while there is none. */
  outcome_word: string;
  /** As what it is decided while that can be taken back, and when it is passed on. */
  pending_word?: string;
  settles_at?: string | null;
  decided_at: string | null;
  decided_by: string | { name: string } | null;
  /** With which others it can be answered; null where it has to be answered alone. */
  bulk?: { kind: string; most: number; answers: Omit<TaskAnswer, 'then'>[] } | null;
}

/** What the same step asked before, and what became of it. */
export interface TaskBefore {
  id: string;
  title: string;
  word: string;
  outcome: string;
  by: string;
  at: string;
  amount: unknown;
  /** Its amount beside this one's; empty where one of them is not known. */
  compared: '' | 'less' | 'same' | 'more';
}

/** An answer a person can give: its button, and what happens then. */
export interface TaskAnswer {
  outcome: string;
  label: string;
  then: string;
  /** Whether it lets things go on or stops them. */
  side: 'for' | 'against' | 'back' | null;
}

/** What is to be filled in with an answer. */
export interface TaskForm {
  form: Record<string, unknown>;
  /** Names this form; sent along with the answers. */
  form_hash: string;
  /** The answers that need it; others take nothing. */
  needed_for: string[];
  initial: Record<string, unknown>;
  draft: { answers: Record<string, unknown>; updated_at: string } | null;
}

export interface Task extends TaskItem, Followed {
  facts: { label: string; value: unknown }[];
  details: string;
  seen: string;
  outcomes: string[];
  answers: TaskAnswer[];
  /** What happens when nobody answers in time; empty without a limit. */
  without_answer: string;
  /** What is to be filled in, for who may answer; null where nothing is. */
  form?: TaskForm | null;
  /** By when somebody is to take it up; null once somebody has. */
  respond_by?: string | null;
  /** What has happened in its time, and what will while nobody answers. */
  course?: { at: string; words: string; done: boolean }[];
  /** How many answers decide, in words. */
  rule: string;
  /** Why it is put to the reader, in a sentence. */
  why?: string;
  /** The fact that says how much it is about. */
  amount?: { label: string; value: unknown } | null;
  similar?: TaskBefore[];
  assignees: string[];
  decisions: TaskDecision[];
  /** The stages before this one. */
  earlier?: { name: string; decisions: TaskDecision[] }[];
  /** It was sent back before: by whom, why, and what has changed since. */
  returned?: { by: string; reason: string; at: string; changes: { label: string; before?: unknown; after?: unknown }[] } | null;
  /** For how long answers can be taken back once it is decided, in words; empty for none. */
  undo?: string;
  taken_back?: { by: string; word: string; at: string }[];
  may_take_back?: boolean;
  questions?: Question[];
  /** How many of the questions have an answer. */
  heard?: number;
  /** Since when its time stands still, because somebody was asked. */
  paused_at?: string | null;
  may_decide: boolean;
  why_not: string | null;
  may_claim?: boolean;
  may_release?: boolean;
  may_hand_over?: boolean;
  may_ask_exception?: boolean;
  exceptions?: { id: string; by: string; reason: string; asked_at: string; allowed_by: string; may_allow: boolean }[];
}

export interface Alert {
  id: string;
  kind: string;
  title: string;
  body: string;
  flow: string | { id: string; name: string } | null;
  run: string | null;
  /** Where the reader acts; empty where it is the run or the flow. */
  path: string;
  count: number;
  created_at: string;
  read_at: string | null;
}

export interface AuditEvent {
  id: string;
  at: string;
  /** Labels and reasons are null where they were erased. */
  actor: { kind: string; id: string; label: string | null };
  on_behalf_of: string;
  verb: string;
  target: { type: string; id: string; label: string | null };
  reason: string | null;
  before: Record<string, unknown>;
  after: Record<string, unknown>;
  details: Record<string, unknown>;
  /** Fields whose values were erased. */
  withheld?: string[];
  flow?: string | null;
  correlation_id: string;
  /** Number of the seal that covers it; null until it is sealed. */
  seal: number | null;
  hash: string;
}

/** Whether one entry is as it was sealed, computed when asked for. */
export interface EntryProof {
  state: 'verified' | 'unsealed' | 'altered';
  seal: number | null;
  place: number | null;
  count: number;
  steps: number;
  sealed_at: string | null;
  fingerprint: string;
  problems: { code: string; message: string }[];
}

interface TrailJob {
  id: string;
  state: 'waiting' | 'running' | 'done' | 'failed';
  asked_by: string;
  created_at: string;
  finished_at: string | null;
  error: string;
}

/** One thing that was altered; `entry` is null where the entry is gone, or is not of this workspace. */
export interface Alteration {
  code: string;
  message: string;
  seal: number | null;
  row: string | null;
  entry: { id: string; at: string; verb: string; actor: string; target: string } | null;
}

/** A check of the whole trail. */
export interface TrailCheck extends TrailJob {
  result: {
    intact: boolean;
    rows: number;
    seals: number;
    unsealed: number;
    fingerprint: string;
    seconds: number;
    checked_at: string;
    count: number;
    problems: Alteration[];
    notes: string[];
  } | null;
}

export const EVIDENCE_LISTS = ['changes', 'reviews', 'tests', 'access', 'exceptions'] as const;
export type EvidenceList = (typeof EVIDENCE_LISTS)[number];

export interface EvidencePack extends TrailJob {
  wanted: { since: string; until: string; flow: { id: string; name: string } | null; lists: EvidenceList[] };
  result: { name: string; bytes: number; sha256: string; lists: Partial<Record<EvidenceList, number>>; versions: number } | null;
}

export const DESTINATION_KINDS = ['http', 'syslog_tls', 'syslog_tcp', 'syslog_udp'] as const;

/** A log elsewhere that the trail is sent to, and how it stands. */
export interface TrailDestination {
  id: string;
  name: string;
  kind: (typeof DESTINATION_KINDS)[number];
  address: string;
  secret: string;
  with_rows: boolean;
  with_checkpoints: boolean;
  is_paused: boolean;
  sent: number;
  behind: number;
  behind_since: string | null;
  last_sent_at: string | null;
  failing_since: string | null;
  failures: number;
  last_error: string;
}

export interface AuditSeal {
  number: number;
  at: string;
  count: number;
  hash: string;
}

/** People arrive as a name or as an object with one. */
export const nameOf = (person: string | { name: string } | null | undefined): string =>
  typeof person === 'string' ? person : (person?.name ?? '');
