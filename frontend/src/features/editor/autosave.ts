import { create } from 'zustand';
import type { FlowDocument } from '~/api/types';
import { isProblem, Offline, Problem } from '~/api/problem';
import { isSame } from './merge/changes';
import type { Keep } from './merge/keep';
import { merge, merged } from './merge/merge';
import type { Merge, Side } from './merge/merge';
import { replaceWith } from './merge/replace';
import { useEditor } from './store';

export type SaveStatus = 'saved' | 'unsaved' | 'saving' | 'offline' | 'conflict' | 'refused' | 'signed_out' | 'other_person';

/** A merge that waits for a person, and who saved what they are asked about. */
export interface OpenMerge {
  found: Merge;
  who: string;
  /** What the other side is called, where it is nobody's save. */
  theirs?: string;
  /** Takes the choices; false where there is more to choose by now. */
  decide: (choices: Readonly<Record<string, Side>>) => boolean;
}

/** What came in from somebody else without a question, for the person to see. */
export interface Incoming {
  who: string;
  count: number;
  /** Revisions between which it can be looked at. */
  from: number;
  to: number;
}

interface SaveState {
  status: SaveStatus;
  /** Revision on the server that the next save is based on. */
  revision: number;
  /** The change of the document that the server has. */
  savedChange: number;
  problem: Problem | null;
  merging: OpenMerge | null;
  incoming: Incoming | null;
  /** Whether what is not saved is kept in this browser. */
  isKept: boolean;
}

const INITIAL: SaveState = { status: 'saved', revision: 0, savedChange: 0, problem: null, merging: null, incoming: null, isKept: true };

export const useSave = create<SaveState>()(() => INITIAL);

const DEBOUNCE_MS = 800;
const KEEP_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

export interface Loaded {
  document: FlowDocument;
  revision: number;
  /** Who saved it last. */
  who?: string;
}

interface Options {
  flowId: string;
  /** What the server has, and what the editor opened with where that is older work of this tab. */
  revision: number;
  document: FlowDocument;
  save: (flowId: string, document: FlowDocument, revision: number) => Promise<number>;
  load: (flowId: string) => Promise<Loaded>;
  /** Who is signed in now; `null` where nobody is. */
  whoami: () => Promise<string | null>;
  user: string;
  tab: string;
  keep: Keep;
  /** Work of before that is not saved: brought together with what the server has by now. */
  behind?: boolean;
}

export interface Autosave {
  /** Saves what is not saved; resolves to whether everything is on the server. */
  flush: () => Promise<boolean>;
  /** Tries again at once, e.g. when the network is back. */
  wake: () => void;
  /** Somebody saved: shows their work, with what is not saved here kept. */
  pull: () => Promise<void>;
  /** Shows what the server made of the draft at this person's wish; it can be undone like any edit. */
  accept: (label: string, made: Loaded) => void;
  stop: () => void;
}

export const isUnsaved = (): boolean => useEditor.getState().change !== useSave.getState().savedChange;

function statusOf(error: unknown): SaveStatus {
  if (isProblem(error, 401, 'not_authenticated')) return 'signed_out';
  if (error instanceof Offline || (error instanceof Problem && (error.status >= 500 || error.status === 429))) return 'offline';
  return 'refused';
}

const saverOf = (problem: Problem | null): string => {
  const by = problem?.fields['updated_by'];
  return typeof by === 'object' && by !== null && 'name' in by && typeof by.name === 'string' ? by.name : '';
};

/** How long to wait after so many failures. */
const pauseAfter = (failures: number) => Math.min(1000 * 2 ** failures, LONGEST_PAUSE_MS);

/** What keeps its colour while one works on: nobody can save anyway. */
const STAYS: ReadonlySet<SaveStatus> = new Set(['offline', 'signed_out', 'other_person']);

/** What a merge leaves to say and to save. */
function afterMerge(found: Merge, theirs: Loaded, who: string, document: FlowDocument): Partial<SaveState> & { savedChange: number } {
  const { revision: from } = useSave.getState();
  const isSaved = isSame(document, theirs.document);
  const count = found.free.theirs.length + found.conflicts.length;
  return {
    revision: theirs.revision,
    problem: null,
    merging: null,
    status: isSaved ? 'saved' : 'unsaved',
    savedChange: isSaved ? useEditor.getState().change : -1,
    ...(count > 0 && from !== theirs.revision ? { incoming: { who, count, from, to: theirs.revision } } : {}),
  };
}

/**
 * Saves the open document whenever it has rested for a moment, one save at a time. Where somebody
 * saved first, both are brought together; what both changed waits for a person, and nothing is sent
 * until they have chosen. Everything else is tried again. What is not saved is kept in the browser.
 */
