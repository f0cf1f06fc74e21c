import type { FlowDocument, StepType } from '~/api/types';
import type { MessageId, Translate } from '~/app/messages';
import type { Lookup } from '~/features/canvas/catalogue';
import { isOrder, linkOf } from './changes';
import type { Change } from './changes';

type Schema = Record<string, unknown>;

const named = (value: unknown): Schema => (typeof value === 'object' && value !== null ? (value as Schema) : {});

/** What stands beside a step's config and in the settings of a flow, as its forms call it. */
const WORDS: Record<string, MessageId> = {
  title: 'versions.place.title', type: 'versions.field.type', version: 'versions.field.version', in: 'editor.stands_in', undo: 'editor.rules.undo', lock: 'editor.rules.lock',
  time_limit: 'editor.rules.time_limit', on_error: 'editor.rules.on_error', output: 'editor.rules.output', retry: 'editor.rules.retry', transient: 'editor.rules.transient', permanent: 'editor.rules.permanent',
  unknown: 'editor.rules.unknown', max_attempts: 'editor.rules.tries', first_delay_s: 'editor.rules.first_delay', max_delay_s: 'editor.rules.max_delay', concurrency: 'editor.rules.concurrency',
  max: 'editor.rules.concurrency_max', key: 'editor.rules.concurrency_key', text: 'editor.note.text', width: 'editor.note.width',
};
const OF_FLOW: Record<string, MessageId> = {
  ...WORDS, concurrency: 'editor.flow.concurrency', priority: 'editor.flow.priority', max_steps: 'editor.flow.max_steps', input: 'editor.contract.input', output: 'editor.contract.output',
  contract: 'editor.contract', owner: 'versions.field.owner', risk: 'versions.field.risk', runbook: 'versions.field.runbook', notes: 'editor.note',
};
const worded = (path: string[], words: Record<string, MessageId>, t: Translate): string[] => path.map((part) => { const word = words[part]; return word ? t(word) : part; });
/** People count from one. */
const counted = (part: string): string => (/^\d+$/.test(part) ? String(Number(part) + 1) : part);

/** The label of each part of a config's path, as its form has it. */
function labelsOf(path: string[], type: Pick<StepType, 'config_schema'> | undefined): string[] {
  const root = named(type?.config_schema);
  let here = root;
  return path.map((part) => {
    const meant = (one: unknown): Schema => {
      const ref = named(one)['$ref'];
      return typeof ref === 'string' ? named(named(root['$defs'])[ref.split('/').pop() ?? '']) : named(one);
    };
    const options = [here, ...[here['anyOf'] ?? [], here['oneOf'] ?? []].flat()].map(meant);
    if (/^\d+$/.test(part)) {
      here = meant(options.map((one) => one['items']).find((one) => one !== undefined));
      return counted(part);
    }
    here = named(options.map((one) => named(one['properties'])[part]).find((one) => one !== undefined));
    return typeof here['title'] === 'string' ? here['title'] : part;
  });
}

/** What starts first, second, …, by the names of the links that lead there. */
export const inTurn = (names: unknown, documents: FlowDocument[]): string =>
  (Array.isArray(names) ? names : [])
    .map((name) => (/>([^>#]+)(#\d+)?$/.exec(String(name))?.[1] ?? ''))
    .map((id, at) => `${at + 1}. ${documents.map((one) => one.steps[id]?.title).find(Boolean) ?? id}`)
    .join(', ');

/** Where a change is, in the user's words: "Approve: Due after". */
export function placeOf(change: Change, documents: FlowDocument[], types: Lookup, t: Translate): string {
  const step = (id: string) => documents.map((one) => one.steps[id]).find((one) => one !== undefined);
  const title = (id: string) => (id === 'trigger' ? t('canvas.trigger') : step(id)?.title || id);
  const link = linkOf(change);
  if (link) return t('versions.place.link', { from: title(link.from), to: title(link.to), port: link.port || '–' });
  if (isOrder(change)) {
    const [from = '', port = ''] = (change.path[2] ?? '').split(':');
    return t('versions.place.order', { from: title(from), port });
  }
  const [root, id = '', ...path] = change.path;
  if (root === 'trigger') return [t('canvas.trigger'), ...labelsOf(change.path.slice(2), types.trigger(documents[0]?.trigger.type ?? ''))].join(': ');
  if (root === 'steps' && path.length === 0) return title(id);
  if (root === 'steps') {
    const found = step(id);
    const labels = path[0] === 'config' ? labelsOf(path.slice(1), types.step(found?.type ?? '', found?.version)) : worded(path, WORDS, t);
    return [title(id), ...labels].join(': ');
  }
  if (root === 'name') return t('versions.place.name');
  if (root === 'notes') return [t('editor.note'), ...worded(path, WORDS, t)].join(': ');
  return [t('versions.the_flow'), ...worded(change.path.slice(1), OF_FLOW, t)].join(': ');
}
