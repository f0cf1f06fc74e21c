import { useQueries, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api } from '~/api/client';
import { flowKeys, useFlows, useVersion } from '~/api/flows';
import type { Page } from '~/api/client';
import type { Flow, FlowDocument, FlowVersion } from '~/api/types';
import { partsOf } from './contract/shape';
import type { Part } from './contract/shape';
import { isRecord } from './form/schema';
import type { Schema } from './form/schema';
import { useEditor } from './store';

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

interface Call {
  step: string;
  flow: string;
  version: unknown;
}

/** Steps that run another flow and wait for what it gives. */
const callsIn = (steps: FlowDocument['steps']): Call[] =>
  Object.entries(steps).flatMap(([step, { type, config }]) =>
    type === 'subflow' && typeof config['flow'] === 'string' && config['flow'] !== '' && config['wait'] !== false ? [{ step, flow: config['flow'], version: config['version'] }] : [],
  );

const byName = async (name: string): Promise<Flow | undefined> =>
  (await api.get<Page<Flow>>(`flows/?search=${encodeURIComponent(name)}&limit=50`)).results.find((one) => one.name === name && one.state !== 'archived');

/** What a flow says that its runs give; nothing where it cannot be had or says nothing of it. */
async function outputOf({ flow, version }: Call): Promise<Schema | null> {
  const found = isId(flow) ? await api.get<Flow>(`flows/${flow}/`) : await byName(flow);
  const number = typeof version === 'number' ? version : found?.active_version;
  if (!found || typeof number !== 'number') return null;
  const { document } = await api.get<FlowVersion & { document: FlowDocument }>(`flows/${found.id}/versions/${number}/`, { exact: 'value' });
  const contract = document.settings?.['contract'];
  const output = isRecord(contract) ? contract['output'] : undefined;
  return isRecord(output) ? output : null;
}

/** By step that runs another flow, what that flow says it gives. */
export function useCalledOutputs(): Record<string, Schema> {
  // The calls alone, so that other edits ask nothing anew.
  const text = useEditor(({ document }) => JSON.stringify(callsIn(document.steps)));
  const calls = useMemo(() => JSON.parse(text) as Call[], [text]);
  return useQueries({
    queries: calls.map((call) => ({ queryKey: [...flowKeys.all, 'gives', call.flow, call.version ?? 'latest'], queryFn: () => outputOf(call), retry: false, staleTime: 60_000 })),
    combine: (found) => Object.fromEntries(found.flatMap(({ data }, at) => { const step = calls[at]?.step; return data && step !== undefined ? [[step, data] as const] : []; })),
  });
}

/** The names that are asked for, what must be given first. */
export function askedOf(schema: unknown): Part[] {
  const parts = isRecord(schema) ? partsOf(schema) : [];
  return [...parts.filter((one) => one.required), ...parts.filter((one) => !one.required)];
}
