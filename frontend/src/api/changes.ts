/** What an event did to the facts of a task while people were asked. */
export interface TaskChange {
  at: string;
  /** As whoever told of it says. */
  happened_at: string;
  event: string;
  state: 'applied' | 'late' | 'failed';
  policy: 'keep' | 'ask_again' | 'restart';
  /** What became of the answers, in a sentence. */
  text: string;
  changes: { label: string; before: unknown; after: unknown }[];
  answered_before: string[];
}

/** What events have done to a task. */
export interface Followed {
  changes?: TaskChange[];
  /** Since when it counts no more, because it began anew. */
  superseded_at?: string | null;
  /** What is asked instead; empty where the reader may not see it. */
  anew?: string;
}

/** What somebody answered. */
export interface TaskDecision {
  by: string;
  on_behalf_of?: string;
  in_exception?: boolean;
  /** Whether the facts have changed since. */
  stale?: boolean;
  outcome: string;
  word: string;
  comment: string;
  /** What was filled in with it. */
  filled_in?: { name: string; label: string; kind: string; value: unknown }[];
  at: string;
}
