import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import type { AllowedHost, Invitation, Member, Role, Secret, Team } from './types';

function useList<T>(key: string, path: string, enabled = true) {
  return useQuery({ queryKey: [key], queryFn: () => api.get<Page<T>>(path), enabled });
}

/** A mutation after which the lists under `keys` are read again. */
function useChange<V, R = unknown>(keys: string[], change: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useMembers = (enabled = true) => useList<Member>('members', 'members/', enabled);
export const useInvitations = (enabled = true) => useList<Invitation>('invitations', 'invitations/', enabled);
export const useTeams = (enabled = true) => useList<Team>('teams', 'teams/', enabled);
export const useSecrets = (enabled = true) => useList<Secret>('secrets', 'secrets/', enabled);
export const useHosts = () => useList<AllowedHost>('allowed-hosts', 'allowed-hosts/');

export interface MemberChange {
  id: string;
  roles?: Role[];
  teams?: string[];
  is_active?: boolean;
  reason?: string;
}

export const useChangeMember = () =>
  useChange(['members', 'teams'], ({ id, ...change }: MemberChange) => api.patch(`members/${id}/`, change));
export const useInvite = () =>
  useChange(['invitations', 'members'], ({ key, ...body }: { email: string; roles: Role[]; key: string }) =>
    api.post<Invitation>('invitations/', body, { idempotencyKey: key }),
  );
export const useWithdrawInvitation = () =>
  useChange(['invitations'], (id: string) => api.delete(`invitations/${id}/`));

export const useCreateTeam = () =>
  useChange(['teams'], ({ key, ...body }: { slug: string; name: string; key: string }) =>
    api.post<Team>('teams/', body, { idempotencyKey: key }),
  );
export const useRenameTeam = () =>
  useChange(['teams'], ({ id, name }: { id: string; name: string }) => api.patch(`teams/${id}/`, { name }));
export const useDeleteTeam = () => useChange(['teams', 'members'], (id: string) => api.delete(`teams/${id}/`));

export const useSaveSecret = () =>
  useChange(['secrets'], ({ name, value, hosts }: { name: string; value: string; hosts: string[] }) =>
    api.put(`secrets/${encodeURIComponent(name)}/`, { value, hosts }),
  );
export const useDeleteSecret = () =>
  useChange(['secrets'], (name: string) => api.delete(`secrets/${encodeURIComponent(name)}/`));

export const useAllowHost = () =>
  useChange(['allowed-hosts'], ({ key, ...body }: { host: string; port: number; reason: string; key: string }) =>
    api.post<AllowedHost>('allowed-hosts/', body, { idempotencyKey: key }),
  );
export const useRemoveHost = () =>
  useChange(['allowed-hosts'], (id: string) => api.delete(`allowed-hosts/${id}/`));
