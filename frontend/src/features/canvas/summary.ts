import type { StepDocument, StepType } from '~/api/types';
import type { Translate } from '~/app/messages';

type Config = Record<string, unknown>;
type Titles = (id: string) => string;
type Rule = (config: Config, t: Translate, titles: Titles) => string;

const text = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/^=\s*/, '') : typeof value === 'number' ? String(value) : '';
const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
const record = (value: unknown): Config => (typeof value === 'object' && value !== null ? (value as Config) : {});

const UNITS: Record<string, Intl.NumberFormatOptions['unit']> = {
  Y: 'year', M: 'month', W: 'week', D: 'day', TH: 'hour', TM: 'minute', TS: 'second',
};

/** "2 days" for `P2D`; what is not an ISO duration stays as it is. */
export function readDuration(iso: string, locale = document.documentElement.lang || 'en'): string {
  if (!/^P(?!$)[\dYMWDTHS.]+$/.test(iso)) return iso;
  const [days = '', time = ''] = iso.slice(1).split('T');
  const parts = [
    ...[...days.matchAll(/(\d+)([YMWD])/g)].map(([, count, unit]) => [count, UNITS[unit ?? '']] as const),
    ...[...time.matchAll(/([\d.]+)([HMS])/g)].map(([, count, unit]) => [count, UNITS[`T${unit ?? ''}`]] as const),
  ];
  return parts
    .map(([count, unit]) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Number(count)))
    .join(' ');
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function eventLine(match: Config, t: Translate): string {
  const type = text(match['type']);
  const key = text(match['key']);
  return key && type ? t('canvas.summary.event_of', { type, key }) : type;
}

