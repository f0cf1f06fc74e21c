import type { FlowDocument } from '~/api/types';
import { TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { bottom, boxOf, EMPTY, FIRST, frameBoxes, right } from '~/features/canvas/frames';
import type { Box } from '~/features/canvas/frames';
import { COLUMN, places, UNDO_GAP } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { BODY, canContain, childrenOf, containerOf, containersOf, withInside } from '~/features/canvas/nesting';
import { SNAP } from '~/features/canvas/zoom';
import { sizes } from '~/ui/tokens';
import type { Room } from './document';
import { withUndoers } from './inside';
import { reachable } from './links';
import type { PortRef } from './links';

const GAP = COLUMN - sizes.card.width;
const MARGIN = 24;

export const snapped = ([x, y]: Point): Point => [
  Math.round(x / SNAP[0]) * SNAP[0],
  Math.round(y / SNAP[1]) * SNAP[1],
];

const up = (value: number): number => Math.ceil(value / SNAP[0]) * SNAP[0];

type Measure = (id: string) => Box;

/** What each step covers on the canvas. */
export function measured(doc: FlowDocument, types: Lookup): Measure {
  const at = places(doc);
  const frames = frameBoxes(doc, types, at);
  return (id) => boxOf(doc, id, types, at, frames);
}

const peersIn = (doc: FlowDocument, scope: string | null): string[] => [...(scope === null ? [TRIGGER] : []), ...(childrenOf(doc).get(scope) ?? [])];

/** How large a new step is drawn. */
const sizeOfNew = (isFrame: boolean) => (isFrame ? EMPTY : sizes.card);

/** The wish, or the nearest place below it where nothing that stands in the scope is covered. */
export function freeIn(doc: FlowDocument, scope: string | null, types: Lookup, wish: Point, isFrame = false): Point {
  const box = measured(doc, types);
  const { width, height } = sizeOfNew(isFrame);
  const [x, start] = snapped(wish);
  const near = peersIn(doc, scope).map(box).filter((one) => one.x < x + width + MARGIN && right(one) + MARGIN > x);
  let y = start;
  for (let tries = 0; tries <= near.length; tries += 1) {
    const hit = near.find((one) => one.y < y + height + MARGIN && bottom(one) + MARGIN > y);
    if (!hit) break;
    y = up(bottom(hit) + MARGIN);
  }
  return [x, y];
}

/** A place behind a way out: to the right, below for one that leaves at the bottom, inside for one that leads there. */
export function placeAfter(doc: FlowDocument, way: PortRef, types: Lookup, below = false): Point {
  const box = measured(doc, types)(way.from);
  if (way.port === BODY && canContain(doc, way.from, types)) return [box.x + FIRST[0], box.y + FIRST[1]];
  return below ? [box.x + COLUMN / 2, box.y + box.height + UNDO_GAP] : [right(box) + GAP, box.y];
}

/** Where a step between two others stands, and how far everything behind must move right for it. */
export function roomBetween(doc: FlowDocument, from: string, to: string, types: Lookup, isFrame: boolean, wish?: Point): Room {
  const box = measured(doc, types);
  const first = box(from);
  const last = box(to);
  const within = containerOf(doc, to) === from;
  const start = within ? first.x + FIRST[0] : right(first) + GAP;
  const isRight = within ? last.x >= start : last.x > first.x;
  const by = isRight ? Math.max(0, up(start + sizeOfNew(isFrame).width + GAP - last.x)) : 0;
  const at: Point = wish && by === 0 ? wish : [start, isRight ? last.y : first.y];
  if (by === 0) return { at, ids: [], by };
  const behind = withUndoers(doc, withInside(doc, [...new Set([to, ...reachable(doc, to)])])).filter((id) => id !== TRIGGER && id !== from && !containersOf(doc, from).includes(id));
  return { at, by, ids: behind.filter((id) => box(id).x >= last.x) };
}

/**
 * After an edit: frames that grew push what stood right of them or below, so that nothing is
 * covered; a frame's place is its corner as it is drawn. `before` is what each frame covered.
 */
export function settleFrames(doc: FlowDocument, types: Lookup, before: Map<string, Box>): void {
  const layout = (doc.layout ??= {});
  const depth = (id: string) => containersOf(doc, id).length;
  const frames = [...frameBoxes(doc, types, places(doc)).keys()].sort((a, b) => depth(b) - depth(a));
  for (const id of frames) {
    const now = frameBoxes(doc, types, places(doc)).get(id);
    if (!now) continue;
    layout[id] = [now.x, now.y];
    const old = before.get(id);
    if (!old) continue;
    const box = measured(doc, types);
    const peers = peersIn(doc, containerOf(doc, id)).filter((one) => one !== id);
    const [dx, dy] = [up(right(now) - right(old)), up(bottom(now) - bottom(old))];
    for (const one of peers) {
      const there = box(one);
      const isRight = dx > 0 && there.x >= right(old) && there.y < bottom(now) + MARGIN && there.y + there.height + MARGIN > now.y;
      const isBelow = !isRight && dy > 0 && there.y >= bottom(old) && there.x < right(now) + MARGIN && right(there) + MARGIN > now.x;
      if (!isRight && !isBelow) continue;
      for (const part of withInside(doc, [one])) {
        const [x, y] = layout[part] ?? [0, 0];
        layout[part] = isRight ? [x + dx, y] : [x, y + dy];
      }
    }
  }
}

/** What each frame covers now. */
export const framesNow = (doc: FlowDocument, types: Lookup): Map<string, Box> => frameBoxes(doc, types, places(doc));
