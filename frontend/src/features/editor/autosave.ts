import { create } from 'zustand';
import type { FlowDocument } from '~/api/types';
import { isProblem, Offline, Problem } from '~/api/problem';
import { useEditor } from './store';

export type SaveStatus = 'saved' | 'unsaved' | 'saving' | 'offline' | 'conflict' | 'refused' | 'signed_out';

interface SaveState {
  status: SaveStatus;
  /** Revision on the server that the next save is based on. */
  revision: number;
  /** The change of the document that the server has. */
  savedChange: number;
  problem: Problem | null;
}

export const useSave = create<SaveState>()(() => ({ status: 'saved', revision: 0, savedChange: 0, problem: null }));

const DEBOUNCE_MS = 800;
const LONGEST_PAUSE_MS = 30_000;

interface Options {
  flowId: string;
  revision: number;
  save: (flowId: string, document: FlowDocument, revision: number) => Promise<number>;
}

export interface Autosave {
  /** Saves what is not saved; resolves to whether everything is on the server. */
  flush: () => Promise<boolean>;
  /** Tries again at once, e.g. when the network is back. */
  wake: () => void;
  stop: () => void;
}

export const isUnsaved = (): boolean => useEditor.getState().change !== useSave.getState().savedChange;

function statusOf(error: unknown): SaveStatus {
  if (isProblem(error, 412, 428)) return 'conflict';
  if (isProblem(error, 401, 'not_authenticated')) return 'signed_out';
  if (error instanceof Offline || (error instanceof Problem && (error.status >= 500 || error.status === 429))) return 'offline';
  return 'refused';
}

/**
 * Saves the open document whenever it has rested for a moment, one save at a time. After a conflict
 * nothing is sent until a person has chosen; everything else is tried again.
 */
export function startAutosave({ flowId, revision, save }: Options): Autosave {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | null = null;
  let stopped = false;
  let failures = 0;
  useSave.setState({ status: 'saved', revision, savedChange: useEditor.getState().change, problem: null });

  const schedule = (ms: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void run(), ms);
  };

  const succeeded = (next: number, change: number) => {
    failures = 0;
    useSave.setState({ revision: next, savedChange: change, problem: null });
    const more = isUnsaved();
    useSave.setState({ status: more ? 'unsaved' : 'saved' });
    if (more) schedule(DEBOUNCE_MS);
  };

  const failed = (error: unknown) => {
    const status = statusOf(error);
    failures += 1;
    useSave.setState({ status, problem: error instanceof Problem ? error : null });
    if (status === 'offline' || status === 'signed_out') schedule(Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS));
  };

  const run = (): Promise<void> => {
    clearTimeout(timer);
    if (running) return running;
    if (stopped || !isUnsaved() || useSave.getState().status === 'conflict') return Promise.resolve();
    const { document, change } = useEditor.getState();
    useSave.setState({ status: 'saving' });
    running = save(flowId, document, useSave.getState().revision)
      .then((next) => { if (!stopped) succeeded(next, change); })
      .catch((error: unknown) => { if (!stopped) failed(error); })
      .finally(() => { running = null; });
    return running;
  };

  const unsubscribe = useEditor.subscribe((state, previous) => {
    if (state.change === previous.change || state.flowId !== flowId || !isUnsaved()) return;
    const { status } = useSave.getState();
    if (status === 'conflict') return;
    if (status !== 'saving') useSave.setState({ status: status === 'offline' || status === 'signed_out' ? status : 'unsaved' });
    schedule(DEBOUNCE_MS);
  });

  return {
    flush: async () => {
      await run();
      if (isUnsaved() && useSave.getState().status === 'unsaved') await run();
      return !isUnsaved();
    },
    wake: () => {
      failures = 0;
      if (isUnsaved()) schedule(0);
    },
    stop: () => {
      stopped = true;
      clearTimeout(timer);
      unsubscribe();
    },
  };
}
