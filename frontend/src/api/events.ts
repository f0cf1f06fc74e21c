import { useQuery } from '@tanstack/react-query';
import { api } from './client';
import { usePaged } from './lists';

export const EVENT_STATES = ['taken', 'refused', 'waiting', 'expired'] as const;
export type EventState = (typeof EVENT_STATES)[number];

/** What an event did: a flow that it started, a run that it woke, or why one was refused. */
export interface Taker {
  what: 'accepted' | 'held' | 'duplicate' | 'refused' | 'too_deep' | 'woke' | 'changed' | 'unread';
  flow: string | null;
  flow_name: string;
  run: string | null;
  step: string;
  reason: string;
}

export interface EventItem {
  id: string;
  event_id: string;
  type: string;
  version: string;
  source: string;
  subject: string;
  time: string;
  correlation: string;
  causation: string;
  depth: number;
  flow: string | null;
  flow_name: string;
  run: string | null;
  step: string;
  created_at: string;
  expires_at: string;
  state: EventState;
  takers: Taker[];
  faults: string[];
}

export interface EventFilter {
  type?: string;
  state?: string;
  from_outside?: string;
  from?: string;
  [name: string]: string | undefined;
}

export const useEvents = (filter: EventFilter) => usePaged<EventItem>(['events', 'list'], 'events/', filter);

/** One event with its data, as it was told. */
export const useEvent = (id: string | undefined) =>
  useQuery({
    queryKey: ['events', 'one', id],
    queryFn: ({ signal }) => api.get<Record<string, unknown>>(`events/${id}/`, { exact: 'written', signal }),
    enabled: id !== undefined,
  });

const NONE: string[] = [];

/** Types of event that are known in the workspace, to choose from. */
export function useEventTypes(enabled = true): string[] {
  const { data } = useQuery({
    queryKey: ['events', 'types'],
    queryFn: () => api.get<{ types: string[] }>('event-types/'),
    staleTime: 60_000,
    enabled,
  });
  return data?.types ?? NONE;
}
