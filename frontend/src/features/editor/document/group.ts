import type { FlowDocument, LinkDocument, StepDocument } from '~/api/types';
import { isSidePort, portOfLink } from '~/features/canvas/catalogue';
import type { Point } from '~/features/canvas/graph';
import { BODY, containerOf, outermost, undoOf } from '~/features/canvas/nesting';
import type { Edit } from './document';
import { addLink } from './document';
import { begin, setContainer, withUndoers } from './inside';
import { snapped } from './place';

type PortsOf = (id: string) => string[];

/** The steps that a group would hold, or `null` where they do not stand in one place together. */
export function groupable(doc: FlowDocument, ids: readonly string[]): string[] | null {
  const given = outermost(doc, ids.filter((id) => doc.steps[id]));
  const [first] = given;
  if (first === undefined) return null;
  const around = containerOf(doc, first);
  return given.every((id) => containerOf(doc, id) === around) ? withUndoers(doc, given).filter((id) => containerOf(doc, id) === around) : null;
}

interface Group {
  id: string;
  step: StepDocument;
  /** The corner of its frame. */
  at: Point;
  /** The ways out of the new step. */
  ports: string[];
}

/**
 * Put a new step that contains others around these. What led to any of them leads to it, and it
 * goes on to wherever they did; ways that it has not itself, such as an error's, end inside.
 */
export const groupInto =
  (ids: readonly string[], { id, step, at, ports }: Group, portsOf: PortsOf): Edit =>
  (doc) => {
    const moved = groupable(doc, ids);
    if (moved === null) return;
    const among = new Set(moved);
    const around = containerOf(doc, moved[0] ?? '');
    const onward = ports.find((port) => port !== BODY && !isSidePort(port));
    const kept: LinkDocument[] = [];
    const fresh: LinkDocument[] = [];
    const heads: string[] = [];
    for (const link of doc.links) {
      const [from, to] = [among.has(link.from), among.has(link.to)];
      if (from === to) kept.push(link);
      else if (to) {
        if (!heads.includes(link.to)) heads.push(link.to);
        fresh.push({ ...link, to: id });
      } else {
        const port = portOfLink(link.port, portsOf(link.from));
        const by = isSidePort(port) ? (ports.includes(port) ? port : undefined) : onward;
        if (by !== undefined) fresh.push({ from: id, port: by, to: link.to });
      }
    }
    doc.links = kept;
    doc.steps[id] = { ...step };
    setContainer(doc, id, around);
    (doc.layout ??= {})[id] = snapped(at);
    for (const link of fresh) addLink(doc, link);
    for (const one of moved) setContainer(doc, one, id);
    // What takes a step back must stand beside it.
    for (const [one, other] of Object.entries(doc.steps)) {
      const undo = undoOf(doc, one);
      if (undo !== null && containerOf(doc, undo) !== containerOf(doc, one)) delete other['undo'];
    }
    for (const head of heads) addLink(doc, { from: id, port: BODY, to: head });
    begin(doc, id, moved, (one) => (one === id ? ports : portsOf(one)));
  };
