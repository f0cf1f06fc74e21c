import type { FlowDocument } from '~/api/types';
import { readingOrder, TRIGGER } from './catalogue';
import { containerOf, containersOf, undoers } from './nesting';

export type Move = 'right' | 'left' | 'up' | 'down' | 'home' | 'end';

export const MOVES: Record<string, Move> = {
  ArrowRight: 'right', ArrowLeft: 'left', ArrowUp: 'up', ArrowDown: 'down', Home: 'home', End: 'end',
};

const after = (document: FlowDocument, id: string) =>
  [...new Set(document.links.filter((link) => link.from === id).map((link) => link.to))];
const before = (document: FlowDocument, id: string) =>
  [...new Set(document.links.filter((link) => link.to === id).map((link) => link.from))];

/**
 * Where the focus goes from `id`: right and left along the links, up and down among the steps that
 * share a predecessor, else to the nearest card that way, so that every card can be reached; Home to
 * the trigger. Right goes into a step that contains others, and from its last one on to what follows
 * it. Stays where there is nowhere to go.
 */
export function walk(document: FlowDocument, id: string, move: Move, at: Record<string, [number, number]>): string {
  const order = readingOrder(document);
  const byHeight = (ids: string[]) => [...ids].sort((a, b) => (at[a]?.[1] ?? 0) - (at[b]?.[1] ?? 0));
  const known = (ids: string[]) => ids.filter((one) => one === TRIGGER || one in document.steps);
  if (move === 'home') return TRIGGER;
  if (move === 'end') return order[order.length - 1] ?? TRIGGER;
  if (move === 'right') return onward(document, id, (ids) => byHeight(known(ids))) ?? id;
  if (move === 'left') return byHeight(known(before(document, id)))[0] ?? undoers(document).get(id)?.[0] ?? containerOf(document, id) ?? id;
  const parents = before(document, id);
  let peers = byHeight([...new Set(parents.flatMap((parent) => known(after(document, parent))))]);
  // Steps that nothing leads to are each other's neighbours; otherwise they could not be reached.
  if (parents.length === 0) peers = [TRIGGER, ...order.filter((one) => before(document, one).length === 0)];
  const next = peers[peers.indexOf(id) + (move === 'down' ? 1 : -1)];
  return next ?? nearest(known([TRIGGER, ...order]), id, move === 'down' ? 1 : -1, at) ?? id;
}

function onward(document: FlowDocument, id: string, sorted: (ids: string[]) => string[]): string | undefined {
  const isInside = (one: string) => containerOf(document, one) === id;
  const inside = sorted([...after(document, id).filter(isInside), ...Object.keys(document.steps).filter(isInside)]);
  const begins = sorted(after(document, id).filter(isInside))[0] ?? inside[0];
  if (begins !== undefined) return begins;
  const ways = [id, ...containersOf(document, id)].map((one) => sorted(after(document, one).filter((to) => containerOf(document, to) !== one))[0]);
  return ways.find((to) => to !== undefined);
}

function nearest(ids: string[], id: string, sign: 1 | -1, at: Record<string, [number, number]>): string | undefined {
  const [x, y] = at[id] ?? [0, 0];
  const far = (one: string) => Math.abs((at[one]?.[0] ?? 0) - x) + Math.abs((at[one]?.[1] ?? 0) - y);
  return ids
    .filter((one) => one !== id && Math.sign((at[one]?.[1] ?? 0) - y) === sign)
    .sort((a, b) => far(a) - far(b))[0];
}
