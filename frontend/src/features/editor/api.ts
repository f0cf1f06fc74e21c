import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api } from '~/api/client';
import type { Page } from '~/api/client';
import { fetchDraft, flowKeys } from '~/api/flows';
import { useSamples, useSampleValues } from '~/api/testing';
import type { Finding, FlowDocument, FlowVersion } from '~/api/types';
import type { Sample } from './document/paths';
import { useTrial } from './trial';

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

/** The value of an expression with a sample, as the server computes it; hidden from who may not see data. */
export const usePreview = (flow: string, expression: string, sample: string | null) =>
  useQuery({
    queryKey: ['evaluate', flow, sample, expression],
    queryFn: ({ signal }) =>
      api.post<Preview>('evaluate/', { expression, flow, sample }, { signal, exact: 'written' }),
    enabled: expression.trim() !== '' && sample !== null,
    retry: false,
    staleTime: Infinity,
    gcTime: 60_000,
    placeholderData: (previous, query) => (query?.state.status === 'success' ? previous : undefined),
  });

/** The sample that was chosen; else the first there is. */
export function useChosenSample(flow: string): string | null {
  const samples = useSamples(flow).data?.results;
  const chosen = useTrial((trial) => (trial.flowId === flow ? trial.sample : null));
  if (!samples) return null;
  return samples.find((one) => one.id === chosen)?.id ?? samples[0]?.id ?? null;
}

/** The values of the chosen sample; `null` where there is none, or it may not be seen. */
export function useSample(flow: string): { data: Sample | null | undefined; isPending: boolean } {
  const id = useChosenSample(flow);
  const listed = useSamples(flow);
  const { data, isPending } = useSampleValues(flow, id);
  const sample = useMemo<Sample | null | undefined>(
    () => (data ? { id: data.id, trigger: data.trigger, steps: data.steps } : id === null && !listed.isPending ? null : undefined),
    [data, id, listed.isPending],
  );
  return { data: sample, isPending: id === null ? listed.isPending : isPending };
}

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

function useChange<V, R>(change: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: flowKeys.all }),
  });
}

export const usePublish = (id: string) =>
  useChange(({ note, key, revision, part }: { note: string; key: string; revision: number; part?: { changes: string[]; base: number | null } }) =>
    // What is published is what was seen: if somebody has saved since, the server says so.
    api.post<FlowVersion & { unchanged?: boolean }>(`flows/${id}/publish/`, { note, ...part }, { idempotencyKey: key, ifMatch: revision }),
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
