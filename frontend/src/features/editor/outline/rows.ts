import type { FlowDocument } from '~/api/types';
import { isSidePort, portOfLink, TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { portsIn } from '~/features/canvas/graph';

/** A line of the outline: a step, one of several ways out of it, or a way that leads to a step shown elsewhere. */
export type Row =
  | { kind: 'step'; key: string; level: number; id: string; parent: string | null }
  | { kind: 'port'; key: string; level: number; id: string; port: string; open: boolean; parent: string }
  | { kind: 'jump'; key: string; level: number; id: string; port: string; to: string; parent: string }
  | { kind: 'loose'; key: string; level: number; parent: null };

/**
 * The flow as a tree: what follows by an only way stands on the same level, so that a long chain
 * stays narrow; where a step forks, each way is a branch. Every step has exactly one line.
 */
export function outlineRows(doc: FlowDocument, types: Lookup): Row[] {
  const rows: Row[] = [];
  const shown = new Set<string>();

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
    const ways = ports.map((port) => ({ port, to: targets(id, port, ports) }));
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

  visit(TRIGGER, 1, null);
  const loose = Object.keys(doc.steps).filter((id) => !shown.has(id));
  if (loose.length > 0) rows.push({ kind: 'loose', key: 'loose', level: 1, parent: null });
  // What begins a path of its own comes before what hangs behind it.
  const heads = loose.filter((id) => !doc.links.some((link) => link.to === id && loose.includes(link.from)));
  for (const id of [...heads, ...loose]) if (!shown.has(id)) visit(id, 1, null);
  return rows;
}
