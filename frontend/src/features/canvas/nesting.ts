import { isDraft } from 'immer';
import type { FlowDocument } from '~/api/types';
import type { Lookup } from './catalogue';

/** The way out of a container by which its inside begins. */
export const BODY = 'body';

type Steps = FlowDocument['steps'];

/** The step that contains this one; `null` at the top, and where `in` names nothing that could contain it. */
export function containerOf(doc: { steps: Steps }, id: string): string | null {
  const inside = doc.steps[id]?.['in'];
  if (typeof inside !== 'string' || !doc.steps[inside]) return null;
  // Steps that contain each other are a fault of the document; they are drawn as if they did not.
  const seen = new Set([id]);
  for (let here: unknown = inside; typeof here === 'string' && doc.steps[here]; here = doc.steps[here]?.['in']) {
    if (seen.has(here)) return null;
    seen.add(here);
  }
  return inside;
}

/** Those around a step, the nearest first. */
export function containersOf(doc: { steps: Steps }, id: string): string[] {
  const found: string[] = [];
  for (let here = containerOf(doc, id); here !== null; here = containerOf(doc, here)) found.push(here);
  return found;
}

/** Steps by the one that directly contains them, `null` for the top, in document order. */
export function childrenOf(doc: { steps: Steps }): Map<string | null, string[]> {
  const found = new Map<string | null, string[]>();
  for (const id of Object.keys(doc.steps)) {
    const container = containerOf(doc, id);
    const peers = found.get(container);
    if (peers) peers.push(id);
    else found.set(container, [id]);
  }
  return found;
}

/** Everything inside these steps, however deep, without themselves. */
export function insideOf(doc: { steps: Steps }, ids: readonly string[]): string[] {
  const children = childrenOf(doc);
  const walk = (id: string): string[] => (children.get(id) ?? []).flatMap((one) => [one, ...walk(one)]);
  return [...new Set(ids.flatMap(walk))].filter((id) => !ids.includes(id));
}

/** The steps with everything inside them. */
export const withInside = (doc: { steps: Steps }, ids: readonly string[]): string[] => [...ids, ...insideOf(doc, ids)];

/** Without those that come along because something around them is among the ids. */
export const outermost = (doc: { steps: Steps }, ids: readonly string[]): string[] =>
  ids.filter((id) => !containersOf(doc, id).some((one) => ids.includes(one)));

/** Whether steps of this type contain others. */
export const canContain = (doc: { steps: Steps }, id: string, types: Lookup): boolean => {
  const step = doc.steps[id];
  return step !== undefined && types.step(step.type, step.version)?.behaviour === 'scope';
};

/** What is drawn as a frame: each step that may contain others, and whatever does (its type may be unknown here). */
export function framesIn(doc: { steps: Steps }, types: Lookup): Set<string> {
  const found = new Set<string>();
  for (const [id, step] of Object.entries(doc.steps)) {
    if (types.step(step.type, step.version)?.behaviour === 'scope') found.add(id);
    const container = typeof step['in'] === 'string' ? containerOf(doc, id) : null;
    if (container !== null) found.add(container);
  }
  return found;
}

/** The container in which a link that leaves by this way must end. */
export const scopeOfWay = (doc: { steps: Steps }, from: string, port: string | undefined, types: Lookup): string | null =>
  port === BODY && canContain(doc, from, types) ? from : containerOf(doc, from);

/** The step that takes back what this one did, if it names one that is there. */
export function undoOf(doc: { steps: Steps }, id: string): string | null {
  const undo = doc.steps[id]?.['undo'];
  return typeof undo === 'string' && undo !== id && doc.steps[undo] !== undefined ? undo : null;
}

const undoersOf = new WeakMap<Steps, Map<string, string[]>>();

/** Steps that do nothing but take back others, each with those. Sorted out once for each state of the steps. */
export function undoers(doc: { steps: Steps }): Map<string, string[]> {
  const known = isDraft(doc.steps) ? undefined : undoersOf.get(doc.steps);
  if (known) return known;
  const found = new Map<string, string[]>();
  for (const id of Object.keys(doc.steps)) {
    const undo = undoOf(doc, id);
    if (undo !== null) found.set(undo, [...(found.get(undo) ?? []), id]);
  }
  if (!isDraft(doc.steps)) undoersOf.set(doc.steps, found);
  return found;
}
