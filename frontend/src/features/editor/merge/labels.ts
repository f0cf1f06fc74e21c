import type { FlowDocument, StepType } from '~/api/types';
import type { Translate } from '~/app/messages';
import type { Lookup } from '~/features/canvas/catalogue';
import { linkOf } from './changes';
import type { Change } from './changes';

type Schema = Record<string, unknown>;

const named = (value: unknown): Schema => (typeof value === 'object' && value !== null ? (value as Schema) : {});

/** The label of each part of a config's path, as its form has it. */
function labelsOf(path: string[], type: Pick<StepType, 'config_schema'> | undefined): string[] {
  const root = named(type?.config_schema);
  let here = root;
  return path.map((part) => {
    const options = [here, ...[here['anyOf'] ?? [], here['oneOf'] ?? []].flat()].map((one) => {
      const ref = named(one)['$ref'];
      return typeof ref === 'string' ? named(named(root['$defs'])[ref.split('/').pop() ?? '']) : named(one);
    });
    here = named(options.map((one) => named(one['properties'])[part]).find((one) => one !== undefined));
    return typeof here['title'] === 'string' ? here['title'] : part;
  });
}

/** Where a change is, in the user's words: "Approve: Due after". */
export function placeOf(change: Change, documents: FlowDocument[], types: Lookup, t: Translate): string {
  const step = (id: string) => documents.map((one) => one.steps[id]).find((one) => one !== undefined);
  const title = (id: string) => (id === 'trigger' ? t('canvas.trigger') : step(id)?.title || id);
  const link = linkOf(change);
  if (link) return t('versions.place.link', { from: title(link.from), to: title(link.to), port: link.port || '–' });
  const [root, id = '', ...path] = change.path;
  if (root === 'trigger') return [t('canvas.trigger'), ...labelsOf(change.path.slice(2), types.trigger(documents[0]?.trigger.type ?? ''))].join(': ');
  if (root === 'steps' && path.length === 0) return title(id);
  if (root === 'steps') {
    const found = step(id);
    const labels = path[0] === 'config' ? labelsOf(path.slice(1), types.step(found?.type ?? '', found?.version)) : path[0] === 'title' ? [t('versions.place.title')] : path;
    return [title(id), ...labels].join(': ');
  }
  return root === 'name' ? t('versions.place.name') : [t('versions.the_flow'), ...change.path.slice(1)].join(': ');
}
