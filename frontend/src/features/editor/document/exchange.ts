import { parseExact, stringifyExact } from '~/api/exact';
import type { FlowDocument, LinkDocument, StepDocument } from '~/api/types';
import type { Lookup } from '~/features/canvas/catalogue';

/** As much as the server keeps. */
export const MOST_BYTES = 1_000_000;
export const MOST_STEPS = 2_000;
/** Written with spaces and lines the same flow is longer; beyond this it is not even read. */
const MOST_CHARACTERS = 4_000_000;

const FORMAT = /^signalbox\.flow\/\d+$/;

export type ImportRefusal = 'too_large' | 'not_json' | 'not_a_flow';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isPlace = (value: unknown): value is [number, number] => Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === 'number' && Number.isFinite(one));
const isLink = (value: unknown): value is LinkDocument => isRecord(value) && typeof value['from'] === 'string' && typeof value['to'] === 'string' && (value['port'] === undefined || typeof value['port'] === 'string');

/**
 * Reads a whole flow as text. What the editor does not know is kept: unknown types, unknown fields,
 * links to steps that are not there. Only what cannot be a flow at all is refused.
 */
export function readFlow(text: string): FlowDocument | ImportRefusal {
  if (text.length > MOST_CHARACTERS) return 'too_large';
  let read: unknown;
  try {
    read = parseExact(text);
  } catch {
    return 'not_json';
  }
  if (!isRecord(read) || typeof read['format'] !== 'string' || !FORMAT.test(read['format'])) return 'not_a_flow';
  const { steps, links = [], trigger } = read;
  if (!isRecord(steps) || !Array.isArray(links) || !links.every(isLink) || !isRecord(trigger) || typeof trigger['type'] !== 'string') return 'not_a_flow';
  const found: [string, StepDocument][] = [];
  for (const [id, step] of Object.entries(steps)) {
    const fits = isRecord(step) && typeof step['type'] === 'string' && isRecord(step['config'] ?? {});
    if (!fits) return 'not_a_flow';
    found.push([id, { ...step, type: String(step['type']), version: typeof step['version'] === 'number' ? step['version'] : 1, title: typeof step['title'] === 'string' ? step['title'] : '', config: (step['config'] ?? {}) as StepDocument['config'] }]);
  }
  const layout = isRecord(read['layout']) ? Object.fromEntries(Object.entries(read['layout']).filter((entry): entry is [string, [number, number]] => isPlace(entry[1]))) : {};
  const document: FlowDocument = {
    ...read,
    format: read['format'],
    name: typeof read['name'] === 'string' ? read['name'] : '',
    trigger: { ...trigger, type: String(trigger['type']), config: isRecord(trigger['config']) ? trigger['config'] : {} },
    steps: Object.fromEntries(found),
    links,
    layout,
  };
  if (found.length > MOST_STEPS || new TextEncoder().encode(stringifyExact(document)).length > MOST_BYTES) return 'too_large';
  return document;
}

/** Kinds of steps that are not in the catalogue, each once. */
export const unknownTypes = (document: Pick<FlowDocument, 'steps'>, types: Lookup): string[] => [
  ...new Set(Object.values(document.steps).filter((step) => !types.step(step.type, step.version)).map((step) => step.type)),
];

export const writeFlow = (document: FlowDocument): string => `${stringifyExact(document, 2)}\n`;

/** A name for the file that a flow is saved as: letters of any script, no path. */
export function fileNameOf(name: string): string {
  const plain = name.normalize('NFC').replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '').slice(0, 80);
  return `${plain || 'flow'}.json`;
}
