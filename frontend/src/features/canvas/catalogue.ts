import { useMemo } from 'react';
import { useStepCatalogue } from '~/api/flows';
import type { FlowDocument, StepCatalogue, StepDocument, StepType } from '~/api/types';
import type { Category } from '~/ui/tokens';
import { childrenOf } from './nesting';

/** Where every flow begins; links name it as their `from`. */
export const TRIGGER = 'trigger';

/** Ports that leave at the bottom of a card, on a dashed link. */
export const SIDE_PORTS = ['error', 'timeout'];
export const isSidePort = (port: string) => SIDE_PORTS.includes(port);

export interface Lookup {
  step: (kind: string, version?: number) => StepType | undefined;
  trigger: (kind: string) => StepType | undefined;
  steps: StepType[];
  triggers: StepType[];
}

export function lookup(catalogue: StepCatalogue | undefined): Lookup {
  const steps = catalogue?.results ?? [];
  const triggers = catalogue?.triggers ?? [];
  const byName = new Map(steps.map((type) => [`${type.kind}@${type.version}`, type]));
  return {
    steps,
    triggers,
    step: (kind, version = 1) => byName.get(`${kind}@${version}`),
    trigger: (kind) => triggers.find((type) => type.kind === kind),
  };
}

/** The same object as long as the catalogue is the same, so that drawings can be kept. */
export function useLookup(): Lookup {
  const { data } = useStepCatalogue();
  return useMemo(() => lookup(data), [data]);
}

const CATEGORIES: Record<string, Category> = {
  flow: 'logic', logic: 'logic', data: 'data', people: 'people', network: 'outside', time: 'time', end: 'end',
};

/** The tint of a step's icon; what ends a run looks like an end whatever its category. */
export function tintOf(type: StepType | undefined): Category {
  if (!type) return 'other';
  if (type.behaviour === 'end') return 'end';
  return CATEGORIES[type.category?.toLowerCase() ?? ''] ?? 'other';
}

/**
 * Values at `branches[].port, otherwise` of a config: how a type says that its ports are configured.
 * After a colon stand the names where nothing is found: `outcomes[].port:yes no, :timeout`.
 */
export function readPorts(config: Record<string, unknown>, paths: string): string[] {
  const found: string[] = [];
  for (const entry of paths.split(',')) {
    const [path = '', otherwise = ''] = entry.trim().split(':');
    const here = valuesAt(config, path).filter((one): one is string => typeof one === 'string' && one !== '');
    found.push(...(here.length > 0 ? here : otherwise.split(' ').filter(Boolean)));
  }
  return [...new Set(found)];
}

function valuesAt(config: Record<string, unknown>, path: string): unknown[] {
  let here: unknown[] = [config];
  for (const part of path.split('.')) {
    const many = part.endsWith('[]');
    const name = many ? part.slice(0, -2) : part;
    here = here.flatMap((one) => {
      const value = typeof one === 'object' && one !== null ? (one as Record<string, unknown>)[name] : undefined;
      if (many) return Array.isArray(value) ? (value as unknown[]) : [];
      return value === undefined ? [] : [value];
    });
  }
  return here;
}

/**
 * The ports of a step in the order they are drawn. A type that is unknown here has the ports its
 * links use, so that nothing of the flow disappears.
 */
export function portsOf(step: StepDocument, type: StepType | undefined, used: string[] = []): string[] {
  if (!type) return [...new Set(used)];
  const own = type.ports ?? (type.ports_from ? readPorts(step.config, type.ports_from) : []);
  const added = portsOfFields(step).filter((port) => !own.includes(port));
  return added.length > 0 ? [...own, ...added] : own;
}

/** The ways out that any step gets by what it says beside its config. */
function portsOfFields(step: StepDocument): string[] {
  const onError = step['on_error'];
  const leaves = typeof onError === 'object' && onError !== null && (onError as { then?: unknown }).then === 'path';
  return [...(leaves ? ['error'] : []), ...(typeof step['time_limit'] === 'string' && step['time_limit'] !== '' ? ['timeout'] : [])];
}

/** The port a link leaves by; it may be left out where a step has exactly one. */
export const portOfLink = (port: string | undefined | null, ports: string[]): string => port ?? ports[0] ?? 'done';

/**
 * Ids of the steps in the order a reader meets them: along the links, what a step contains before
 * what follows it, then whatever is not linked.
 */
export function readingOrder(document: FlowDocument): string[] {
  const next = new Map<string, string[]>();
  for (const link of document.links) next.set(link.from, [...(next.get(link.from) ?? []), link.to]);
  const children = childrenOf(document);
  const order: string[] = [];
  const seen = new Set<string>([TRIGGER]);
  const read = (scope: string | null) => {
    const peers = new Set(children.get(scope) ?? []);
    const along = (first: string[]) => {
      const queue = [...first];
      for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
        if (seen.has(id) || !peers.has(id)) continue;
        seen.add(id);
        order.push(id);
        if (children.has(id)) read(id);
        queue.push(...(next.get(id) ?? []));
      }
    };
    along(next.get(scope ?? TRIGGER) ?? []);
    along([...peers]);
  };
  read(null);
  return order;
}
