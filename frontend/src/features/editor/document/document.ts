import type { FlowDocument, LinkDocument, StepDocument } from '~/api/types';
import { isSidePort, TRIGGER } from '~/features/canvas/catalogue';
import { COLUMN, places } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { findLink, leavesBy, makeLink } from './links';
import type { PortRef } from './links';
import { roomNeeded, snapped } from './place';

/** An edit is a value: it can be tested, named, merged and undone. It changes the draft it is given. */
export type Edit = (doc: FlowDocument) => void;

export type Config = Record<string, unknown>;

const RESERVED = new Set(['trigger', 'steps', 'run', 'item', 'index']);

/** A free step id out of a kind such as `http.request`: `http_request`, `http_request_2`. */
export function newStepId(taken: (id: string) => boolean, kind: string): string {
  const plain = kind.toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^[^a-z]+|_+$/g, '').slice(0, 50);
  const base = plain || 'step';
  const free = (id: string) => !RESERVED.has(id) && !taken(id);
  if (free(base)) return base;
  for (let number = 2; ; number += 1) if (free(`${base}_${number}`)) return `${base}_${number}`;
}

function layoutOf(doc: FlowDocument): Record<string, Point> {
  // A document without places gets all of them at the first change, so that nothing jumps later.
  doc.layout ??= {};
  for (const [id, place] of Object.entries(places(doc))) doc.layout[id] ??= place;
  return doc.layout;
}

function addLink(doc: FlowDocument, link: LinkDocument): void {
  const same = doc.links.some((one) => one.from === link.from && one.to === link.to && (one.port ?? '') === (link.port ?? ''));
  if (!same && link.to !== link.from && link.to !== TRIGGER) doc.links.push(link);
}

export interface NewStep {
  id: string;
  step: StepDocument;
  at: Point;
  /** Connect it behind this way out. */
  after?: PortRef;
}

/** Put a new step on the canvas, connected behind `after` if that is given. */
export const addStep =
  ({ id, step, at, after }: NewStep): Edit =>
  (doc) => {
    const layout = layoutOf(doc);
    doc.steps[id] = step;
    layout[id] = snapped(at);
    if (after) addLink(doc, makeLink(after, id));
  };

/** Put a new step into a link; `onward` is the way by which it goes on. Makes room on the right. */
export const insertOnLink =
  (key: string, { id, step }: Pick<NewStep, 'id' | 'step'>, onward: string, at?: Point): Edit =>
  (doc) => {
    const index = findLink(doc, key);
    const link = doc.links[index];
    if (!link) return;
    const layout = layoutOf(doc);
    const [x, y] = layout[link.from] ?? [0, 0];
    const target = layout[link.to] ?? [0, 0];
    const room = roomNeeded(doc, link.from, link.to);
    for (const one of room.ids) {
      const place = layout[one];
      if (place) layout[one] = [place[0] + room.by, place[1]];
    }
    doc.steps[id] = step;
    layout[id] = snapped(at && room.by === 0 ? at : [x + COLUMN, target[0] > x ? target[1] : y]);
    const onwards = link.to;
    link.to = id;
    doc.links.splice(index + 1, 0, { from: id, port: onward, to: onwards });
  };

/**
 * Take steps away and join what stood around them: whoever led to a step now leads to what followed
 * by the first of its connected ways, those at the right before those at the bottom.
 */
export const deleteSteps =
  (ids: readonly string[], portsOf: (id: string) => string[]): Edit =>
  (doc) => {
    for (const id of ids) {
      if (!doc.steps[id]) continue;
      const ports = portsOf(id);
      const leaving = (port: string) => doc.links.filter((link) => leavesBy(link, { from: id, port }, ports));
      const way = ports.filter((port) => !isSidePort(port)).find((port) => leaving(port).length > 0);
      const onward = way === undefined ? [] : leaving(way).map((link) => link.to).filter((to) => to !== id);
      const incoming = doc.links.filter((link) => link.to === id && link.from !== id);
      doc.links = doc.links.filter((link) => link.from !== id && link.to !== id);
      for (const link of incoming) for (const to of onward) addLink(doc, { ...link, to });
      delete doc.steps[id];
      if (doc.layout) delete doc.layout[id];
    }
  };

/** Draw a link. Does nothing where it exists already or would lead a step to itself. */
export const connect =
  (way: PortRef, to: string): Edit =>
  (doc) => {
    if (to !== TRIGGER && !doc.steps[to]) return;
    addLink(doc, makeLink(way, to));
  };

export const disconnect =
  (keys: readonly string[]): Edit =>
  (doc) => {
    const gone = new Set(keys.map((key) => findLink(doc, key)));
    doc.links = doc.links.filter((_link, index) => !gone.has(index));
  };

export const setTitle =
  (id: string, title: string): Edit =>
  (doc) => {
    const step = doc.steps[id];
    if (step) step.title = title;
  };

export const setName =
  (name: string): Edit =>
  (doc) => {
    doc.name = name;
  };

/**
 * Change a step's config. Links follow the ports: a port that got another name keeps its links,
 * a port that is gone takes them with it.
 */
export const setConfig =
  (id: string, config: Config, portsOf: (step: StepDocument) => string[] | null): Edit =>
  (doc) => {
    const step = doc.steps[id];
    if (!step) return;
    const old = portsOf(step);
    step.config = config;
    const now = portsOf(step);
    if (!old || !now || (old.length === now.length && old.every((port, at) => port === now[at]))) return;
    const renamed = renamedPorts(old, now);
    doc.links = doc.links.flatMap((link) => {
      if (link.from !== id || link.port === undefined || now.includes(link.port)) return [link];
      const port = renamed.get(link.port);
      return port === undefined ? (old.includes(link.port) ? [] : [link]) : [{ ...link, port }];
    });
  };

/** Old name to new one, where as many ports are left as there were: they changed in their places. */
function renamedPorts(old: string[], now: string[]): Map<string, string> {
  if (old.length !== now.length) return new Map();
  const pairs = old.map((port, at) => [port, now[at] ?? port] as const);
  return new Map(pairs.filter(([was, is]) => was !== is && !now.includes(was) && !old.includes(is)));
}

export const setTrigger =
  (type: string, config: Config): Edit =>
  (doc) => {
    doc.trigger = { ...doc.trigger, type, config };
  };

export const move =
  (to: Record<string, Point>): Edit =>
  (doc) => {
    const layout = layoutOf(doc);
    for (const [id, place] of Object.entries(to)) {
      if (id === TRIGGER || doc.steps[id]) layout[id] = snapped(place);
    }
  };
