import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useIntl } from 'react-intl';
import { api } from '~/api/client';
import { fitting } from '~/api/fitting';
import { flowKeys } from '~/api/flows';
import { usePaged } from '~/api/lists';
import type { FlowDocument } from '~/api/types';
import type { Loaded } from '../autosave';

export interface Person {
  id: string;
  name: string;
  email: string;
}

export interface Side {
  what: 'version' | 'revision' | 'draft' | 'empty';
  number: number | null;
  author: Person | null;
  at: string | null;
  note: string;
  document: FlowDocument;
}

export interface ChangeGroup {
  id: string;
  title: string;
  steps: string[];
  authors: Person[];
  changes: { path: string; became: 'added' | 'removed' | 'changed'; step: string | null; text: string }[];
}

export interface Risk {
  code: string;
  severity: 'high' | 'note';
  step: string | null;
  text: string;
}

/** What differs between two states of a flow, as the server tells it. */
export interface Comparison {
  before: Side;
  after: Side;
  same: boolean;
  groups: ChangeGroup[];
  moved: string[];
  notes: Risk[];
  authors: Person[];
}

/** A draft may be of any shape; nothing at all stays nothing. */
const shown = (side: Side): Side => (side.what === 'empty' ? side : { ...side, document: fitting(side.document) });

/** `7` is version 7, `r12` revision 12; `active`, `draft`, `empty`. `seen` tells drafts apart. */
export function useComparison(flow: string, from: string, to: string, seen?: number) {
  const language = useIntl().locale.startsWith('de') ? 'de' : 'en';
  return useQuery({
    queryKey: [...flowKeys.one(flow), 'compare', from, to, language, seen],
    queryFn: async ({ signal }) => {
      const found = await api.get<Comparison>(`flows/${flow}/compare/`, { query: { from, to, language }, exact: 'value', signal });
      return { ...found, before: shown(found.before), after: shown(found.after) };
    },
    retry: false,
    placeholderData: (previous) => previous,
  });
}

export interface Revision {
  number: number;
  author: Person | null;
  created_at: string;
  how: 'saved' | 'restored';
  restored_from: string;
  changed: number;
  about: string[];
  is_current: boolean;
}

export const useRevisions = (flow: string) => usePaged<Revision>([...flowKeys.one(flow), 'revisions'], `flows/${flow}/revisions/`, { limit: 50 });

export const useRevision = (flow: string, number: number) =>
  useQuery({
    queryKey: ['revisions', flow, number],
    queryFn: async () => {
      const found = await api.get<Revision & { document: FlowDocument }>(`flows/${flow}/revisions/${number}/`, { exact: 'value' });
      return { ...found, document: fitting(found.document) };
    },
    staleTime: Infinity,
    retry: false,
  });

export interface Restoring {
  what: { version: number } | { revision: number };
  /** Of the draft that is replaced. */
  seen: number;
}

/** Makes the draft what a version or a revision says; answers with the draft. */
export function useRestore(flow: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ what, seen }: Restoring): Promise<Loaded> => {
      const answer = await api.answer<FlowDocument>('POST', `flows/${flow}/restore/`, { body: what, ifMatch: seen, exact: 'value' });
      return { document: fitting(answer.data), revision: answer.revision ?? seen + 1 };
    },
    // Not waited for: what the server made is shown before anything is read again.
    onSuccess: () => void client.invalidateQueries({ queryKey: flowKeys.all }),
  });
}
