import { useQuery } from '@tanstack/react-query';
import { api } from '~/api/client';
import { flowKeys, useFlows, useVersion } from '~/api/flows';
import type { Flow } from '~/api/types';
import { partsOf } from './contract/shape';
import type { Part } from './contract/shape';
import { isRecord } from './form/schema';

export const isId = (named: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(named);

/** The flow that a step runs, named by its id or, in a document written by hand, by its name. */
export function useCalledFlow(named: unknown): { flow: Flow | undefined; isGone: boolean } {
  const text = typeof named === 'string' ? named : '';
  const byId = useQuery({
    queryKey: flowKeys.one(text),
    queryFn: () => api.get<Flow>(`flows/${text}/`),
    enabled: isId(text),
    retry: false,
  });
  const byName = useFlows({ search: text, limit: 50 }, text !== '' && !isId(text)).items;
  if (isId(text)) return { flow: byId.data, isGone: byId.isError };
  const flow = byName?.find((one) => one.name === text && one.state !== 'archived');
  return { flow, isGone: text !== '' && byName !== undefined && flow === undefined };
}

export interface Contract {
  input: unknown;
  output: unknown;
}

/** What a version of a flow takes and gives. A form stands in where a flow does not say what it takes. */
export function useContract(flow: Flow | undefined, version: unknown): Contract | undefined {
  const number = typeof version === 'number' ? version : (flow?.active_version ?? undefined);
  const document = useVersion(flow?.id, number).data?.document;
  if (!document) return undefined;
  const said = isRecord(document.settings) ? document.settings['contract'] : undefined;
  const contract = isRecord(said) ? said : {};
  return { input: contract['input'] ?? document.trigger.config['form'], output: contract['output'] };
}

/** The names that are asked for, what must be given first. */
export function askedOf(schema: unknown): Part[] {
  const parts = isRecord(schema) ? partsOf(schema) : [];
  return [...parts.filter((one) => one.required), ...parts.filter((one) => !one.required)];
}
