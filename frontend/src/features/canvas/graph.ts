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
  /** On a run: how often it was taken; undefined where no run is shown. */
  taken?: number;
}

export type StepNodeType = Node<StepNodeData, 'step'>;
export type LinkEdgeType = Edge<LinkData, 'link'>;

const { width, height } = sizes.card;
const COLUMN = width + 96;
const ROW = height + 56;

/** A place for every step that has none: by distance from the trigger, one below the other. */
export function places(document: FlowDocument): Record<string, [number, number]> {
  const layout = document.layout ?? {};
  const depth = new Map<string, number>([[TRIGGER, 0]]);
  const order = readingOrder(document);
  const known = new Set(order);
  for (const id of [TRIGGER, ...order]) {
    for (const link of document.links) {
      if (link.from === id && known.has(link.to) && !depth.has(link.to)) depth.set(link.to, (depth.get(id) ?? 0) + 1);
    }
  }
  const used = new Map<number, number>();
  const found: Record<string, [number, number]> = {};
  for (const id of [TRIGGER, ...order]) {
    const column = depth.get(id) ?? 0;
    const row = used.get(column) ?? 0;
    used.set(column, row + 1);
    found[id] = layout[id] ?? [column * COLUMN, row * ROW];
  }
  return found;
}

/** Ports of a step, with those its links use in case the type is unknown. */
export function portsIn(document: FlowDocument, id: string, types: Lookup): string[] {
  if (id === TRIGGER) return ['done'];
  const step = document.steps[id];
  if (!step) return [];
  const used = document.links.filter((link) => link.from === id).map((link) => link.port ?? 'done');
  return portsOf(step, types.step(step.type, step.version), used);
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

/** The document as React Flow draws it. Pure: positions come from the layout, or are made up. */
export function drawNodes(document: FlowDocument, types: Lookup, t: Translate): StepNodeType[] {
  const at = places(document);
  const node = (id: string, card: CardContent & { name: string }): StepNodeType => ({
    id,
    type: 'step',
    position: { x: at[id]?.[0] ?? 0, y: at[id]?.[1] ?? 0 },
    width,
    height,
    sourcePosition: Position.Right,
    targetPosition: Position.Left,
    ariaLabel: card.name,
    data: { ...card, ports: portsIn(document, id, types), entry: id === TRIGGER },
  });
  return [
    node(TRIGGER, triggerCard(document, types, t)),
    ...readingOrder(document).map((id) => node(id, cardOf(id, document.steps[id]!, types, t))),
  ];
}

export const linkId = (from: string, port: string, to: string) => `${from}:${port}>${to}`;

export function drawLinks(document: FlowDocument, types: Lookup): LinkEdgeType[] {
  return document.links
    .filter((link) => link.to in document.steps && (link.from === TRIGGER || link.from in document.steps))
    .map((link) => {
      const ports = portsIn(document, link.from, types);
      const port = portOfLink(link.port, ports);
      return {
        id: linkId(link.from, port, link.to),
        type: 'link' as const,
        source: link.from,
        sourceHandle: port,
        target: link.to,
        targetHandle: 'in',
        data: { port, label: ports.length > 1 ? port : undefined, side: isSidePort(port) },
      };
    });
}
