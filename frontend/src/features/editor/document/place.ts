import type { FlowDocument } from '~/api/types';
import { reachable, TRIGGER } from './links';

export type Point = [number, number];

/** Distances that leave room for a link and its port's name between two cards. */
export const COLUMN = 304;
export const ROW = 112;
export const SNAP = 8;
const CARD = { width: 224, height: 64 };
const MARGIN = 24;

export const snapped = ([x, y]: Point): Point => [
  Math.round(x / SNAP) * SNAP,
  Math.round(y / SNAP) * SNAP,
];

/**
 * Where everything stands. What has no place in `layout` (a document written by a program) is put
 * in columns by its distance from the trigger, so that such a flow can be read and edited at once.
 */
export function positions(doc: FlowDocument): Record<string, Point> {
  const ids = [TRIGGER, ...Object.keys(doc.steps)];
  const layout = doc.layout ?? {};
  const missing = ids.filter((id) => !isPoint(layout[id]));
  if (missing.length === 0) return layout;
  const columns = distances(doc);
  const rows = new Map<number, number>();
  const placed: Record<string, Point> = {};
  for (const id of ids) {
    const given = layout[id];
    if (isPoint(given)) placed[id] = given;
  }
  for (const id of missing) {
    const column = columns.get(id) ?? 0;
    const row = rows.get(column) ?? 0;
    rows.set(column, row + 1);
    placed[id] = freePlace(Object.values(placed), [column * COLUMN, row * ROW]);
  }
  return placed;
}

const isPoint = (value: unknown): value is Point =>
  Array.isArray(value) && value.length >= 2 && value.slice(0, 2).every((part) => Number.isFinite(part));

function distances(doc: FlowDocument): Map<string, number> {
  const far = new Map<string, number>([[TRIGGER, 0]]);
  const open = [TRIGGER];
  for (let id = open.shift(); id !== undefined; id = open.shift()) {
    for (const link of doc.links) {
      if (link.from !== id || far.has(link.to)) continue;
      far.set(link.to, (far.get(id) ?? 0) + 1);
      open.push(link.to);
    }
  }
  return far;
}

/** The wish, or the nearest place below it where no card is covered. */
export function freePlace(taken: Point[], wish: Point): Point {
  const [x, start] = snapped(wish);
  const near = taken.filter(([other]) => Math.abs(other - x) < CARD.width + MARGIN);
  let y = start;
  for (let tries = 0; tries < 500; tries += 1) {
    const hit = near.find(([, other]) => Math.abs(other - y) < CARD.height + MARGIN);
    if (!hit) break;
    y = Math.ceil((hit[1] + CARD.height + MARGIN + 1) / SNAP) * SNAP;
  }
  return [x, y];
}

/** A place to the right of a step; what leaves by a lower port is put below. */
export function placeAfter(doc: FlowDocument, from: string, below = false): Point {
  const all = positions(doc);
  const [x, y] = all[from] ?? [0, 0];
  return freePlace(Object.values(all), below ? [x + COLUMN / 2, y + ROW + 32] : [x + COLUMN, y]);
}

/** How far everything behind `to` must move right so that a card fits between the two. */
export function roomNeeded(doc: FlowDocument, from: string, to: string): { by: number; ids: string[] } {
  const all = positions(doc);
  const [fromX] = all[from] ?? [0, 0];
  const [toX] = all[to] ?? [0, 0];
  const by = toX > fromX ? Math.max(0, fromX + 2 * COLUMN - toX) : 0;
  if (by === 0) return { by: 0, ids: [] };
  const behind = reachable(doc, to);
  const ids = [to, ...behind].filter((id, at, list) => list.indexOf(id) === at && id !== TRIGGER && id !== from);
  return { by: Math.ceil(by / SNAP) * SNAP, ids: ids.filter((id) => (all[id]?.[0] ?? 0) >= toX) };
}
