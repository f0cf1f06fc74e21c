import { Position } from '@xyflow/react';
import type { Edge, Node } from '@xyflow/react';
import type { FlowDocument, LinkDocument, StepDocument } from '~/api/types';
import type { Translate } from '~/app/messages';
import { sizes } from '~/ui/tokens';
import { isSidePort, portOfLink, portsOf, readingOrder, tintOf, TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
import { boxOf, EMPTY, FIRST, frameBoxes, framePortPlace, HEAD } from './frames';
import type { Box } from './frames';
import { BODY, childrenOf, containerOf, containersOf, framesIn, undoers, undoOf } from './nesting';
import type { CardContent, CardRunState } from './StepCard';
import { summaryOf, triggerSummary } from './summary';

export interface StepNodeData extends CardContent, Record<string, unknown> {
  /** Named for a screen reader: "Approve order, Approval". */
  name: string;
  ports: string[];
  /** A trigger has no way in. */
  entry: boolean;
  run?: CardRunState;
  findings?: { count: number; severity: 'error' | 'warning' | 'info' };
  /** A step that contains others: how large its frame is, and how many stand directly inside. */
  frame?: { width: number; height: number; count: number };
  /** Something is carried over the frame and would land inside. */
  target?: boolean;
  /** How the way into what it contains is called, in the user's words. */
  bodyWord?: string;
  /** It takes back what other steps did; no link leads to it. */
  undoes?: boolean;
  /** Another step takes back what it did. */
  undone?: boolean;
}

export interface LinkData extends Record<string, unknown> {
  port: string;
  /** Shown where a step has more than one port. */
  label: string | undefined;
  side: boolean;
  /** Its place among the document's links. */
  index: number;
  /** What its chip is drawn above. */
  layer?: number;
  /** On a run: how often it was taken; undefined where no run is shown. */
  taken?: number;
}

/** A step, the frame of one that contains others, or a note beside them. */
export type StepNodeType = Node<StepNodeData, 'step' | 'frame' | 'note'>;
/** A link, or (`undo`) the line from a step to the one that takes it back. */
export type LinkEdgeType = Edge<LinkData, 'link' | 'undo'>;

export type Point = [number, number];

const { width, height } = sizes.card;
/** Distances that leave room for a link and its port's name between two cards. */
export const COLUMN = width + 96;
export const ROW = height + 56;

/** Ports stand 24 px apart, which is what a pointer needs; a card with many of them is taller. */
const PORT_PITCH = 24;
const MARGIN = 24;

export const cardHeight = (ports: string[]): number =>
  Math.max(height, ports.filter((port) => !isSidePort(port)).length * PORT_PITCH + 16);

/** Where a port's dot has its centre, from the card's upper left corner. */
export function portPlace(port: string, ports: string[]): { side: boolean; x: number; y: number } {
  const side = isSidePort(port);
  const peers = ports.filter((other) => isSidePort(other) === side);
  const at = peers.indexOf(port);
  const tall = cardHeight(ports);
  if (side) return { side, x: Math.round((width * (at + 1)) / (peers.length + 1)), y: tall };
  return { side, x: width, y: tall / 2 + (at - (peers.length - 1) / 2) * PORT_PITCH };
}

/** The same place as a share of the card: its frame, which is thicker on a run, then shifts no port. */
export function portStyle(port: string, ports: string[]): { left: string } | { top: string } {
  const { side, x, y } = portPlace(port, ports);
  return side ? { left: `${(x / width) * 100}%` } : { top: `${(y / cardHeight(ports)) * 100}%` };
}

/** The wish, or the nearest place below it where no card is covered. */
export function freePlace(taken: Point[], [x, start]: Point): Point {
  const near = taken.filter(([other]) => Math.abs(other - x) < width + MARGIN);
  let y = start;
  for (let tries = 0; tries <= taken.length; tries += 1) {
    const hit = near.find(([, other]) => Math.abs(other - y) < height + MARGIN);
    if (!hit) break;
    y = Math.ceil((hit[1] + height + MARGIN) / 8) * 8;
  }
  return [x, y];
}

const isPoint = (value: unknown): value is Point =>
  Array.isArray(value) && value.length >= 2 && Number.isFinite(value[0]) && Number.isFinite(value[1]);

/**
 * A place for every step that has none: by distance from where its scope begins, one below the
 * other. Places are those on the canvas, also of steps inside others.
 */
export function places(document: FlowDocument): Record<string, Point> {
  const layout = document.layout ?? {};
  const ids = [TRIGGER, ...Object.keys(document.steps)];
  if (ids.every((id) => isPoint(layout[id]))) return layout;
  const found: Record<string, Point> = {};
  for (const id of ids) {
    const given = layout[id];
    if (isPoint(given)) found[id] = given;
  }
  const children = childrenOf(document);
  const columns = columnsIn(document);
  // How much a step takes: a card, or all that is inside it. Only steps without a place are asked.
  const extent = (id: string): { width: number; height: number } => {
    const inside = children.get(id);
    if (!inside) return { width, height };
    const widest = Math.max(...inside.map((one) => columns.get(one) ?? 0)) + 1;
    const extents = inside.map(extent);
    return {
      width: EMPTY.width - width + widest * Math.max(...extents.map((one) => one.width)) + (widest - 1) * (COLUMN - width),
      height: EMPTY.height - height + extents.reduce((sum, one) => sum + one.height + ROW - height, height - ROW),
    };
  };
  const spread = (scope: string | null, [x, y]: Point) => {
    const peers = [...(scope === null ? [TRIGGER] : []), ...(children.get(scope) ?? [])];
    const known = peers.flatMap((one) => (found[one] ? [found[one]] : []));
    const below = new Map<number, number>();
    let left = x;
    for (let column = 0; column <= Math.max(0, ...peers.map((one) => columns.get(one) ?? 0)); column += 1) {
      const here = peers.filter((one) => (columns.get(one) ?? 0) === column);
      for (const id of here.filter((one) => !found[one])) {
        const size = extent(id);
        found[id] = freePlace(known, [left, y + (below.get(column) ?? 0)]);
        known.push(found[id]);
        below.set(column, found[id][1] - y + size.height + ROW - height);
      }
      left += Math.max(width, ...here.map((one) => extent(one).width)) + COLUMN - width;
    }
    for (const id of children.get(scope) ?? []) {
      const corner = found[id] ?? [0, 0];
      if (children.has(id)) spread(id, [corner[0] + FIRST[0], corner[1] + FIRST[1]]);
    }
  };
  spread(null, [0, 0]);
  return found;
}

/** How many links lead to each step from where its scope begins. */
function columnsIn(document: FlowDocument): Map<string, number> {
  const depth = new Map<string, number>([[TRIGGER, 0]]);
  for (const id of [TRIGGER, ...readingOrder(document)]) {
    for (const link of document.links) {
      if (link.from !== id || depth.has(link.to) || !document.steps[link.to]) continue;
      const within = containerOf(document, link.to) === id;
      depth.set(link.to, within ? 0 : (depth.get(id) ?? 0) + 1);
    }
    if (!depth.has(id)) depth.set(id, 0);
  }
  return depth;
}

/** Ports of a step, with those its links use in case the type is unknown. */
export function portsIn(document: Pick<FlowDocument, 'steps' | 'links'>, id: string, types: Lookup): string[] {
  if (id === TRIGGER) return ['done'];
  const step = document.steps[id];
  if (!step) return [];
  const type = types.step(step.type, step.version);
  if (type) return portsOf(step, type);
  return portsOf(step, type, document.links.filter((link) => link.from === id).map((link) => link.port ?? 'done'));
}

function cardOf(document: FlowDocument, id: string, step: StepDocument, types: Lookup, t: Translate): CardContent & { name: string } {
  const type = types.step(step.type, step.version);
  const title = step.title || type?.title || id;
  const unknown = !type && types.steps.length > 0;
  const kind = type?.title ?? step.type;
  return {
    title,
    name: t('canvas.step_name', { title, kind }),
    summary: unknown ? t('canvas.unknown', { kind: step.type }) : summaryOf(step, type, t, (one) => document.steps[one]?.title || one),
    icon: type?.icon,
    tint: tintOf(type),
    outward: type?.outward,
    unknown,
  };
}

function triggerCard(document: FlowDocument, types: Lookup, t: Translate): CardContent & { name: string } {
  const type = types.trigger(document.trigger.type);
  const title = (document.trigger['title'] as string | undefined) ?? type?.title ?? document.trigger.type;
  return {
    title,
    name: t('canvas.step_name', { title, kind: t('canvas.trigger') }),
    summary: triggerSummary(document.trigger, type, t),
    icon: type?.icon ?? 'webhook',
    tint: 'signal',
    trigger: true,
  };
}

const DOT = 10;

type Handles = NonNullable<StepNodeType['handles']>;

/** Where links begin and end, so that React Flow need not measure a card before it draws them. */
function handlesOf(ports: string[], data: Pick<StepNodeData, 'entry' | 'frame' | 'undoes' | 'undone'>): Handles {
  const dot = { width: DOT, height: DOT };
  const tall = data.frame?.height ?? cardHeight(ports);
  const ways = ports.map((port) => {
    const { side, x, y } = data.frame ? framePortPlace(port, ports, data.frame) : portPlace(port, ports);
    return { id: port, type: 'source' as const, position: side ? Position.Bottom : Position.Right, x: x - DOT / 2, y: y - DOT / 2, ...dot };
  });
  const entry = { id: 'in', type: 'target' as const, position: Position.Left, x: -DOT / 2, y: (data.frame ? HEAD : tall) / 2 - DOT / 2, ...dot };
  const undo = { id: UNDO, type: 'source' as const, position: Position.Bottom, x: UNDO_X - DOT / 2, y: tall - DOT / 2, ...dot };
  const undone = { id: UNDONE, type: 'target' as const, position: Position.Top, x: UNDO_X - DOT / 2, y: -DOT / 2, ...dot };
  return [...(data.entry ? [] : [entry]), ...ways, ...(data.undone ? [undo] : []), ...(data.undoes ? [undone] : [])];
}

/** Ends of the line from a step to the one that takes it back; nobody draws links from them. */
export const UNDO = ':undo';
export const UNDONE = ':undone';
/** Left of the ways that leave at the bottom. */
export const UNDO_X = 28;
/** Between a step and the one that takes it back: room for the ways that leave at the bottom. */
export const UNDO_GAP = 80;

/** What is drawn above what: a frame, links over it, cards over those; what is inside above what is around. */
const LAYERS = 4;
export const layerOf = (depth: number, part: 'frame' | 'link' | 'card' | 'chosen'): number => depth * LAYERS + ['frame', 'link', 'card', 'chosen'].indexOf(part);

/** What the drawing of one step needs to know of the others. */
export interface Picture {
  at: Record<string, Point>;
  frames: Map<string, Box>;
  undoers: Map<string, string[]>;
  children: Map<string | null, string[]>;
}

export function pictureOf(document: FlowDocument, types: Lookup): Picture {
  const at = places(document);
  return { at, frames: frameBoxes(document, types, at), undoers: undoers(document), children: childrenOf(document) };
}

/** The way into a container, as its own kind would say it. */
export function bodyWord(kind: string, t: Translate): string {
  return t(kind === 'for_each' ? 'canvas.body.item' : kind === 'repeat' ? 'canvas.body.round' : 'canvas.body.first');
}

/** A port's name in the user's words. */
export const portWord = (document: FlowDocument, id: string, port: string, types: Lookup, t: Translate): string =>
  port === BODY && framesIn({ steps: document.steps }, types).has(id) ? bodyWord(document.steps[id]?.type ?? '', t) : port;

/** What a card or a frame says, and its ways. */
export function drawCard(document: FlowDocument, id: string, types: Lookup, t: Translate): StepNodeData {
  const step = document.steps[id];
  const card = id === TRIGGER || !step ? triggerCard(document, types, t) : cardOf(document, id, step, types, t);
  return { ...card, ports: portsIn(document, id, types), entry: id === TRIGGER };
}

/** One step, or the trigger, as React Flow draws it. */
export function drawNode(document: FlowDocument, id: string, types: Lookup, t: Translate, picture: Picture): StepNodeType {
  const card = drawCard(document, id, types, t);
  const box = boxOf(document, id, types, picture.at, picture.frames);
  const isFrame = picture.frames.has(id);
  const around = containersOf(document, id);
  const parent = around[0] === undefined ? undefined : picture.frames.get(around[0]);
  const takenBack = picture.undoers.get(id);
  const data: StepNodeData = {
    ...card,
    ...(takenBack ? { undoes: true, summary: t('canvas.undoes', { title: takenBack.map((one) => document.steps[one]?.title || one).join(', ') }) } : {}),
    ...(isFrame ? { frame: { width: box.width, height: box.height, count: (picture.children.get(id) ?? []).length }, bodyWord: bodyWord(document.steps[id]?.type ?? '', t) } : {}),
    ...(undoOf(document, id) !== null ? { undone: true } : {}),
  };
  return {
    id,
    type: isFrame ? 'frame' : 'step',
    ...(around[0] !== undefined && parent ? { parentId: around[0], position: { x: box.x - parent.x, y: box.y - parent.y } } : { position: { x: box.x, y: box.y } }),
    width: box.width,
    height: box.height,
    measured: { width: box.width, height: box.height },
    handles: handlesOf(card.ports, data),
    sourcePosition: Position.Right,
    targetPosition: Position.Left,
    zIndex: layerOf(around.length, isFrame ? 'frame' : 'card'),
    // Only its bar takes hold of a frame: between the steps inside it is canvas.
    ...(isFrame ? { dragHandle: `.${FRAME_BAR}`, style: { pointerEvents: 'none' as const } } : {}),
    ariaLabel: card.name,
    // One tab stop for the whole canvas: cards take the focus only from it. A group, since ports stand inside.
    ariaRole: 'group',
    domAttributes: { tabIndex: -1, 'aria-roledescription': t('canvas.step') },
    data,
  };
}

/** The class of what a frame is moved by. */
export const FRAME_BAR = 'sb-frame-bar';

/** Frames before what is inside them, which React Flow asks for. */
export const outerFirst = (document: FlowDocument, ids: string[]): string[] =>
  Object.values(document.steps).some((step) => typeof step['in'] === 'string')
    ? [...ids].sort((a, b) => containersOf(document, a).length - containersOf(document, b).length)
    : ids;

/** The document as React Flow draws it. Pure: positions come from the layout, or are made up. */
export function drawNodes(document: FlowDocument, types: Lookup, t: Translate): StepNodeType[] {
  const picture = pictureOf(document, types);
  return outerFirst(document, [TRIGGER, ...readingOrder(document)]).map((id) => drawNode(document, id, types, t, picture));
}

export const linkId = (from: string, port: string, to: string) => `${from}:${port}>${to}`;

type Drawable = Pick<FlowDocument, 'steps' | 'links'>;

export function drawLinks(document: Drawable, types: Lookup, t: Translate): LinkEdgeType[] {
  return document.links.flatMap((link, index) => (canBeDrawn(document, link) ? [drawLink(document, link, index, types, t)] : []));
}

/** Whether both of its ends are there. */
export const canBeDrawn = (document: Drawable, link: LinkDocument): boolean =>
  link.to in document.steps && (link.from === TRIGGER || link.from in document.steps);

export function drawLink(document: Drawable, link: LinkDocument, index: number, types: Lookup, t: Translate): LinkEdgeType {
  const ports = portsIn(document, link.from, types);
  const port = portOfLink(link.port, ports);
  const layer = layerOf(containersOf(document, link.to).length, 'link');
  const word = port === BODY ? bodyWord(document.steps[link.from]?.type ?? '', t) : port;
  return {
    id: linkId(link.from, port, link.to),
    type: 'link' as const,
    source: link.from,
    sourceHandle: port,
    target: link.to,
    targetHandle: 'in',
    zIndex: layer,
    data: { port, label: ports.length > 1 ? word : undefined, side: isSidePort(port), index, layer },
  };
}

/** Lines from steps to those that take them back. */
export function drawUndos(document: Pick<FlowDocument, 'steps'>): LinkEdgeType[] {
  return [...undoers(document)].flatMap(([undo, ids]) =>
    ids.map((id) => ({ id, layer: layerOf(containersOf(document, id).length, 'link') })).map(({ id, layer }) => ({
      id: `undo:${id}`,
      type: 'undo' as const,
      source: id,
      sourceHandle: UNDO,
      target: undo,
      targetHandle: UNDONE,
      selectable: false,
      focusable: false,
      zIndex: layer,
      data: { port: UNDO, label: undefined, side: true, index: -1, layer },
    })),
  );
}
