import type { FlowDocument, LinkDocument } from '~/api/types';
import { portOfLink, TRIGGER } from '~/features/canvas/catalogue';

/** A way out of a step; the trigger's only way, and a step's only way, may go without a port. */
export interface PortRef {
  from: string;
  port?: string;
}

const nameOfLink = (link: LinkDocument) => JSON.stringify([link.from, link.port ?? null, link.to]);

/**
 * A name for each link, in document order. The document gives links no ids; the same link twice
 * (which a check reports) still gets two names.
 */
export function linkKeys(links: readonly LinkDocument[]): string[] {
  const seen = new Map<string, number>();
  return links.map((link) => {
    const name = nameOfLink(link);
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return count === 0 ? name : `${name}#${count}`;
  });
}

const leaving = new WeakMap<readonly LinkDocument[], Map<string, LinkDocument[]>>();

/** The links that leave a step. Sorted once for each state of the links: every port on the canvas asks. */
export function linksFrom(links: readonly LinkDocument[], from: string): readonly LinkDocument[] {
  let sorted = leaving.get(links);
  if (!sorted) {
    sorted = new Map();
    for (const link of links) {
      const known = sorted.get(link.from);
      if (known) known.push(link);
      else sorted.set(link.from, [link]);
    }
    leaving.set(links, sorted);
  }
  return sorted.get(from) ?? [];
}

export const linkKey = (link: LinkDocument): string => nameOfLink(link);

export const findLink = (doc: FlowDocument, key: string): number => linkKeys(doc.links).indexOf(key);

/** Whether a link leaves by this way out of a step with these ports. */
export const leavesBy = (link: LinkDocument, way: PortRef, ports: string[]): boolean =>
  link.from === way.from && portOfLink(link.port, ports) === portOfLink(way.port, ports);

export const makeLink = (way: PortRef, to: string): LinkDocument =>
  way.port === undefined || way.from === TRIGGER ? { from: way.from, to } : { from: way.from, port: way.port, to };

/** The steps that can be reached from `start` along links, without `start` unless a loop leads back. */
export function reachable(doc: FlowDocument, start: string): Set<string> {
  const next = new Map<string, string[]>();
  for (const link of doc.links) next.set(link.from, [...(next.get(link.from) ?? []), link.to]);
  const found = new Set<string>();
  const open = [...(next.get(start) ?? [])];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(next.get(id) ?? []));
  }
  return found;
}

/** Everything that may have run before `id`: what its expressions can name. Nearest first. */
export function before(doc: FlowDocument, id: string): string[] {
  const previous = new Map<string, string[]>();
  for (const link of doc.links) previous.set(link.to, [...(previous.get(link.to) ?? []), link.from]);
  const found: string[] = [];
  const open = [...(previous.get(id) ?? [])];
  for (let one = open.shift(); one !== undefined; one = open.shift()) {
    if (found.includes(one)) continue;
    found.push(one);
    open.push(...(previous.get(one) ?? []));
  }
  return found;
}
