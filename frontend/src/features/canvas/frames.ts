import type { FlowDocument } from '~/api/types';
import { sizes } from '~/ui/tokens';
import { isSidePort, TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
import { cardHeight, portsIn } from './graph';
import type { Point } from './graph';
import { BODY, childrenOf, containersOf, framesIn } from './nesting';

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** A frame's title bar, and the room it keeps around the steps inside and the `+` of their ways. */
export const HEAD = sizes.card.height;
export const PAD = { left: 112, top: 32, right: 120, bottom: 72 };
/** A frame in which there is nothing yet: room for one card. */
export const EMPTY = { width: PAD.left + sizes.card.width + PAD.right, height: HEAD + PAD.top + sizes.card.height + PAD.bottom };
/** Where the way inside begins, from the frame's corner. */
export const BODY_AT = { x: 20, y: HEAD + PAD.top + sizes.card.height / 2 };

/** Where the first step of a frame stands, seen from the frame's corner. */
export const FIRST: Point = [PAD.left, HEAD + PAD.top];

export const right = (box: Box): number => box.x + box.width;
export const bottom = (box: Box): number => box.y + box.height;
export const holds = (box: Box, [x, y]: Point): boolean => x >= box.x && x <= right(box) && y >= box.y && y <= bottom(box);

/**
 * The frames as they are drawn: from the container's own place, as large as what stands inside
 * needs; further out where a step stands beyond the corner.
 */
export function frameBoxes(document: FlowDocument, types: Lookup, at: Record<string, Point>): Map<string, Box> {
  const frames = framesIn(document, types);
  const found = new Map<string, Box>();
  if (frames.size === 0) return found;
  const children = childrenOf(document);
  const measure = (id: string): Box => {
    const [x, y] = at[id] ?? [0, 0];
    const width = sizes.card.width;
    if (!frames.has(id)) return { x, y, width, height: cardHeight(portsIn(document, id, types)) };
    const inside = (children.get(id) ?? []).map(measure);
    const left = Math.min(x, ...inside.map((box) => box.x - PAD.left));
    const top = Math.min(y, ...inside.map((box) => box.y - PAD.top - HEAD));
    const box = {
      x: left,
      y: top,
      width: Math.max(left + EMPTY.width, ...inside.map((one) => right(one) + PAD.right)) - left,
      height: Math.max(top + EMPTY.height, ...inside.map((one) => bottom(one) + PAD.bottom)) - top,
    };
    found.set(id, box);
    return box;
  };
  for (const id of children.get(null) ?? []) measure(id);
  return found;
}

/** What a step, a frame or the trigger covers. */
export function boxOf(document: FlowDocument, id: string, types: Lookup, at: Record<string, Point>, frames: Map<string, Box>): Box {
  const [x, y] = at[id] ?? [0, 0];
  const height = id === TRIGGER ? sizes.card.height : cardHeight(portsIn(document, id, types));
  return frames.get(id) ?? { x, y, width: sizes.card.width, height };
}

/** The innermost frame at a point of the canvas; `without`: steps on their way, with all that is in them. */
export function frameAt(document: FlowDocument, frames: Map<string, Box>, point: Point, without: readonly string[] = []): string | null {
  const hit = [...frames].filter(([id, box]) => holds(box, point) && ![id, ...containersOf(document, id)].some((one) => without.includes(one)));
  const depth = (id: string) => containersOf(document, id).length;
  return hit.sort(([a], [b]) => depth(b) - depth(a))[0]?.[0] ?? null;
}

/** Where the dot of a frame's port has its centre, from the frame's corner. The way inside begins inside, at the left. */
export function framePortPlace(port: string, ports: string[], size: { width: number; height: number }): { side: boolean; x: number; y: number } {
  if (port === BODY) return { side: false, ...BODY_AT };
  const side = isSidePort(port);
  const peers = ports.filter((other) => other !== BODY && isSidePort(other) === side);
  const at = peers.indexOf(port);
  // Near the left end: a frame may be far wider than what is seen of it.
  if (side) return { side, x: 112 * (at + 1), y: size.height };
  return { side, x: size.width, y: HEAD / 2 + (at - (peers.length - 1) / 2) * 24 };
}
