import type { FlowDocument, LinkDocument } from '~/api/types';
import { isSidePort } from '~/features/canvas/catalogue';
import { BODY, childrenOf, containerOf, insideOf, outermost, undoers, undoOf } from '~/features/canvas/nesting';
import { addLink } from './document';
import type { Edit } from './document';
import { leavesBy } from './links';

type PortsOf = (id: string) => string[];

/** Where a step stands: `null` at the top. */
export function setContainer(doc: FlowDocument, id: string, into: string | null): void {
  const step = doc.steps[id];
  if (!step) return;
  if (into === null) delete step['in'];
  else step['in'] = into;
}

/**
 * Take a step's links away and join what stood around it: whoever led to it now leads to what
 * followed by the first of its connected ways, those at the right before those at the bottom.
 */
export function detach(doc: FlowDocument, id: string, ports: string[]): void {
  // What its own inside begins with stays linked: that goes along, or was lifted out before.
  const inside = new Set(childrenOf(doc).get(id) ?? []);
  const leaving = (port: string) => doc.links.filter((link) => leavesBy(link, { from: id, port }, ports) && !inside.has(link.to));
  const way = ports.filter((port) => !isSidePort(port)).find((port) => leaving(port).length > 0);
  const onward = way === undefined ? [] : leaving(way).map((link) => link.to).filter((to) => to !== id);
  const incoming = doc.links.filter((link) => link.to === id && link.from !== id);
  doc.links = doc.links.filter((link) => link.to !== id && (link.from !== id || inside.has(link.to)));
  for (const link of incoming) for (const to of onward) addLink(doc, { ...link, to });
}

/**
 * Lift the steps of a container out, to where it stands itself: what led to it leads to where they
 * begin, and where they end leads to what followed it.
 */
export function liftOut(doc: FlowDocument, id: string, portsOf: PortsOf): void {
  const inside = childrenOf(doc).get(id) ?? [];
  if (inside.length === 0) return;
  const around = containerOf(doc, id);
  const ports = portsOf(id);
  const to = (port: string) => doc.links.filter((link) => leavesBy(link, { from: id, port }, ports)).map((link) => link.to);
  const heads = to(BODY).filter((one) => inside.includes(one));
  const onward = to(ports.find((port) => port !== BODY && !isSidePort(port)) ?? 'done').filter((one) => one !== id);
  const undoing = undoers(doc);
  const ends = inside.flatMap((one) =>
    portsOf(one)
      .filter((port) => !isSidePort(port) && port !== BODY && !undoing.has(one))
      .filter((port) => !doc.links.some((link) => leavesBy(link, { from: one, port }, portsOf(one))))
      .map((port) => ({ from: one, port })),
  );
  const incoming = doc.links.filter((link) => link.to === id && link.from !== id);
  doc.links = doc.links.filter((link) => !(link.from === id && inside.includes(link.to)));
  if (heads.length > 0) doc.links = doc.links.filter((link) => link.from !== id && link.to !== id);
  for (const link of incoming) for (const head of heads) addLink(doc, { ...link, to: head });
  if (heads.length > 0) for (const end of ends) for (const one of onward) addLink(doc, { ...end, to: one });
  for (const one of inside) setContainer(doc, one, around);
}

/** The steps with those that only take them back, which must stand beside them. */
export function withUndoers(doc: FlowDocument, ids: readonly string[]): string[] {
  const undoing = undoers(doc);
  const along = [...undoing].filter(([undo, users]) => !ids.includes(undo) && users.every((one) => ids.includes(one)));
  return [...ids, ...along.map(([undo]) => undo)];
}

/**
 * Move steps into a container, or to the top. Links among them stay, those that would cross its
 * border go, and what stood around them is joined. What comes first into an empty one begins it.
 */
export const putInto =
  (ids: readonly string[], into: string | null, portsOf: PortsOf): Edit =>
  (doc) => {
    const whole = (id: string) => into === null || (id !== into && !insideOf(doc, [id]).includes(into));
    const given = outermost(doc, ids).filter((id) => doc.steps[id] && whole(id) && containerOf(doc, id) !== into);
    const moved = withUndoers(doc, given).filter((id) => containerOf(doc, id) !== into);
    if (moved.length === 0 || (into !== null && !doc.steps[into])) return;
    const isAmong = (link: LinkDocument) => moved.includes(link.from) && moved.includes(link.to);
    const kept = doc.links.filter(isAmong);
    for (const id of moved) detach(doc, id, portsOf(id));
    doc.links = [...doc.links.filter((link) => !isAmong(link)), ...kept];
    for (const id of moved) setContainer(doc, id, into);
    for (const [id, step] of Object.entries(doc.steps)) {
      const undo = undoOf(doc, id);
      if (undo !== null && containerOf(doc, undo) !== containerOf(doc, id)) delete step['undo'];
    }
    if (into !== null) begin(doc, into, moved, portsOf);
  };

/** Link a container in which nothing begins yet to the first of these steps. */
export function begin(doc: FlowDocument, into: string, ids: readonly string[], portsOf: PortsOf): void {
  const ports = portsOf(into);
  if (!ports.includes(BODY) || doc.links.some((link) => leavesBy(link, { from: into, port: BODY }, ports))) return;
  const undoing = undoers(doc);
  const heads = ids.filter((id) => !undoing.has(id) && !doc.links.some((link) => link.to === id));
  const first = heads[0] ?? ids[0];
  if (first !== undefined) addLink(doc, { from: into, port: BODY, to: first });
}

