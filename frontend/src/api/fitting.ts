import { ExactNumber } from './exact';
import type { FlowDocument, LinkDocument, StepDocument } from './types';

type Named = Record<string, unknown>;
const isNamed = (value: unknown): value is Named => typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '');

/** A step of whatever was written: what is no step at all stands there as one of no known type. */
function stepOf(value: unknown): StepDocument {
  const step: Named = isNamed(value) ? value : {};
  const { type, version, title, config } = step;
  const fits = typeof type === 'string' && (version === undefined || typeof version === 'number') && (title === undefined || typeof title === 'string') && isNamed(config);
  if (fits) return step as unknown as StepDocument;
  return { ...step, type: textOf(type), version: typeof version === 'number' ? version : 1, title: textOf(title), config: isNamed(config) ? config : {} };
}

function linkOf(value: unknown): LinkDocument[] {
  if (!isNamed(value) || typeof value['from'] !== 'string' || typeof value['to'] !== 'string') return [];
  const { port, ...rest } = value;
  return [(port === undefined || typeof port === 'string' ? value : rest) as unknown as LinkDocument];
}

const sameList = (one: readonly unknown[], other: readonly unknown[]) => one.length === other.length && one.every((part, at) => part === other[at]);

/**
 * A document as the pages can show it. The API keeps whatever it is sent, so that nothing is lost;
 * a part of another shape than it should have must not take the whole page with it. One that fits
 * is given back as it is.
 */
export function fitting(document: FlowDocument): FlowDocument {
  const given = document as unknown as Named;
  const steps = isNamed(given['steps']) ? given['steps'] : {};
  const shown = Object.entries(steps).map(([id, step]) => [id, stepOf(step)] as const);
  const links = Array.isArray(given['links']) ? (given['links'] as unknown[]) : [];
  const drawn = links.flatMap(linkOf);
  const trigger: Named = isNamed(given['trigger']) ? given['trigger'] : {};
  const next: Named = {
    ...given,
    format: textOf(given['format']),
    name: textOf(given['name']),
    trigger: typeof trigger['type'] === 'string' && isNamed(trigger['config']) ? trigger : { ...trigger, type: textOf(trigger['type']), config: isNamed(trigger['config']) ? trigger['config'] : {} },
    steps: steps === given['steps'] && shown.every(([id, step]) => step === steps[id]) ? steps : Object.fromEntries(shown),
    links: sameList(links, drawn) && links === given['links'] ? links : drawn,
  };
  for (const name of ['settings', 'layout']) if (name in given && !isNamed(given[name])) next[name] = {};
  return Object.keys(next).every((name) => next[name] === given[name]) ? document : (next as unknown as FlowDocument);
}
