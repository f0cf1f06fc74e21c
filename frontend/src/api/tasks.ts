import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { usePaged } from './lists';
import type { Task, TaskItem } from './types';

export type TaskView = 'open' | 'done';

export const useTasks = (state: TaskView) =>
  usePaged<TaskItem>(['tasks', 'list'], 'tasks/', { state });

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
}

export function useDecide(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (decision: DecisionInput) => api.post<Task>(`tasks/${id}/decide/`, decision),
    onSettled: () => client.invalidateQueries({ queryKey: ['tasks'] }),
  });
}
