import type { FlowDocument, LinkDocument, StepDocument } from '~/api/types';
import { parseExact, stringifyExact } from '~/api/exact';
import { fitting } from '~/api/fitting';
import type { Edit } from './document';
import { newStepId } from './document';
import { begin, setContainer, withUndoers } from './inside';
import { containerOf, withInside } from '~/features/canvas/nesting';
import type { Lookup } from '~/features/canvas/catalogue';
import { places } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { addNote, isNoteId, newNoteId, notesOf } from './notes';
import type { Note } from './notes';
import { snapped } from './place';

/** Steps with the links among them: what is copied, pasted and duplicated. A whole flow can be pasted too. */
export interface Fragment {
  format: string;
  steps: Record<string, StepDocument>;
  links: LinkDocument[];
  layout: Record<string, Point>;
  /** Remarks that are copied along. */
  notes?: Record<string, Note>;
}

const FORMAT = /^signalbox\.flow\/\d+$/;
const MOST_CHARACTERS = 2_000_000;

/** The steps with all that is inside them, and with those that only take them back. */
export function fragmentOf(doc: FlowDocument, ids: readonly string[]): Fragment {
  const chosen = withInside(doc, ids.filter((id) => doc.steps[id]));
  const kept = withUndoers(doc, chosen).filter((id, at, all) => all.indexOf(id) === at);
  const at = places(doc);
  const all = notesOf(doc);
  const notes = ids.filter((id) => all[id]);
  return {
    format: doc.format,
    steps: Object.fromEntries(kept.flatMap((id) => (doc.steps[id] ? [[id, doc.steps[id]]] : []))),
    links: doc.links.filter((link) => kept.includes(link.from) && kept.includes(link.to)),
    layout: Object.fromEntries([...kept, ...notes].map((id) => [id, at[id] ?? doc.layout?.[id] ?? [0, 0]])),
    ...(notes.length > 0 ? { notes: Object.fromEntries(notes.flatMap((id) => (all[id] ? [[id, all[id]]] : []))) } : {}),
  };
}

export const writeFragment = (fragment: Fragment): string => stringifyExact(fragment, 2);

export type Refusal = 'too_large' | 'not_json' | 'not_a_flow' | 'empty';

