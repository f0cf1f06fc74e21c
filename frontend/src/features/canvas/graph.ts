import { Position } from '@xyflow/react';
import type { Edge, Node } from '@xyflow/react';
import type { FlowDocument, StepDocument } from '~/api/types';
import type { Translate } from '~/app/messages';
import { sizes } from '~/ui/tokens';
import { isSidePort, portOfLink, portsOf, readingOrder, tintOf, TRIGGER } from './catalogue';
import type { Lookup } from './catalogue';
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
}

export interface LinkData extends Record<string, unknown> {
  port: string;
  /** Shown where a step has more than one port. */
  label: string | undefined;
  side: boolean;
  /** Its place among the document's links. */
  index: number;
  /** On a run: how often it was taken; undefined where no run is shown. */
  taken?: number;
}

export type StepNodeType = Node<StepNodeData, 'step'>;
export type LinkEdgeType = Edge<LinkData, 'link'>;

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

/** A place for every step that has none: by distance from the trigger, one below the other. */
export function places(document: FlowDocument): Record<string, Point> {
  const layout = document.layout ?? {};
  const ids = [TRIGGER, ...Object.keys(document.steps)];
  if (ids.every((id) => isPoint(layout[id]))) return layout;
  const depth = new Map<string, number>([[TRIGGER, 0]]);
  const order = readingOrder(document);
  const known = new Set(order);
  for (const id of [TRIGGER, ...order]) {
    for (const link of document.links) {
      if (link.from === id && known.has(link.to) && !depth.has(link.to)) depth.set(link.to, (depth.get(id) ?? 0) + 1);
    }
  }
  const used = new Map<number, number>();
  const found: Record<string, Point> = {};
  for (const id of ids) {
    const given = layout[id];
    if (isPoint(given)) found[id] = given;
  }
  for (const id of [TRIGGER, ...order].filter((one) => !found[one])) {
    const column = depth.get(id) ?? 0;
    const row = used.get(column) ?? 0;
    used.set(column, row + 1);
    found[id] = freePlace(Object.values(found), [column * COLUMN, row * ROW]);
  }
  return found;
}

/** Ports of a step, with those its links use in case the type is unknown. */
export function portsIn(document: FlowDocument, id: string, types: Lookup): string[] {
  if (id === TRIGGER) return ['done'];
  const step = document.steps[id];
  if (!step) return [];
  const type = types.step(step.type, step.version);
  if (type) return portsOf(step, type);
  return portsOf(step, type, document.links.filter((link) => link.from === id).map((link) => link.port ?? 'done'));
}

function cardOf(id: string, step: StepDocument, types: Lookup, t: Translate): CardContent & { name: string } {
  const type = types.step(step.type, step.version);
  const title = step.title || type?.title || id;
  const unknown = !type && types.steps.length > 0;
  const kind = type?.title ?? step.type;
  return {
    title,
    name: t('canvas.step_name', { title, kind }),
    summary: unknown ? t('canvas.unknown', { kind: step.type }) : summaryOf(step, type, t),
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

/** Where links begin and end, so that React Flow need not measure a card before it draws them. */
function handlesOf(ports: string[], entry: boolean): NonNullable<StepNodeType['handles']> {
  const dot = { width: DOT, height: DOT };
  const ways = ports.map((port) => {
    const { side, x, y } = portPlace(port, ports);
    return { id: port, type: 'source' as const, position: side ? Position.Bottom : Position.Right, x: x - DOT / 2, y: y - DOT / 2, ...dot };
  });
  const way = { id: 'in', type: 'target' as const, position: Position.Left, x: -DOT / 2, y: cardHeight(ports) / 2 - DOT / 2, ...dot };
  return entry ? ways : [way, ...ways];
}

/** One step, or the trigger, as React Flow draws it. */
export function drawNode(document: FlowDocument, id: string, types: Lookup, t: Translate, at: Point): StepNodeType {
  const step = document.steps[id];
  const card = id === TRIGGER || !step ? triggerCard(document, types, t) : cardOf(id, step, types, t);
  const ports = portsIn(document, id, types);
  const tall = cardHeight(ports);
  return {
    id,
    type: 'step',
    position: { x: at[0], y: at[1] },
    width,
    height: tall,
    measured: { width, height: tall },
    handles: handlesOf(ports, id === TRIGGER),
    sourcePosition: Position.Right,
    targetPosition: Position.Left,
    ariaLabel: card.name,
    // One tab stop for the whole canvas: cards take the focus only from it. A group, since ports stand inside.
    ariaRole: 'group',
    domAttributes: { tabIndex: -1, 'aria-roledescription': t('canvas.step') },
    data: { ...card, ports, entry: id === TRIGGER },
  };
}

/** The document as React Flow draws it. Pure: positions come from the layout, or are made up. */
export function drawNodes(document: FlowDocument, types: Lookup, t: Translate): StepNodeType[] {
  const at = places(document);
  return [TRIGGER, ...readingOrder(document)].map((id) => drawNode(document, id, types, t, at[id] ?? [0, 0]));
}

export const linkId = (from: string, port: string, to: string) => `${from}:${port}>${to}`;

export function drawLinks(document: FlowDocument, types: Lookup): LinkEdgeType[] {
  return document.links
    .map((link, index) => ({ link, index }))
    .filter(({ link }) => link.to in document.steps && (link.from === TRIGGER || link.from in document.steps))
    .map(({ link, index }) => {
      const ports = portsIn(document, link.from, types);
      const port = portOfLink(link.port, ports);
      return {
        id: linkId(link.from, port, link.to),
        type: 'link' as const,
        source: link.from,
        sourceHandle: port,
        target: link.to,
        targetHandle: 'in',
        data: { port, label: ports.length > 1 ? port : undefined, side: isSidePort(port), index },
      };
    });
}
