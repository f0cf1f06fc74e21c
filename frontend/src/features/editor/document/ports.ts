import type { FlowDocument, StepDocument, StepType } from '~/api/types';
import { isSidePort, portsOf, TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { portsIn } from '~/features/canvas/graph';
import { BODY, canContain, containerOf, scopeOfWay, undoers } from '~/features/canvas/nesting';
import { leavesBy } from './links';
import type { PortRef } from './links';

/** The newest version of each kind, in the server's order: what the palette offers. */
export function newest(types: readonly StepType[]): StepType[] {
  const byKind = new Map<string, StepType>();
  for (const type of types) {
    const known = byKind.get(type.kind);
    if (!known || known.version < type.version) byKind.set(type.kind, type);
  }
  return [...byKind.values()];
}

/** A new step of a type as the catalogue describes it. */
export const freshStep = (type: StepType): StepDocument => ({
  type: type.kind,
  version: type.version,
  title: type.title,
  config: structuredClone(type.default_config),
});

/** The port by which a new step goes on when it is put in front of others; none where it ends a run. */
export const onwardPort = (type: StepType): string | undefined => {
  const ports = portsOf(freshStep(type), type);
  return ports.find((port) => !isSidePort(port)) ?? ports[0];
};

/** Whether steps of the type contain others. */
export const contains = (type: StepType): boolean => type.behaviour === 'scope';

/** Why a way cannot lead to a step: they are in different containers, or one of them only takes others back. */
export type Refusal = 'across' | 'undoes';

export function refusalOf(doc: FlowDocument, way: PortRef, to: string, types: Lookup): Refusal | null {
  if (to === TRIGGER || !doc.steps[to]) return null;
  if (scopeOfWay(doc, way.from, way.port, types) !== containerOf(doc, to)) return 'across';
  const undoing = undoers(doc);
  return undoing.has(to) || undoing.has(way.from) ? 'undoes' : null;
}

/**
 * The way by which something is added behind a step: the first that leads nowhere, else the first.
 * What a container shall do is asked before what follows it.
 */
export function openWay(doc: FlowDocument, id: string, types: Lookup): PortRef | undefined {
  const ports = portsIn(doc, id, types);
  const main = ports.filter((port) => !isSidePort(port));
  const free = (port: string) => !doc.links.some((link) => leavesBy(link, { from: id, port }, ports));
  const empty = canContain(doc, id, types) && free(BODY) ? BODY : undefined;
  const port = empty ?? main.find(free) ?? main[0] ?? ports[0];
  return port === undefined ? undefined : { from: id, port };
}

/** Where the names of a step's ports stand in its config, as paths such as `branches[].port`. */
export const portPaths = (type: StepType | undefined): string[] =>
  type?.ports_from ? type.ports_from.split(',').map((entry) => entry.trim().split(':')[0] ?? '').filter(Boolean) : [];