/** Reads what was pasted. Unknown step types are kept: the check names them. */
export function readFragment(text: string): Fragment | Refusal {
  if (text.length > MOST_CHARACTERS) return 'too_large';
  let read: unknown;
  try {
    read = parseExact(text);
  } catch {
    return 'not_json';
  }
  if (!isRecord(read) || typeof read['format'] !== 'string' || !FORMAT.test(read['format'])) return 'not_a_flow';
  const { steps, links = [], layout = {} } = read;
  if (!isRecord(steps) || !Array.isArray(links) || !isRecord(layout)) return 'not_a_flow';
  if (!Object.values(steps).every(isStep) || !links.every(isLink)) return 'not_a_flow';
  const document = fitting({ format: read['format'], name: '', trigger: { type: '', config: {} }, steps, links: links as unknown[], layout, notes: read['notes'] } as unknown as FlowDocument);
  const notes = Object.keys(notesOf({ notes: read['notes'] }));
  if (Object.keys(steps).length === 0 && notes.length === 0) return 'empty';
  return fragmentOf(document, [...Object.keys(steps), ...notes]);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isStep = (value: unknown): boolean =>
  isRecord(value) && typeof value['type'] === 'string' && isRecord(value['config'] ?? {});
const isLink = (value: unknown): boolean =>
  isRecord(value) && typeof value['from'] === 'string' && typeof value['to'] === 'string';

/** The ids that the fragment's steps get in `doc`; steps whose id is free keep it. */
export function newIds(doc: FlowDocument, fragment: Fragment): Map<string, string> {
  const ids = new Map<string, string>();
  const taken = (id: string) => id in doc.steps || [...ids.values()].includes(id);
  for (const [id, step] of Object.entries(fragment.steps)) {
    const free = !taken(id) && /^[a-z][a-z0-9_]{0,62}$/.test(id);
    ids.set(id, free ? id : newStepId(taken, id || step.type));
  }
  for (const id of Object.keys(fragment.notes ?? {})) ids.set(id, newNoteId(doc, [...ids.values()].filter(isNoteId)));
  return ids;
}

interface Pasting {
  at: Point;
  /** The container they go into; `undefined` leaves each where it stands in this flow. */
  into?: string | null;
  types: Lookup;
  portsOf: (id: string) => string[];
}

/** Put a fragment on the canvas with its upper left corner at `at`; everything in it follows the new ids. */
export const paste =
  (fragment: Fragment, ids: Map<string, string>, { at, into, types, portsOf }: Pasting): Edit =>
  (doc) => {
    const corners = Object.values(fragment.layout);
    const left = Math.min(...corners.map(([x]) => x));
    const top = Math.min(...corners.map(([, y]) => y));
    doc.layout = { ...places(doc) };
    const outer: string[] = [];
    for (const [id, step] of Object.entries(fragment.steps)) {
      const now = ids.get(id) ?? id;
      const [x, y] = fragment.layout[id] ?? [left, top];
      doc.steps[now] = follow(step, ids, types);
      const around = containerOf(fragment, id);
      if (around !== null) setContainer(doc, now, ids.get(around) ?? around);
      else {
        const stays = typeof step['in'] === 'string' && doc.steps[step['in']] ? step['in'] : null;
        setContainer(doc, now, into === undefined ? stays : into);
        outer.push(now);
      }
      doc.layout[now] = snapped([x - left + at[0], y - top + at[1]]);
    }
    for (const link of fragment.links) {
      doc.links.push({ ...link, from: ids.get(link.from) ?? link.from, to: ids.get(link.to) ?? link.to });
    }
    if (into) begin(doc, into, outer, portsOf);
    for (const [id, note] of Object.entries(fragment.notes ?? {})) {
      const [x, y] = fragment.layout[id] ?? [left, top];
      addNote(ids.get(id) ?? id, note, [x - left + at[0], y - top + at[1]])(doc);
    }
  };

/** A step under new ids: in its expressions, in what undoes it, and in fields that name steps. */
function follow(step: StepDocument, ids: Map<string, string>, types: Lookup): StepDocument {
  const next: StepDocument = { ...step, config: followNames(followIds(step.config ?? {}, ids) as StepDocument['config'], step, ids, types) };
  for (const name of ['on_error', 'concurrency']) if (step[name] !== undefined) next[name] = followIds(step[name], ids);
  const undo = step['undo'];
  if (typeof undo === 'string' && ids.has(undo)) next['undo'] = ids.get(undo);
  else delete next['undo'];
  return next;
}

function followNames(config: StepDocument['config'], step: StepDocument, ids: Map<string, string>, types: Lookup): StepDocument['config'] {
  const properties = types.step(step.type, step.version)?.config_schema['properties'];
  const renamed = (one: unknown) => (typeof one === 'string' ? (ids.get(one) ?? one) : one);
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => {
      const part = isRecord(properties) ? properties[name] : undefined;
      const widget = isRecord(part) ? part['x-widget'] : undefined;
      if (widget === 'step') return [name, renamed(value)];
      return [name, widget === 'steps' && Array.isArray(value) ? value.map(renamed) : value];
    }),
  );
}

/** `steps.old.` becomes `steps.new.` in every text of a config. */
export function followIds(value: unknown, ids: Map<string, string>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\bsteps\.([a-z][a-z0-9_]*)\b/g, (whole, id: string) =>
      ids.has(id) ? `steps.${ids.get(id)}` : whole,
    );
  }
  if (Array.isArray(value)) return value.map((one) => followIds(one, ids));
  if (isRecord(value) && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, followIds(one, ids)]));
  }
  return value;
}
