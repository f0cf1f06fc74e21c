import { useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from './client';
import { usePaged } from './lists';

export interface Question {
  id: string;
  by: string;
  of: string;
  text: string;
  asked_at: string;
  /** Empty while there is none. */
  answer: string;
  answered_at: string | null;
  /** How it stands where it has no answer, in a sentence. */
  state: string;
  may_answer: boolean;
  may_take_back: boolean;
}

export interface QuestionItem extends Question {
  task: string;
  title: string;
  flow: string;
}

/** What waits for the person's own answer. */
export const useQuestions = () => usePaged<QuestionItem>(['tasks', 'questions'], 'questions/', {});

function useWrite<Body>(write: (body: Body) => Promise<unknown>) {
  const client = useQueryClient();
  return useMutation({ mutationFn: write, onSettled: () => client.invalidateQueries({ queryKey: ['tasks'] }) });
}

/** Without `of` whoever asked for the matter is asked. */
export const useAsk = (task: string) => useWrite((body: { text: string; of: string }) => api.post(`tasks/${task}/questions/`, body));

export const useAnswer = (question: string) => useWrite((body: { text: string }) => api.post(`questions/${question}/answer/`, body));

export const useTakeBack = () => useWrite((question: string) => api.post(`questions/${question}/take-back/`, {}));
