import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import { fitting } from './fitting';
import { usePaged } from './lists';
import type {
  Flow, FlowDocument, FlowExample, FlowVersion, Grant, RunStatus, StepCatalogue,
} from './types';

export const flowKeys = {
  all: ['flows'] as const,
  one: (id: string) => ['flows', 'one', id] as const,
  draft: (id: string) => ['flows', 'one', id, 'draft'] as const,
  versions: (id: string) => ['flows', 'one', id, 'versions'] as const,
  grants: (id: string) => ['flows', 'one', id, 'grants'] as const,
};

export const useFlows = (query: { search?: string; state?: string; limit?: number }, enabled = true) =>
  usePaged<Flow>(['flows', 'list'], 'flows/', query, enabled);

export const useFlow = (id: string) =>
  useQuery({
    queryKey: flowKeys.one(id),
    queryFn: () => api.get<Flow>(`flows/${id}/`),
    // Held signals are no news of the live channel, and their number is shown.
    refetchInterval: ({ state }) => (state.data?.pause ? 15_000 : false),
  });

/** A flow that somebody works at while another part of the page waits for it. */
export const useFlowWatched = (id: string | undefined) =>
  useQuery({
    queryKey: flowKeys.one(id ?? ''),
    queryFn: () => api.get<Flow>(`flows/${id}/`),
    refetchInterval: 3000,
    enabled: id !== undefined,
  });

export interface Draft {
  document: FlowDocument;
  revision: number;
}

export async function fetchDraft(id: string, signal?: AbortSignal): Promise<Draft> {
  const answer = await api.answer<FlowDocument>('GET', `flows/${id}/draft/`, { exact: 'value', signal });
  return { document: fitting(answer.data), revision: answer.revision ?? 0 };
}

/** Saves the whole document; throws a `Problem` 412 when somebody saved since `revision`. */
export async function saveDraft(id: string, document: FlowDocument, revision: number): Promise<number> {
  const answer = await api.answer('PUT', `flows/${id}/draft/`, { body: document, ifMatch: revision });
  return answer.revision ?? revision + 1;
}

export const useDraft = (id: string) =>
  useQuery({
    queryKey: flowKeys.draft(id),
    queryFn: ({ signal }) => fetchDraft(id, signal),
    staleTime: Infinity,
  });

export const useVersions = (id: string, enabled = true) =>
  usePaged<FlowVersion>(flowKeys.versions(id), `flows/${id}/versions/`, {}, enabled);

/** One published version with its document, which never changes. */
export const useVersion = (id: string | undefined, number: number | undefined) =>
  useQuery({
    queryKey: ['versions', id, number],
    queryFn: () =>
      api.get<FlowVersion & { document: FlowDocument }>(`flows/${id}/versions/${number}/`, { exact: 'value' }),
    staleTime: Infinity,
    enabled: id !== undefined && number !== undefined,
  });

export const useExamples = (enabled = true) =>
  useQuery({
    queryKey: ['flow-examples'],
    queryFn: () => api.get<Page<FlowExample>>('flow-examples/'),
    staleTime: Infinity,
    enabled,
  });

/** The step and trigger types the server knows; it changes only with the product itself. */
export const useStepCatalogue = () =>
  useQuery({
    queryKey: ['step-types'],
    queryFn: () => api.get<StepCatalogue>('step-types/'),
    staleTime: Infinity,
    gcTime: Infinity,
  });

export interface LatestRun {
  id: string;
  status: RunStatus;
  started_at: string | null;
}

export const useLatestRuns = (flowIds: string[]) =>
  useQuery({
    queryKey: ['runs', 'latest', flowIds],
    queryFn: () => api.get<Record<string, LatestRun>>('runs/latest/', { query: { flows: flowIds.join(',') } }),
    enabled: flowIds.length > 0,
    placeholderData: (previous) => previous,
  });

/** A mutation after which every list and page about flows is read again. */
export function useFlowChange<V, R = unknown>(change: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: flowKeys.all }),
  });
}

export const useCreateFlow = () =>
  useFlowChange(({ key, ...body }: { name: string; example?: string; key: string }) =>
    api.post<Flow>('flows/', body, { idempotencyKey: key }),
  );

export const useDuplicateFlow = () =>
  useFlowChange(({ id, key }: { id: string; key: string }) =>
    api.post<Flow>(`flows/${id}/duplicate/`, {}, { idempotencyKey: key }),
  );

export type FlowMove = 'pause' | 'resume' | 'archive';
export const useMoveFlow = () =>
  useFlowChange(({ id, move, reason }: { id: string; move: FlowMove; reason?: string }) =>
    api.post(`flows/${id}/${move}/`, reason ? { reason } : {}),
  );

export const useGrants = (id: string) =>
  useQuery({
    queryKey: flowKeys.grants(id),
    queryFn: () => api.get<{ grants: Grant[] }>(`flows/${id}/grants/`),
  });

export const useSaveGrants = (id: string) =>
  useFlowChange((grants: Grant[]) => api.put(`flows/${id}/grants/`, { grants }));
