import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { usePaged } from './lists';

export const WAYS = ['mail', 'app', 'push', 'chat'] as const;
export type Way = (typeof WAYS)[number];
export const GROUPS = ['tasks', 'limits', 'talk', 'alerts'] as const;
export type Group = (typeof GROUPS)[number];
export const CHOICES = ['all', 'urgent', 'digest', 'never'] as const;
export type Choice = (typeof CHOICES)[number];
export type Choices = Partial<Record<Way, Partial<Record<Group, Choice>>>>;

export interface Quiet {
  begins: string;
  ends: string;
}

export interface Told {
  choices: Choices;
  offered: Partial<Record<Way, Partial<Record<Group, Choice[]>>>>;
  quiet: Quiet | null;
  digest_at: string | null;
  zone: string;
  browsers: { id: string; user_agent: string; host: string; created_at: string }[];
  chat: { host: string } | null;
  /** What a browser is given when it lets us send it messages. */
  push_key: string;
}

export interface Wanted {
  choices: Choices;
  quiet: Quiet | null;
  digest_at: string | null;
}

export type DeliveryState = 'waiting' | 'held' | 'digest' | 'sent' | 'failed' | 'dropped';

export interface Delivery {
  id: string;
  kind: string;
  title: string;
  path: string;
  channel: Way;
  state: DeliveryState;
  held_until: string | null;
  attempts: number;
  error: string;
  created_at: string;
}

export interface WorkspaceChat {
  host: string;
  with_titles: boolean;
  groups: Group[];
}

export interface ChatWanted {
  url?: string;
  with_titles: boolean;
  groups: Group[];
}

const MINE = 'me/notifications/';

export const useTold = () => useQuery({ queryKey: ['notices', 'mine'], queryFn: () => api.get<Told>(MINE) });
export const useOwnDeliveries = () => usePaged<Delivery>(['notices', 'log'], `${MINE}deliveries/`);
export const useWorkspaceChat = () => useQuery({ queryKey: ['notices', 'chat'], queryFn: () => api.get<{ chat: WorkspaceChat | null }>('chat/') });
export const useChatDeliveries = () => usePaged<Delivery>(['notices', 'chat-log'], 'chat/deliveries/');

function useNoticeChange<Args, Result>(change: (args: Args) => Promise<Result>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: change, onSuccess: () => client.invalidateQueries({ queryKey: ['notices'] }) });
}

export const useChoose = () => useNoticeChange((wanted: Wanted) => api.put<Told>(MINE, wanted));
export const useTestWay = () => useNoticeChange((channel: Way) => api.post(`${MINE}test/`, { channel }));
export const useAddBrowser = () => useNoticeChange((subscription: PushSubscriptionJSON) => api.post(`${MINE}browsers/`, { endpoint: subscription.endpoint, keys: subscription.keys }));
export const useRemoveBrowser = () => useNoticeChange((id: string) => api.delete(`${MINE}browsers/${id}/`));
export const useSetOwnChat = () => useNoticeChange((url: string) => api.put(`${MINE}chat/`, { url }));
export const useRemoveOwnChat = () => useNoticeChange(() => api.delete(`${MINE}chat/`));
export const useTryAgain = () => useNoticeChange((id: string) => api.post(`deliveries/${id}/retry/`));
export const useSetChat = () => useNoticeChange((wanted: ChatWanted) => api.put('chat/', wanted));
export const useRemoveChat = () => useNoticeChange(() => api.delete('chat/'));
export const useTestChat = () => useNoticeChange(() => api.post('chat/test/'));