export function startAutosave(options: Options): Autosave {
  const { flowId, save, load, keep, user, tab } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let keeping: ReturnType<typeof setTimeout> | undefined;
  let running: Promise<void> | null = null;
  let stopped = false;
  let failures = 0;
  // What the server had when the work that is not saved began.
  let base = options.document;
  useSave.setState({ ...INITIAL, revision: options.revision, savedChange: options.behind ? -1 : useEditor.getState().change });

  const schedule = (ms: number) => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(() => void run(), ms);
  };

  const keepNow = () => {
    clearTimeout(keeping);
    const { revision } = useSave.getState();
    const mine = useEditor.getState().document;
    const done = isUnsaved() ? keep.put({ user, flow: flowId, tab, revision, base, mine, at: Date.now() }) : keep.remove({ user, flow: flowId, tab });
    done.then(() => useSave.setState({ isKept: true }), () => useSave.setState({ isKept: false }));
  };

  const succeeded = (next: number, change: number, document: FlowDocument) => {
    failures = 0;
    base = document;
    useSave.setState({ revision: next, savedChange: change, problem: null });
    const more = isUnsaved();
    useSave.setState({ status: more ? 'unsaved' : 'saved' });
    keepNow();
    if (more) schedule(DEBOUNCE_MS);
  };

  /** Shows what came of a merge; what is left of one's own is saved next. */
  const take = (found: Merge, theirs: Loaded, who: string, choices: Readonly<Record<string, Side>>) => {
    const document = merged(found, choices);
    useEditor.getState().adopt(document, who);
    base = theirs.document;
    failures = 0;
    const next = afterMerge(found, theirs, who, document);
    useSave.setState(next);
    keepNow();
    if (next.status !== 'saved') schedule(0);
  };

  const bring = (theirs: Loaded, who: string): void => {
    const found = merge(base, useEditor.getState().document, theirs.document);
    if (found.conflicts.length === 0) return take(found, theirs, who, {});
    const decide = (choices: Readonly<Record<string, Side>>): boolean => {
      // The person may have worked on meanwhile: what is chosen is made of what is there now.
      const now = merge(base, useEditor.getState().document, theirs.document);
      if (now.conflicts.some(({ id }) => choices[id] === undefined)) {
        useSave.setState({ merging: { found: now, who, decide } });
        return false;
      }
      take(now, theirs, who, choices);
      return true;
    };
    useSave.setState({ status: 'conflict', merging: { found, who, decide } });
  };

  const failed = async (error: unknown): Promise<void> => {
    if (isProblem(error, 412, 428)) {
      useSave.setState({ problem: error });
      try {
        const theirs = await load(flowId);
        if (!stopped) bring(theirs, saverOf(error) || (theirs.who ?? ''));
        return;
      } catch (another) {
        return failed(another);
      }
    }
    const status = statusOf(error);
    failures += 1;
    useSave.setState({ status, problem: error instanceof Problem ? error : null });
    if (status === 'offline' || status === 'signed_out') schedule(pauseAfter(failures));
  };

  /** After signing in again: work is never saved under somebody else's name. */
  const isSamePerson = async (): Promise<boolean> => {
    const { status } = useSave.getState();
    if (status !== 'signed_out' && status !== 'other_person') return true;
    const now = await options.whoami();
    if (now === user) return true;
    useSave.setState({ status: now === null ? 'signed_out' : 'other_person' });
    failures += 1;
    schedule(pauseAfter(failures));
    return false;
  };

  const send = async (): Promise<void> => {
    if (!(await isSamePerson())) return;
    const { document, change } = useEditor.getState();
    useSave.setState({ status: 'saving' });
    const next = await save(flowId, document, useSave.getState().revision);
    if (!stopped) succeeded(next, change, document);
  };

  const run = (): Promise<void> => {
    clearTimeout(timer);
    if (running) return running;
    if (stopped || !isUnsaved() || useSave.getState().merging) return Promise.resolve();
    running = send()
      .catch((error: unknown) => (stopped ? undefined : failed(error)))
      .finally(() => { running = null; });
    return running;
  };

  const unsubscribe = useEditor.subscribe((state, previous) => {
    if (state.change === previous.change || state.flowId !== flowId || !isUnsaved()) return;
    clearTimeout(keeping);
    keeping = setTimeout(keepNow, KEEP_MS);
    const { status } = useSave.getState();
    if (status === 'conflict') return;
    if (status !== 'saving') useSave.setState({ status: STAYS.has(status) ? status : 'unsaved' });
    schedule(DEBOUNCE_MS);
  });

  const hide = () => { if (isUnsaved()) keepNow(); };
  window.addEventListener('pagehide', hide);

  const pull = async (): Promise<void> => {
    if (running || isUnsaved() || useSave.getState().merging) return;
    const theirs = await load(flowId);
    if (stopped || running || useSave.getState().merging || theirs.revision <= useSave.getState().revision) return;
    bring(theirs, theirs.who ?? '');
  };

  if (options.behind) {
    running = load(flowId)
      .then((theirs) => { if (!stopped) bring(theirs, theirs.who ?? ''); })
      .catch((error: unknown) => (stopped ? undefined : failed(error)))
      .finally(() => { running = null; });
  }

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
    pull,
    accept: (label, made) => {
      useEditor.getState().apply(label, replaceWith(made.document));
      base = made.document;
      useSave.setState({ status: 'saved', revision: made.revision, savedChange: useEditor.getState().change, problem: null, merging: null });
      keepNow();
    },
    stop: () => {
      if (isUnsaved()) keepNow();
      stopped = true;
      clearTimeout(timer);
      window.removeEventListener('pagehide', hide);
      unsubscribe();
    },
  };
}
