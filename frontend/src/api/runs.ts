import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { usePaged } from './lists';
import type { JournalRow, Run, RunItem } from './types';

export interface RunFilter {
  flow?: string;
  status?: string;
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
