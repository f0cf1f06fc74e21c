import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api, newKey } from '~/api/client';
import type { Page } from '~/api/client';
import { fetchDraft, flowKeys, saveDraft } from '~/api/flows';
import type { Finding, Flow, FlowDocument, FlowVersion, Run, RunItem } from '~/api/types';
import type { Sample } from './document/paths';

export interface CheckAnswer {
  findings: Finding[];
  checked_ms?: number;
}

export const checkFlow = (id: string, document: FlowDocument, signal?: AbortSignal) =>
  api.post<CheckAnswer>(`flows/${id}/check/`, { document }, { signal });

export interface Preview {
  value: unknown;
  type?: string;
}

/** The value of an expression against a run's data, as the server computes it. */
export const usePreview = (flow: string, expression: string, run: string | null) =>
  useQuery({
    queryKey: ['evaluate', flow, run, expression],
    queryFn: ({ signal }) =>
      api.post<Preview>('evaluate/', { expression, flow, ...(run ? { run } : {}) }, { signal, exact: 'written' }),
    enabled: expression.trim() !== '' && run !== null,
    retry: false,
    staleTime: Infinity,
    gcTime: 60_000,
    placeholderData: (previous, query) => (query?.state.status === 'success' ? previous : undefined),
  });

/** The newest run of the flow, as sample values; `null` where none is there or may be seen. */
export const useSample = (flow: string) =>
  useQuery({
    queryKey: ['runs', 'list', 'sample', flow],
    queryFn: async ({ signal }): Promise<Sample | null> => {
      const runs = await api.get<Page<RunItem>>('runs/', { query: { flow, limit: 10 }, signal });
      // A run that waits to begin has nothing to show yet.
      const newest = runs.results.find((one) => one.status !== 'queued');
      if (!newest) return null;
      const run = await api.get<Run & { trigger_data?: unknown }>(`runs/${newest.id}/`, { signal, exact: 'written' });
      return { run: run.id, trigger: run.trigger_data ?? null, steps: run.steps };
    },
    retry: false,
    staleTime: 15_000,
  });

export interface TriggerInfo {
  type: string;
  url?: string | null;
  curl?: string | null;
  secret?: string | null;
  enabled: boolean;
  path?: string | null;
  next_at?: string | null;
  fires?: ScheduleFire[];
}

/** What became of a time of a schedule. */
export interface ScheduleFire {
  at: string;
  status: 'waiting' | 'started' | 'over' | 'skipped' | 'refused';
  run: string | null;
  /** Why it was refused. */
  reason?: string;
}

export const useTriggerInfo = (flow: string) =>
  useQuery({
    queryKey: [...flowKeys.one(flow), 'trigger'],
    queryFn: () => api.get<TriggerInfo>(`flows/${flow}/trigger/`),
    retry: false,
  });

/** When a schedule would fire, while its line is being written. */
export const useNextTimes = (cron: string, zone: string) =>
  useQuery({
    queryKey: ['next-times', cron, zone],
    queryFn: ({ signal }) => api.post<{ next_times: string[] }>('trigger-preview/', { cron, zone }, { signal }),
    enabled: cron.trim() !== '',
    retry: false,
    staleTime: 60_000,
    placeholderData: (previous, query) => (query?.state.status === 'success' ? previous : undefined),
  });

export interface Delivery {
  id: string;
  received_at: string;
  verdict: string;
  reason: string;
  run: string | null;
  summary?: string | null;
}

export const useDeliveries = (flow: string) =>
  useQuery({
    queryKey: [...flowKeys.one(flow), 'deliveries'],
    queryFn: () => api.get<Page<Delivery>>(`flows/${flow}/deliveries/`, { query: { limit: 20 } }),
    refetchInterval: 15_000,
    retry: false,
  });

/** The draft as it was when the editor was opened; the store holds it from then on. */
export const useOpeningDraft = (id: string) =>
  useQuery({
    queryKey: ['editor', 'draft', id],
    queryFn: ({ signal }) => fetchDraft(id, signal),
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });

/** Puts a document that could not be saved into a flow of its own; returns the new flow. */
export async function saveAsCopy(document: FlowDocument, name: string): Promise<Flow> {
  const flow = await api.post<Flow>('flows/', { name }, { idempotencyKey: newKey() });
  const draft = await fetchDraft(flow.id);
  await saveDraft(flow.id, { ...document, name }, draft.revision);
  return flow;
}

function useChange<V, R>(change: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: flowKeys.all }),
  });
}

export const usePublish = (id: string) =>
  useChange(({ note, key, revision }: { note: string; key: string; revision: number }) =>
    // What is published is what was seen: if somebody has saved since, the server says so.
    api.post<FlowVersion & { unchanged?: boolean }>(`flows/${id}/publish/`, { note }, { idempotencyKey: key, ifMatch: revision }),
  );

export const useActivate = (id: string) =>
  useChange((number: number) => api.post(`flows/${id}/versions/${number}/activate/`));

export const useStartRun = (id: string) => {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ input, key }: { input: unknown; key: string }) =>
      api.post<{ id: string }>(`flows/${id}/runs/`, { input }, { idempotencyKey: key }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
};
