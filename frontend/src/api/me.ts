import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import type { ApiToken, Me, Right, Session } from './types';

const meQuery = { queryKey: ['me'], queryFn: () => api.get<Me>('me/'), staleTime: 60_000 } as const;

/** Who is signed in. The shell waits for it, so below the shell it is always there. */
export const useMe = (): Me => useSuspenseQuery(meQuery).data;
export const useMeQuery = () => useQuery(meQuery);

/** Whether the person has a right in the workspace; rights to one flow are on the flow itself. */
export function useRight(...anyOf: Right[]): boolean {
  const { rights } = useMe();
  return anyOf.some((right) => rights.includes(right));
}

export function useChangeMe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<Pick<Me, 'name' | 'theme' | 'language' | 'zone'>>) => api.patch<Me>('me/', change),
    onMutate: (change) => client.setQueryData<Me>(['me'], (me) => me && { ...me, ...change }),
    // What the server says (names of steps, findings) comes in the language, too.
    onSettled: (_me, _error, change) => client.invalidateQueries(change.language === undefined ? { queryKey: ['me'] } : {}),
  });
}

export const useSwitchWorkspace = () =>
  useMutation({
    mutationFn: (slug: string) => api.post('me/workspace/', { slug }),
    // Everything on the screen belongs to the workspace that is left.
    onSuccess: () => window.location.assign('/'),
  });

export const useChangePassword = () =>
  useMutation({
    mutationFn: (words: { current: string; new: string }) => api.post('me/password/', words),
  });

export const useSessions = () =>
  useQuery({ queryKey: ['sessions'], queryFn: () => api.get<Page<Session>>('me/sessions/') });

export function useEndSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id?: string) => api.post('me/sessions/end/', id ? { id } : {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ['sessions'] }),
  });
}

export const useTokens = () =>
  useQuery({ queryKey: ['tokens'], queryFn: () => api.get<Page<ApiToken>>('tokens/') });

export function useCreateToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ key, ...body }: { name: string; scopes: string[] | null; days: number; key: string }) =>
      api.post<ApiToken>('tokens/', body, { idempotencyKey: key }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`tokens/${id}/`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
}
