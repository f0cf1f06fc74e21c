import { useCallback, useEffect, useRef, useState } from 'react';
import type { MessageId } from '~/app/messages';

export type DraftStatus = 'untouched' | 'unsaved' | 'saving' | 'saved' | 'failed';

/** Saves what is filled in; the answer may name what it is kept as. */
export type SaveDraft = (answers: unknown) => Promise<{ id?: string }>;

/** How a draft stands, in words. */
export const DRAFT_SAID: Record<DraftStatus, MessageId> = {
  untouched: 'requests.draft.none',
  unsaved: 'requests.draft.unsaved',
  saving: 'requests.draft.unsaved',
  saved: 'requests.draft.saved',
  failed: 'requests.draft.failed',
};

const DEBOUNCE_MS = 800;

/** Keeps what is filled in on the server, a moment after the last key; the last one counts. `save` stays the same. */
export function useDraft(save: SaveDraft, first: string | null) {
  const [status, setStatus] = useState<DraftStatus>('untouched');
  const [problem, setProblem] = useState<unknown>(null);
  const id = useRef<string | null>(first);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const waiting = useRef<unknown>(undefined);
  const busy = useRef<Promise<void>>(Promise.resolve());

  const flush = useCallback((): Promise<void> => {
    clearTimeout(timer.current);
    if (waiting.current === undefined) return busy.current;
    const answers = waiting.current;
    waiting.current = undefined;
    busy.current = busy.current.then(async () => {
      setStatus('saving');
      try {
        id.current = (await save(answers)).id ?? null;
        setProblem(null);
        setStatus((now) => (now === 'saving' ? 'saved' : now));
      } catch (error) {
        setProblem(error);
        setStatus('failed');
      }
    });
    return busy.current;
  }, [save]);

  const keep = useCallback((answers: unknown) => {
    waiting.current = answers;
    setStatus('unsaved');
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void flush(), DEBOUNCE_MS);
  }, [flush]);

  /** What is not saved yet is not wanted any more. */
  const drop = useCallback(() => {
    clearTimeout(timer.current);
    waiting.current = undefined;
    id.current = null;
  }, []);

  // Whoever leaves the page keeps what was typed last.
  useEffect(() => {
    const leave = () => void flush();
    window.addEventListener('pagehide', leave);
    return () => {
      window.removeEventListener('pagehide', leave);
      leave();
    };
  }, [flush]);
  return { status, problem, id, keep, flush, drop };
}