/** Lines of the step types that ship; a type without one gets `generic`. */
const RULES: Record<string, Rule> = {
  decide: (config, t) => {
    const branches = list(config['branches']).map(record);
    const first = branches[0];
    if (!first) return config['otherwise'] ? t('canvas.summary.otherwise', { port: text(config['otherwise']) }) : '';
    const values = { when: text(first['when']), port: text(first['port']), count: branches.length - 1 };
    return t(branches.length > 1 ? 'canvas.summary.decide_more' : 'canvas.summary.decide', values);
  },
  map: (config, t) => {
    const fields = Object.keys(record(config['fields']));
    return fields.length > 0 ? t('canvas.summary.map', { fields: fields.join(', ') }) : '';
  },
  approval: (config, t) => {
    const { groups, users } = record(config['assignees']);
    const who = [...list(groups), ...list(users)].map(text).filter(Boolean).join(', ') || t('canvas.summary.nobody');
    const due = text(config['due']);
    return due ? t('canvas.summary.approval', { who, due: readDuration(due) }) : t('canvas.summary.approval_no_due', { who });
  },
  fill_in: (config, t) => {
    const { groups, users } = record(config['assignees']);
    const who = [...list(groups), ...list(users)].map(text).filter(Boolean).join(', ') || t('canvas.summary.requester');
    const due = text(config['due']);
    return due ? t('canvas.summary.approval', { who, due: readDuration(due) }) : t('canvas.summary.approval_no_due', { who });
  },
  'http.request': (config) => `${text(config['method']) || 'GET'} ${text(config['url']).replace(/^https?:\/\//, '')}`.trim(),
  'mail.send': (config, t) => {
    const to = list(config['to']).length > 0 ? list(config['to']).map(text).join(', ') : text(config['to']);
    return to ? t('canvas.summary.mail', { to }) : '';
  },
  delay: (config, t) => {
    if (config['for']) return t('canvas.summary.wait_for', { time: readDuration(text(config['for'])) });
    return config['until'] ? t('canvas.summary.wait_until', { time: text(config['until']) }) : '';
  },
  respond: (config, t) => t('canvas.summary.respond', { status: text(config['status']) || '200' }),
  stop: (config, t) =>
    text(config['message']) || t(config['outcome'] === 'failed' ? 'canvas.summary.stop_failed' : 'canvas.summary.stop_completed'),
  join: (config, t) => {
    const mode = config['mode'];
    if (mode === 'any') return t('canvas.summary.join_any');
    if (mode === 'active') return t('canvas.summary.join_active');
    const { n, tokens } = record(mode);
    if (tokens !== undefined) return t('canvas.summary.join_tokens', { count: Number(tokens) });
    return n === undefined ? t('canvas.summary.join_all') : t('canvas.summary.join_n', { count: Number(n) });
  },
  for_each: (config, t) => {
    const items = text(config['items']);
    return items ? t('canvas.summary.for_each', { items, count: Number(config['parallel'] ?? 10) }) : '';
  },
  repeat: (config, t) => (config['until'] ? t('canvas.summary.repeat', { when: text(config['until']) }) : ''),
  block: (_config, t) => t('canvas.summary.block'),
  fork: (config, t) => t('canvas.summary.fork', { count: list(config['branches']).length }),
  split: (config, t) => t('canvas.summary.split', { count: Number(config['times'] ?? 2) }),
  cancel: (config, t, titles) => {
    const steps = list(config['steps']).map((id) => titles(text(id))).filter(Boolean);
    return steps.length > 0 ? t('canvas.summary.cancel', { steps: steps.join(', ') }) : '';
  },
  subflow: (config, t) => {
    const named = text(config['flow']);
    const version = typeof config['version'] === 'number' ? t('canvas.summary.subflow_version', { number: config['version'] }) : t('canvas.summary.subflow_latest');
    // An id says nothing to people; the step's title does.
    return [ID.test(named) ? '' : named, named ? version : '', config['wait'] === false ? t('canvas.summary.subflow_no_wait') : ''].filter(Boolean).join(', ');
  },
  emit: (config, t) => (config['type'] ? t('canvas.summary.emit', { type: text(config['type']) }) : ''),
  'wait.event': (config, t) => eventLine(config, t),
  'wait.first': (config, t) => {
    const ways = list(config['ways']).map(record).map((way) => {
      if (way['event']) return eventLine(record(way['event']), t);
      return way['for'] ? t('canvas.summary.wait_for', { time: readDuration(text(way['for'])) }) : way['until'] ? t('canvas.summary.wait_until', { time: text(way['until']) }) : '';
    });
    const said = ways.filter(Boolean).join(', ');
    return said ? t('canvas.summary.first', { ways: said }) : '';
  },
  table: (config, t) => {
    const count = list(config['rules']).length;
    const names = list(config['outputs']).map(record).map((one) => text(one['name'])).filter(Boolean).join(', ');
    return names ? t('canvas.summary.table_gives', { count, names }) : t('canvas.summary.table', { count });
  },
  add_items: (config, t, titles) => (config['to'] ? t('canvas.summary.add_items', { step: titles(text(config['to'])) }) : ''),
};

const TRIGGER_RULES: Record<string, Rule> = {
  webhook: (config) => (config['path'] ? `/${text(config['path'])}` : ''),
  event: (config) => text(config['type']),
  schedule: (config) => [text(config['cron']), text(config['zone'])].filter(Boolean).join(' · '),
  manual: (config, t) =>
    t('canvas.summary.manual', { count: Object.keys(record(record(config['form'])['properties'])).length }),
};

/** The first text of the config, in the order of its schema. */
function generic(config: Config, type: StepType | undefined): string {
  const names = Object.keys(record(type?.config_schema?.['properties']));
  for (const name of [...names, ...Object.keys(config)]) {
    const line = text(config[name]);
    if (line) return line;
  }
  return '';
}

/** One line of meaning for a card, in the user's words. */
export function summaryOf(step: StepDocument, type: StepType | undefined, t: Translate, titles: Titles = (id) => id): string {
  const rule = RULES[step.type];
  return (rule ? rule(step.config, t, titles) : generic(step.config, type)).slice(0, 300);
}

export function triggerSummary(trigger: { type: string; config: Config }, type: StepType | undefined, t: Translate): string {
  const rule = TRIGGER_RULES[trigger.type];
  return rule ? rule(trigger.config, t, (id) => id) : generic(trigger.config, type);
}
