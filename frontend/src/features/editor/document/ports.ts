import type { FlowDocument, StepCatalogue, StepDocument, StepType } from '~/api/types';
import { TRIGGER } from './links';

/** Ways out that are drawn at the bottom: what happens when it does not go as meant. */
const LOWER = new Set(['error', 'timeout']);
export const isLower = (port: string): boolean => LOWER.has(port);

/** Finds the type of a step; `undefined` for one that the server does not know. */
export const typeOf = (
  catalogue: StepCatalogue | undefined,
  step: Pick<StepDocument, 'type' | 'version'> | undefined,
): StepType | undefined =>
  step && catalogue?.results.find((type) => type.kind === step.type && type.version === (step.version ?? 1));

/** The newest version of each kind, in the server's order: what the palette offers. */
export function newest(catalogue: StepCatalogue): StepType[] {
  const byKind = new Map<string, StepType>();
  for (const type of catalogue.results) {
    const known = byKind.get(type.kind);
    if (!known || known.version < type.version) byKind.set(type.kind, type);
  }
  return [...byKind.values()];
}

/** Every value under paths such as `branches[].port, otherwise`, empty ones included, in order. */
export function rawPorts(config: unknown, paths: string): unknown[] {
  return paths.split(',').flatMap((path) =>
    path.trim().split('.').reduce<unknown[]>((here, part) => {
      const many = part.endsWith('[]');
      const name = many ? part.slice(0, -2) : part;
      const found = here.flatMap((one) => (isRecord(one) && name in one ? [one[name]] : []));
      return many ? found.flatMap((one) => (Array.isArray(one) ? (one as unknown[]) : [])) : found;
    }, [config]),
  );
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** The ports of a step as its config stands, in order, or `null` for an unknown type. */
export function portsOf(type: StepType | undefined, config: unknown): string[] | null {
  if (!type) return null;
  if (type.ports) return type.ports;
  const named = rawPorts(config, type.ports_from ?? '').filter((port): port is string => typeof port === 'string' && port !== '');
  return [...new Set(named)];
}

export interface Ports {
  /** At the right, from top to bottom. */
  main: string[];
  /** At the bottom, from left to right. */
  lower: string[];
}

/** The ports of a step, sorted to their sides. An unknown type has those that links leave by. */
export function sidesOf(doc: FlowDocument, id: string, catalogue: StepCatalogue | undefined): Ports {
  if (id === TRIGGER) return { main: [''], lower: [] };
  const step = doc.steps[id];
  const known = portsOf(typeOf(catalogue, step), step?.config);
  const used = doc.links.filter((link) => link.from === id).map((link) => link.port ?? '');
  // A link that leaves by a port which is no more still shows where it comes from.
  const stray = known?.length === 1 ? used.filter((port) => port !== '') : used;
  const all = [...new Set([...(known ?? []), ...stray])];
  return { main: all.filter((port) => !isLower(port)), lower: all.filter(isLower) };
}

/** The port by which a step goes on when something is put in front of what follows. */
export const onwardPort = (type: StepType): string | undefined => {
  const ports = portsOf(type, type.default_config) ?? [];
  return ports.find((port) => !isLower(port)) ?? ports[0];
};

/** A new step of a type as the catalogue describes it. */
export const freshStep = (type: StepType): StepDocument => ({
  type: type.kind,
  version: type.version,
  title: type.title,
  config: structuredClone(type.default_config),
});
