import type { FlowDocument, LinkDocument, StepDocument } from '~/api/types';
import { TRIGGER } from '~/features/canvas/catalogue';
import { places } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { containerOf, containersOf, insideOf } from '~/features/canvas/nesting';
import { begin, detach, liftOut, setContainer } from './inside';
import { findLink, makeLink } from './links';
import type { PortRef } from './links';
import { notesOf } from './notes';
import { snapped } from './place';

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

export function addLink(doc: FlowDocument, link: LinkDocument): void {
  const same = doc.links.some((one) => one.from === link.from && one.to === link.to && (one.port ?? '') === (link.port ?? ''));
  if (!same && link.to !== link.from && link.to !== TRIGGER) doc.links.push(link);
}

export interface NewStep {
  id: string;
  step: StepDocument;
  at: Point;
  /** Connect it behind this way out. */
  after?: PortRef;
  /** The step that shall contain it. */
  into?: string | null;
  /** The step that it takes back. */
  undoes?: string;
}

/** Put a new step on the canvas, connected behind `after` if that is given; the first in a container begins it. */
export const addStep =
  ({ id, step, at, after, into, undoes }: NewStep, portsOf: (id: string) => string[] = () => []): Edit =>
  (doc) => {
    const layout = layoutOf(doc);
    doc.steps[id] = { ...step };
    setContainer(doc, id, into ?? null);
    layout[id] = snapped(at);
    if (after) addLink(doc, makeLink(after, id));
    const done = undoes === undefined ? undefined : doc.steps[undoes];
    if (done) done['undo'] = id;
    else if (into && !after) begin(doc, into, [id], portsOf);
  };

/** Where a step put into a link finds room; see `roomBetween`. */
export interface Room {
  at: Point;
  /** Steps that move right to make it. */
  ids: string[];
  by: number;
}

/** Put a new step into a link; `onward` is the way by which it goes on. It stands where the link does. */
export const insertOnLink =
  (key: string, { id, step }: Pick<NewStep, 'id' | 'step'>, onward: string, room: Room): Edit =>
  (doc) => {
    const index = findLink(doc, key);
    const link = doc.links[index];
    if (!link) return;
    const layout = layoutOf(doc);
    for (const one of room.ids) {
      const place = layout[one];
      if (place) layout[one] = [place[0] + room.by, place[1]];
    }
    doc.steps[id] = { ...step };
    setContainer(doc, id, containerOf(doc, link.to));
    layout[id] = snapped(room.at);
    const onwards = link.to;
    link.to = id;
    doc.links.splice(index + 1, 0, { from: id, port: onward, to: onwards });
  };

/**
 * Take steps away and join what stood around them. What a step contained stays, in its place, unless
 * it is among the ids itself.
 */
export const deleteSteps =
  (ids: readonly string[], portsOf: (id: string) => string[]): Edit =>
  (doc) => {
    // The innermost first: a container that goes with everything inside has nothing left to lift out.
    const order = ids.filter((id) => doc.steps[id]).sort((a, b) => containersOf(doc, b).length - containersOf(doc, a).length);
    for (const id of order) {
      liftOut(doc, id, portsOf);
      detach(doc, id, portsOf(id));
      doc.links = doc.links.filter((link) => link.from !== id);
      delete doc.steps[id];
      if (doc.layout) delete doc.layout[id];
      for (const step of Object.values(doc.steps)) if (step['undo'] === id) delete step['undo'];
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
export const setConfig = (id: string, config: Config, portsOf: (step: StepDocument) => string[] | null): Edit =>
  changeStep(id, portsOf, (step) => {
    step.config = config;
  });

/** What any step may say beside its config. */
export type FieldName = 'undo' | 'lock' | 'time_limit' | 'on_error' | 'retry' | 'concurrency';

/** Say something beside the config, or (`undefined`) no longer; the ways out that come of it follow. */
export const setField = (id: string, name: FieldName, value: unknown, portsOf: (step: StepDocument) => string[] | null): Edit =>
  changeStep(id, portsOf, (step) => {
    if (value === undefined) delete step[name];
    else step[name] = value;
  });

const changeStep =
  (id: string, portsOf: (step: StepDocument) => string[] | null, change: (step: StepDocument) => void): Edit =>
  (doc) => {
    const step = doc.steps[id];
    if (!step) return;
    const old = portsOf(step);
    change(step);
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

export const setSettings =
  (settings: Record<string, unknown>): Edit =>
  (doc) => {
    doc.settings = settings;
  };

export const setTrigger =
  (type: string, config: Config): Edit =>
  (doc) => {
    doc.trigger = { ...doc.trigger, type, config };
  };

/** Put steps in their places; what they contain goes along. */
export const move =
  (to: Record<string, Point>): Edit =>
  (doc) => {
    const layout = layoutOf(doc);
    const moved: Record<string, Point> = {};
    for (const [id, place] of Object.entries(to)) {
      if (id !== TRIGGER && !doc.steps[id] && !notesOf(doc)[id]) continue;
      const [x, y] = layout[id] ?? [0, 0];
      const there = snapped(place);
      moved[id] = there;
      for (const one of insideOf(doc, [id])) {
        const [left, top] = layout[one] ?? [0, 0];
        if (!(one in to)) moved[one] ??= [left + there[0] - x, top + there[1] - y];
      }
    }
    for (const [id, place] of Object.entries(moved)) layout[id] = place;
  };
