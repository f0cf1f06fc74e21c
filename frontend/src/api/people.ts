import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import type { WorkingCalendar } from './types';

export interface Colleague {
  id: string;
  name: string;
  email: string;
}

export interface Place {
  from: string;
  manager: Colleague | null;
  deputy: Colleague | null;
  department: string;
  zone: string;
}

export interface Places {
  language: string;
  today: string;
  on: Place | null;
  /** Oldest first, those that begin later too. */
  history: Place[];
}

export interface PlaceInput {
  from: string | null;
  /** Ids of memberships. */
  manager: string | null;
  deputy: string | null;
  department: string;
  zone: string;
  language: string;
  reason: string;
}

export interface ImportLine {
  line: number;
  mail: string;
  day: string | null;
  /** Empty where the line holds. */
  problem: string;
  changes: Record<string, [before: string, after: string]>;
}

export interface Delegation {
  id: string;
  person: Colleague;
  /** Null is the deputy. */
  to: Colleague | null;
  begins_at: string;
  ends_at: string;
  kinds: string[];
  flows: { id: string; name: string }[];
  amount_label: string;
  amount_limit: string | null;
  without_high_risk: boolean;
  reason: string;
}

export interface DelegationInput {
  to: string;
  begins_at: string;
  ends_at: string;
  kinds: string[];
  flows: string[];
  amount_label: string;
  amount_limit: string | null;
  without_high_risk: boolean;
  reason: string;
}

export interface Belongings {
  flows: { id: string; name: string; state: string; is_scheduled: boolean }[];
  tasks: { id: string; title: string; problem: string }[];
  grants: { id: string; name: string; rights: string[] }[];
  tokens: string[];
  teams: string[];
  manager_of: string[];
  deputy_of: string[];
  delegations: number;
}

export interface OwnCalendar extends WorkingCalendar {
  own: boolean;
}

/** Whose calendar: the workspace's, a team's or a person's. */
export type CalendarOf = 'calendar/' | `teams/${string}/calendar/` | `members/${string}/calendar/`;

function useChange<V, R = unknown>(keys: string[], change: (variables: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => Promise.all(keys.map((key) => client.invalidateQueries({ queryKey: [key] }))),
  });
}

export const usePlaces = (member: string) =>
  useQuery({ queryKey: ['places', member], queryFn: () => api.get<Places>(`members/${member}/place/`) });
export const useSetPlace = (member: string) =>
  useChange(['members', 'places'], (place: PlaceInput) => api.put<Places>(`members/${member}/place/`, place));

export const usePreviewImport = () =>
  useMutation({ mutationFn: (file: string) => api.post<{ results: ImportLine[] }>('members/import/preview/', { file }) });
export const useImportPeople = () =>
  useChange(['members', 'places'], (body: { file: string; skip_bad: boolean; reason: string }) =>
    api.post<{ results: ImportLine[] }>('members/import/', body),
  );

export const useBelongings = (member: string, to: string) =>
  useQuery({
    queryKey: ['belongings', member, to],
    queryFn: () => api.get<Belongings>(`members/${member}/belongings/${to ? `?to=${encodeURIComponent(to)}` : ''}`),
  });
export const useRehome = (member: string) =>
  useChange(['members', 'flows', 'tasks', 'delegations', 'places', 'belongings'], (body: { to: string; reason: string }) =>
    api.post<Belongings>(`members/${member}/rehome/`, body),
  );

export const useColleagues = (enabled = true) =>
  useQuery({ queryKey: ['colleagues'], queryFn: () => api.get<Page<Colleague>>('colleagues/?limit=200'), enabled });

export const useDelegations = () =>
  useQuery({ queryKey: ['delegations'], queryFn: () => api.get<Page<Delegation>>('delegations/') });
export const useDelegate = () =>
  useChange(['delegations', 'tasks'], ({ key, ...body }: DelegationInput & { key: string }) =>
    api.post<Delegation>('delegations/', body, { idempotencyKey: key }),
  );
export const useEndDelegation = () =>
  useChange(['delegations', 'tasks'], (id: string) => api.delete(`delegations/${id}/`));

export const useTaskAct = (task: string) =>
  useChange(['tasks'], ({ act, body }: { act: string; body?: Record<string, unknown> }) =>
    api.post(`tasks/${task}/${act}/`, body ?? {}),
  );
export const useReassign = () =>
  useChange(['tasks'], (body: { person: string; to: string; reason: string }) =>
    api.post<{ results: { task: string; title: string; problem: string }[] }>('tasks/reassign/', body),
  );

export const useOwnCalendar = (whose: CalendarOf) =>
  useQuery({ queryKey: ['calendar', whose], queryFn: () => api.get<OwnCalendar>(whose) });
export const useSaveOwnCalendar = (whose: CalendarOf) =>
  useChange(['calendar'], (calendar: WorkingCalendar) => api.put<OwnCalendar>(whose, calendar));
export const useDropOwnCalendar = (whose: CalendarOf) => useChange(['calendar'], () => api.delete(whose));
