import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { usePaged } from './lists';

export type RequestState = 'waiting' | 'working' | 'on_hold' | 'done' | 'failed' | 'withdrawn';

export interface FormItem {
  flow: { id: string; name: string };
  text: string;
  is_paused: boolean;
  draft_at: string | null;
}

export interface RequestDraft {
  id: string;
  answers: Record<string, unknown>;
  is_stale: boolean;
  updated_at: string;
}

export interface RequestForm {
  flow: { id: string; name: string };
  text: string;
  is_paused: boolean;
  open_to: 'runners' | 'members' | 'public';
  form: Record<string, unknown>;
  /** Names this form; sent along with the answers. */
  form_hash: string;
  draft: RequestDraft | null;
}

export interface RequestItem {
  id: string;
  flow: { id: string; name: string };
  created_at: string;
  progress: { state: RequestState; said: string; who: string[]; since: string | null; until: string | null; may_withdraw: boolean };
  /** What somebody who decides asks the person. */
  questions: { id: string; by: string; text: string; at: string }[];
  /** The forms that the person is asked to fill in. */
  to_fill_in?: { task: string; title: string; at: string; until: string | null }[];
  answered: { title: string; word: string; by: string[]; comments: string[]; at: string | null }[];
}

export interface RequestDetail extends RequestItem {
  answers: { name: string; label: string; kind: string; value: unknown }[];
  form_hash: string;
  version_hash: string;
}

/** What becomes of a request is told by nobody else's hand: it is read again now and then. */
const AGAIN_MS = 10_000;

export const useRequestForms = () =>
  useQuery({ queryKey: ['request-forms'], queryFn: () => api.get<{ results: FormItem[] }>('request-forms/') });

/** Read once: what is filled in meanwhile is the page's own. */
export const useRequestForm = (flowId: string) =>
  useQuery({
    queryKey: ['request-forms', flowId],
    queryFn: () => api.get<RequestForm>(`request-forms/${flowId}/`),
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    staleTime: Infinity,
    gcTime: 0,
  });

export const useMyRequests = () => usePaged<RequestItem>(['requests'], 'requests/');

export const useMyRequest = (id: string) =>
  useQuery({
    queryKey: ['requests', id],
    queryFn: () => api.get<RequestDetail>(`requests/${id}/`, { exact: 'written' }),
    refetchInterval: AGAIN_MS,
  });

export const saveRequestDraft = (flowId: string, formHash: string, answers: unknown) =>
  api.put<RequestDraft>(`request-forms/${flowId}/draft/`, { form_hash: formHash, answers }, { keepalive: true });

export function useDiscardDraft(flowId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => api.delete(`request-forms/${flowId}/draft/`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['request-forms'], exact: true }),
  });
}

interface Sent {
  flow: string;
  form_hash: string;
  answers: unknown;
  draft: string | null;
}

export function useSendRequest(key: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sent: Sent) => api.post<RequestDetail>('requests/', sent, { idempotencyKey: key }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['requests'] });
      await client.invalidateQueries({ queryKey: ['request-forms'], exact: true });
    },
  });
}

export function useAnswer(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ question, text }: { question: string; text: string }) => api.post(`questions/${question}/answer/`, { text }),
    onSettled: () => client.invalidateQueries({ queryKey: ['requests', id] }),
  });
}

export function useWithdraw(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (reason: string) => api.post<RequestDetail>(`requests/${id}/withdraw/`, { reason }),
    onSettled: () => client.invalidateQueries({ queryKey: ['requests'] }),
  });
}
