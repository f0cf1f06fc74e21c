import type { FlowDocument } from '~/api/types';
import { isSidePort, portOfLink, TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { portsIn } from '~/features/canvas/graph';
import { BODY, childrenOf, framesIn, undoers, undoOf } from '~/features/canvas/nesting';
import { notesOf } from '../document/notes';

/** A line of the outline: a step, one of several ways out of it, or a way that leads to a step shown elsewhere. */
export type Row =
  | { kind: 'step'; key: string; level: number; id: string; parent: string | null; undoes?: boolean }
  | { kind: 'port'; key: string; level: number; id: string; port: string; open: boolean; parent: string }
  | { kind: 'jump'; key: string; level: number; id: string; port: string; to: string; parent: string }
  | { kind: 'note'; key: string; level: number; id: string; parent: null }
  | { kind: 'loose'; key: string; level: number; parent: null; inside: boolean };

/**
 * The flow as a tree: what follows by an only way stands on the same level, so that a long chain
 * stays narrow; where a step forks, each way is a branch. What a step contains stands below it,
 * before what follows it; what takes a step back, too. Every step has exactly one line.
 */
export function outlineRows(doc: FlowDocument, types: Lookup): Row[] {
  const rows: Row[] = [];
  const shown = new Set<string>();
  const children = childrenOf(doc);
  const frames = framesIn(doc, types);
  const undoing = undoers(doc);

  const targets = (id: string, port: string, ports: string[]) =>
    doc.links.filter((link) => link.from === id && portOfLink(link.port, ports) === port && doc.steps[link.to]).map((link) => link.to);

  const follow = (id: string, port: string, to: string, level: number, parent: string) => {
    if (shown.has(to)) rows.push({ kind: 'jump', key: `jump:${id}:${port}:${to}`, level, id, port, to, parent });
    else visit(to, level, parent);
  };

  function visit(id: string, level: number, parent: string | null) {
    shown.add(id);
    const key = `step:${id}`;
    rows.push({ kind: 'step', key, level, id, parent });
    const ports = portsIn(doc, id, types);
    const undo = undoOf(doc, id);
    if (undo !== null && !shown.has(undo)) {
      shown.add(undo);
      rows.push({ kind: 'step', key: `step:${undo}`, level: level + 1, id: undo, parent: key, undoes: true });
    }
    if (frames.has(id)) contained(id, level, key, targets(id, BODY, ports));
    const ways = ports.filter((port) => port !== BODY || !frames.has(id)).map((port) => ({ port, to: targets(id, port, ports) }));
    const linked = ways.filter((way) => way.to.length > 0);
    const main = ways.filter((way) => !isSidePort(way.port));
    const only = linked.length === 1 && main.length === 1 && linked[0] === main[0] && linked[0]?.to.length === 1 ? linked[0] : undefined;
    if (only?.to[0] !== undefined) return follow(id, only.port, only.to[0], level, parent ?? key);
    if (main.length <= 1 && linked.length === 0) return;
    for (const { port, to } of ways) {
      if (to.length === 0 && isSidePort(port)) continue;
      const way = `port:${id}:${port}`;
      rows.push({ kind: 'port', key: way, level: level + 1, id, port, open: to.length === 0, parent: key });
      for (const one of to) follow(id, port, one, level + 2, way);
    }
  }

  /** What is inside a step: along the way in, then what is not connected. */
  function contained(id: string, level: number, parent: string, first: string[]) {
    const way = `port:${id}:${BODY}`;
    rows.push({ kind: 'port', key: way, level: level + 1, id, port: BODY, open: first.length === 0, parent });
    for (const one of first) follow(id, BODY, one, level + 2, way);
    unconnected(id, level + 2, way);
  }

  function unconnected(scope: string | null, level: number, parent: string | null) {
    const loose = (children.get(scope) ?? []).filter((id) => !shown.has(id));
    // What takes a step back shows below that step, wherever it comes.
    const here = loose.filter((id) => !undoing.get(id)?.some((done) => !shown.has(done)));
    if (here.length === 0) return;
    rows.push({ kind: 'loose', key: scope === null ? 'loose' : `loose:${scope}`, level, parent: null, inside: scope !== null });
    // What begins a path of its own comes before what hangs behind it.
    const heads = here.filter((id) => !doc.links.some((link) => link.to === id && here.includes(link.from)));
    for (const id of [...heads, ...here]) if (!shown.has(id)) visit(id, level, parent);
  }

  visit(TRIGGER, 1, null);
  unconnected(null, 1, null);
  // Whatever is left takes back something that stands elsewhere, or each other.
  for (const id of Object.keys(doc.steps)) if (!shown.has(id)) visit(id, 1, null);
  for (const id of Object.keys(notesOf(doc))) rows.push({ kind: 'note', key: `step:${id}`, level: 1, id, parent: null });
  return rows;
}
