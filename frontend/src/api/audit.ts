import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import { usePaged } from './lists';
import type { Alert, AuditEvent, AuditSeal, EntryProof, EvidenceList, EvidencePack, TrailCheck, TrailDestination } from './types';

export interface AuditFilter {
  actor?: string;
  verb?: string;
  target?: string;
  search?: string;
  flow?: string;
  correlation?: string;
  from?: string;
  to?: string;
  [name: string]: string | undefined;
}

export const useAudit = (filter: AuditFilter) => usePaged<AuditEvent>(['audit', 'list'], 'audit/', filter);

export const useSeals = () =>
  useQuery({ queryKey: ['audit', 'seals'], queryFn: () => api.get<Page<AuditSeal>>('audit/seals/') });

/** One entry by its id, for who comes from elsewhere than the list. */
export const useAuditEntry = (id: string | undefined) =>
  useQuery({ queryKey: ['audit', 'one', id], queryFn: () => api.get<AuditEvent>(`audit/${id}/`), enabled: id !== undefined });

/** Computed anew each time an entry is opened: what was true a moment ago proves nothing. */
export const useEntryProof = (id: string) =>
  useQuery({
    queryKey: ['audit', 'one', id, 'check'],
    staleTime: 0,
    gcTime: 0,
    queryFn: () => api.get<EntryProof>(`audit/${id}/check/`),
    refetchInterval: ({ state }) => (state.data?.state === 'unsealed' ? 3000 : false),
  });

const isOpen = (jobs: { state: string }[] | undefined) => jobs?.some(({ state }) => state === 'waiting' || state === 'running') ?? false;

export const useChecks = () =>
  useQuery({
    queryKey: ['audit', 'checks'],
    queryFn: () => api.get<Page<TrailCheck>>('audit/checks/?limit=10'),
    refetchInterval: ({ state }) => (isOpen(state.data?.results) ? 1500 : false),
  });

export const useEvidence = () =>
  useQuery({
    queryKey: ['audit', 'evidence'],
    queryFn: () => api.get<Page<EvidencePack>>('audit/evidence/?limit=50'),
    refetchInterval: ({ state }) => (isOpen(state.data?.results) ? 1500 : false),
  });

export const useDestinations = () =>
  useQuery({
    queryKey: ['audit', 'destinations'],
    queryFn: () => api.get<Page<TrailDestination>>('audit/destinations/'),
    refetchInterval: 5000,
  });

function useTrailChange<V, R>(part: string, change: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => client.invalidateQueries({ queryKey: ['audit', part] }) });
}

export const useStartCheck = () =>
  useTrailChange('checks', (key: string) => api.post<TrailCheck>('audit/checks/', {}, { idempotencyKey: key }));

export interface EvidenceWanted {
  from: string;
  to: string;
  flow: string | null;
  lists: EvidenceList[];
}

export const useMakeEvidence = () =>
  useTrailChange('evidence', ({ key, ...wanted }: EvidenceWanted & { key: string }) =>
    api.post<EvidencePack>('audit/evidence/', wanted, { idempotencyKey: key }),
  );

export type DestinationDraft = Pick<TrailDestination, 'name' | 'kind' | 'address' | 'secret' | 'with_rows' | 'with_checkpoints'>;

export const useAddDestination = () =>
  useTrailChange('destinations', ({ key, ...draft }: DestinationDraft & { from_start: boolean; key: string }) =>
    api.post<TrailDestination>('audit/destinations/', draft, { idempotencyKey: key }),
  );
export const useChangeDestination = () =>
  useTrailChange('destinations', ({ id, ...change }: Partial<DestinationDraft> & { id: string; is_paused?: boolean }) =>
    api.patch<TrailDestination>(`audit/destinations/${id}/`, change),
  );
export const useRemoveDestination = () =>
  useTrailChange('destinations', (id: string) => api.delete(`audit/destinations/${id}/`));
export const useTestDestination = () =>
  useTrailChange('destinations', (id: string) => api.post<{ taken: boolean; fault: string }>(`audit/destinations/${id}/test/`));

export const useAlerts = () =>
  useQuery({
    queryKey: ['alerts'],
    queryFn: () => api.get<Page<Alert> & { unread: number }>('alerts/'),
  });

export function useReadAlerts() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (what: { ids: string[] } | { all: true }) => api.post('alerts/read/', what),
    onSuccess: () => client.invalidateQueries({ queryKey: ['alerts'] }),
  });
}
