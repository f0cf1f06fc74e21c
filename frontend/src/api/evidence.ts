import { useQuery } from '@tanstack/react-query';
import { api } from './client';
import type { Page } from './client';
import { usePaged } from './lists';

/** What people were asked in a run, and what came of it. */
export interface Asked {
  id: string;
  step: string;
  status: 'open' | 'decided' | 'timed_out' | 'cancelled';
  title: string;
  stage_name: string;
  outcome_word: string;
  /** As what it is decided while that can be taken back. */
  pending_word?: string;
  decided_by: string;
  ended_at: string | null;
  /** Whether somebody had answered before the facts changed, or it began anew. */
  is_stale: boolean;
  has_evidence: boolean;
}

export const useAsked = (run: string, enabled: boolean) =>
  useQuery({
    queryKey: ['runs', 'one', run, 'tasks'],
    queryFn: () => api.get<Page<Asked>>(`runs/${run}/tasks/?limit=50`),
    enabled,
  });

/** A change of somebody's rights on a flow, with the entry of the trail that tells of it. */
export interface AccessChange {
  id: string;
  at: string;
  verb: string;
  subject: string;
  before: string;
  after: string;
  by: string;
  reason: string;
}

/** Without a day: since the quarter began. */
export const useAccessChanges = (flow: string, from: string | undefined, enabled: boolean) =>
  usePaged<AccessChange>(['flows', 'one', flow, 'access', from], `flows/${flow}/access-changes/`, { from }, enabled);
