import type { Box } from '~/features/canvas/frames';
import type { Point } from '~/features/canvas/graph';

export const ALIGNMENTS = ['left', 'centre', 'right', 'top', 'middle', 'bottom'] as const;
export type Alignment = (typeof ALIGNMENTS)[number];
export type Axis = 'across' | 'down';

type Boxes = Record<string, Box>;

const values = (boxes: Boxes) => Object.values(boxes);

/** Where things stand after they were aligned at an edge or a middle of all of them. */
export function aligned(boxes: Boxes, how: Alignment): Record<string, Point> {
  const all = values(boxes);
  const left = Math.min(...all.map((box) => box.x));
  const right = Math.max(...all.map((box) => box.x + box.width));
  const top = Math.min(...all.map((box) => box.y));
  const bottom = Math.max(...all.map((box) => box.y + box.height));
  const to: Record<Alignment, (box: Box) => Point> = {
    left: (box) => [left, box.y],
    centre: (box) => [(left + right - box.width) / 2, box.y],
    right: (box) => [right - box.width, box.y],
    top: (box) => [box.x, top],
    middle: (box) => [box.x, (top + bottom - box.height) / 2],
    bottom: (box) => [box.x, bottom - box.height],
  };
  return Object.fromEntries(Object.entries(boxes).map(([id, box]) => [id, to[how](box)]));
}

/** Equal gaps between things, the outer two where they are. */
export function distributed(boxes: Boxes, axis: Axis): Record<string, Point> {
  const from = (box: Box) => (axis === 'across' ? box.x : box.y);
  const size = (box: Box) => (axis === 'across' ? box.width : box.height);
  const order = Object.entries(boxes).sort(([, a], [, b]) => from(a) - from(b));
  const [first, last] = [order[0]?.[1], order.at(-1)?.[1]];
  if (!first || !last || order.length < 3) return Object.fromEntries(order.map(([id, box]) => [id, [box.x, box.y] as Point]));
  const room = from(last) + size(last) - from(first) - order.reduce((sum, [, box]) => sum + size(box), 0);
  const gap = room / (order.length - 1);
  let at = from(first);
  const places: Record<string, Point> = {};
  for (const [id, box] of order) {
    places[id] = axis === 'across' ? [at, box.y] : [box.x, at];
    at += size(box) + gap;
  }
  return places;
}
