import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import { usePaged } from './lists';
import type { Task, TaskItem } from './types';

/** Everything to decide, its parts, what is late of it, and what is over. */
export const TASK_VIEWS = ['all', 'mine', 'groups', 'delegated', 'overdue', 'done'] as const;
export type TaskView = (typeof TASK_VIEWS)[number];

/** What narrows a list, as it stands in the address. */
export interface TaskFilter {
  view?: TaskView;
  search?: string;
  flow?: string;
  requester?: string;
}

export const useTasks = ({ view, ...rest }: TaskFilter) =>
  usePaged<TaskItem>(['tasks', 'list'], 'tasks/', { ...rest, ...(view === 'done' ? { state: 'done' } : view === 'all' ? {} : { view }) });

/** How many each view has, each by the query of its list. */
export const useTaskCounts = () =>
  useQuery({ queryKey: ['tasks', 'counts'], queryFn: () => api.get<Partial<Record<TaskView, number>>>('tasks/counts/') });

export interface KeptFilter {
  id: string;
  name: string;
  filter: TaskFilter;
}

export const useKeptFilters = () =>
  useQuery({ queryKey: ['task-filters'], queryFn: () => api.get<Page<KeptFilter>>('task-filters/') });

export function useKeepFilter() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; filter: TaskFilter }) => api.post<KeptFilter>('task-filters/', body),
    onSuccess: () => client.invalidateQueries({ queryKey: ['task-filters'] }),
  });
}

export function useForgetFilter() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.delete(`task-filters/${id}/`),
    onSuccess: () => client.invalidateQueries({ queryKey: ['task-filters'] }),
  });
}

/** One task of several; `problem` is empty where it is answered, or would be. */
export interface BulkLine {
  task: string;
  title: string;
  requester: string;
  amount: { label: string; value: unknown } | null;
  seen: string;
  then: string;
  problem: string;
}

export const useBulkPreview = (tasks: string[], outcome: string) =>
  useQuery({
    queryKey: ['tasks', 'bulk', tasks, outcome],
    queryFn: () => api.get<{ results: BulkLine[] }>('tasks/bulk/', { query: { tasks: tasks.join(','), outcome }, exact: 'written' }),
    // What is shown is what is sent: it changes only when somebody looks again.
    staleTime: Infinity,
    gcTime: 0,
  });

export interface BulkInput {
  /** Made once for each dialog, so that a second press changes nothing. */
  id: string;
  outcome: string;
  comment: string;
  items: { task: string; seen: string }[];
}

export function useBulkDecide() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (bulk: BulkInput) => api.post<{ results: BulkLine[] }>('tasks/bulk/', bulk),
    onSettled: () =>
      void client.invalidateQueries({ queryKey: ['tasks'], predicate: ({ queryKey }) => queryKey[1] !== 'bulk' }),
  });
}

/** The badge: counted by the same query as the list. */
export const useTaskCount = () =>
  useQuery({ queryKey: ['tasks', 'count'], queryFn: () => api.get<{ open: number }>('tasks/count/') });

/** A task with the facts as they were stored for it; decimals keep their written form. */
export const useTask = (id: string | undefined) =>
  useQuery({
    queryKey: ['tasks', 'one', id],
    queryFn: () => api.get<Task>(`tasks/${id}/`, { exact: 'written' }),
    enabled: id !== undefined,
  });

export interface DecisionInput {
  outcome: string;
  comment: string;
  /** Hash of the facts that were on the screen; the server refuses when they have changed. */
  seen: string;
  /** How many answers to questions were on the screen. */
  heard: number;
  /** What was filled in, and on which form, where the answer needs it. */
  form_hash?: string;
  answers?: unknown;
}

export const saveTaskDraft = (id: string, formHash: string, answers: unknown) =>
  api.put<{ updated_at: string }>(`tasks/${id}/draft/`, { form_hash: formHash, answers }, { keepalive: true });

export function useDecide(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (decision: DecisionInput) => api.post<Task>(`tasks/${id}/decide/`, decision),
    // Not waited for: what asked is gone once the task is there anew, and would not tell the person.
    onSettled: () => void client.invalidateQueries({ queryKey: ['tasks'] }),
  });
}
