import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { usePaged } from './lists';
import type { JournalRow, Run, RunAt, RunItem } from './types';

export interface RunFilter {
  flow?: string;
  status?: string;
  stuck?: string;
  parent?: string;
  tests?: string;
  from?: string;
  to?: string;
  [name: string]: string | undefined;
}

export const useRuns = (filter: RunFilter, enabled = true) =>
  usePaged<RunItem>(['runs', 'list'], 'runs/', filter, enabled);

/** One run. What came in and went out keeps its decimals as they were written. */
export const useRun = (id: string) =>
  useQuery({
    queryKey: ['runs', 'one', id],
    queryFn: ({ signal }) => api.get<Run>(`runs/${id}/`, { exact: 'written', signal }),
  });

export const useJournal = (id: string, enabled: boolean) =>
  usePaged<JournalRow>(['runs', 'one', id, 'journal'], `runs/${id}/journal/`, { limit: 200 }, enabled);

export function useCancelRun(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => api.post(`runs/${id}/cancel/`, { reason }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}

export function useStartRun(flowId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ input, key }: { input: unknown; key: string }) =>
      api.post<{ id: string }>(`flows/${flowId}/runs/`, { input }, { idempotencyKey: key }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}

export function useResumeRun(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.post(`runs/${id}/resume/`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}

export function usePauseRun(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => api.post(`runs/${id}/pause/`, { reason }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}

export type RunAction = 'pause' | 'resume' | 'cancel';

/** Which runs are meant: the chosen ones, or all that a filter finds. */
export type RunSelection = { ids: string[] } | { filter: RunFilter } | { all: true };

/** How many runs it would concern. */
export const useSteerCount = (action: RunAction | undefined, selection: RunSelection) =>
  useQuery({
    queryKey: ['runs', 'count', action, selection],
    queryFn: () => api.post<{ count: number }>(`runs/${action}/`, { ...selection, preview: true }),
    enabled: action !== undefined,
    gcTime: 0,
  });

export function useSteerRuns() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ action, selection, reason }: { action: RunAction; selection: RunSelection; reason: string }) =>
      api.post<{ count: number }>(`runs/${action}/`, { ...selection, reason }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}

/** The run as it was after a row of its journal; what was then does not change. */
export const useRunAt = (id: string, seq: number | undefined) =>
  useQuery({
    queryKey: ['runs', 'at', id, seq],
    queryFn: ({ signal }) => api.get<RunAt>(`runs/${id}/at/${seq}/`, { exact: 'written', signal }),
    enabled: seq !== undefined,
    placeholderData: (before) => before,
    staleTime: Infinity,
  });

export interface ReplayChoice {
  from_step?: string;
  version: 'own' | 'latest';
  mode: 'live' | 'dry';
}

export function useReplayRun(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ choice, key }: { choice: ReplayChoice; key: string }) =>
      api.post<{ id: string }>(`runs/${id}/replay/`, choice, { idempotencyKey: key }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['runs'] }),
  });
}
