import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import { usePaged } from './lists';
import type { Alert, AuditEvent, AuditSeal } from './types';

export interface AuditFilter {
  actor?: string;
  verb?: string;
  target?: string;
  search?: string;
  from?: string;
  to?: string;
  [name: string]: string | undefined;
}

export const useAudit = (filter: AuditFilter) => usePaged<AuditEvent>(['audit', 'list'], 'audit/', filter);

export const useSeals = () =>
  useQuery({ queryKey: ['audit', 'seals'], queryFn: () => api.get<Page<AuditSeal>>('audit/seals/') });

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
