import type { FlowDocument } from '~/api/types';
import { TRIGGER } from '~/features/canvas/catalogue';
import { COLUMN, freePlace, places, ROW } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { SNAP } from '~/features/canvas/zoom';
import { reachable } from './links';

export const snapped = ([x, y]: Point): Point => [
  Math.round(x / SNAP[0]) * SNAP[0],
  Math.round(y / SNAP[1]) * SNAP[1],
];

/** A place to the right of a step; what leaves by a lower port is put below. */
export function placeAfter(doc: FlowDocument, from: string, below = false): Point {
  const all = places(doc);
  const [x, y] = all[from] ?? [0, 0];
  return freePlace(Object.values(all), snapped(below ? [x + COLUMN / 2, y + ROW + 24] : [x + COLUMN, y]));
}

/** How far everything behind `to` must move right so that a card fits between the two. */
export function roomNeeded(doc: FlowDocument, from: string, to: string): { by: number; ids: string[] } {
  const all = places(doc);
  const [fromX] = all[from] ?? [0, 0];
  const [toX] = all[to] ?? [0, 0];
  const by = toX > fromX ? Math.max(0, fromX + 2 * COLUMN - toX) : 0;
  if (by === 0) return { by: 0, ids: [] };
  const behind = [...new Set([to, ...reachable(doc, to)])].filter((id) => id !== TRIGGER && id !== from);
  return { by: snapped([by, 0])[0], ids: behind.filter((id) => (all[id]?.[0] ?? 0) >= toX) };
}
