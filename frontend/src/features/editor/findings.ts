import { create } from 'zustand';
import type { Finding } from '~/api/types';
import { checkFlow } from './api';
import { TRIGGER } from '~/features/canvas/catalogue';
import { pathName, readPointer } from './form/schema';
import { useEditor } from './store';

interface FindingsState {
  findings: Finding[];
  /** `current`: they are about the document that is shown. */
  status: 'checking' | 'current' | 'failed';
  change: number;
}

export const useFindings = create<FindingsState>()(() => ({ findings: [], status: 'checking', change: -1 }));

/** While somebody types on, the check waits for a pause; an edit after a pause is checked at once. */
const DEBOUNCE_MS = 100;
const PAUSE_MS = 400;
const AGAIN_MS = 10_000;

export interface Checking {
  check: () => Promise<void>;
  stop: () => void;
}

/** For who may only look: nothing is checked, and nothing is said to be wrong. */
export const noChecking: Checking = { check: () => Promise.resolve(), stop: () => undefined };

/** Checks the open document on the server while it is edited. Returns a way to stop. */
export function startChecking(flowId: string): Checking {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let running: AbortController | undefined;
  let edited = -PAUSE_MS;

  const check = async () => {
    clearTimeout(timer);
    running?.abort();
    const mine = new AbortController();
    running = mine;
    const { document, change } = useEditor.getState();
    useFindings.setState({ status: 'checking' });
    try {
      const { findings } = await checkFlow(flowId, document, mine.signal);
      if (!mine.signal.aborted) useFindings.setState({ findings, status: 'current', change });
    } catch {
      if (mine.signal.aborted) return;
      useFindings.setState({ status: 'failed' });
      timer = setTimeout(() => void check(), AGAIN_MS);
    }
  };

  const unsubscribe = useEditor.subscribe((state, previous) => {
    if (state.document === previous.document || onlyMoved(state.document, previous.document)) return;
    const now = performance.now();
    const isFirst = now - edited >= PAUSE_MS;
    edited = now;
    clearTimeout(timer);
    // Not within the edit itself: what was typed is drawn first.
    timer = setTimeout(() => void check(), isFirst ? 0 : DEBOUNCE_MS);
  });
  void check();

  return {
    check,
    stop: () => {
      clearTimeout(timer);
      running?.abort();
      unsubscribe();
      useFindings.setState({ findings: [], status: 'checking', change: -1 });
    },
  };
}

/** A moved card changes no finding. */
const onlyMoved = (a: object, b: object): boolean => {
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  names.delete('layout');
  return [...names].every((name) => (a as Record<string, unknown>)[name] === (b as Record<string, unknown>)[name]);
};

const WEIGHT = { error: 0, warning: 1, info: 2 } as const;
export const bySeverity = (a: Finding, b: Finding): number => WEIGHT[a.severity] - WEIGHT[b.severity];
export const isError = (finding: Finding): boolean => finding.severity === 'error';

/** Findings about a step; those about the trigger name it or have a path into it. */
export const findingsOf = (findings: readonly Finding[], id: string): Finding[] =>
  findings.filter((finding) => ownerOf(finding) === id);

export function ownerOf(finding: Finding): string | null {
  if (finding.step) return finding.step;
  const [part, id] = readPointer(finding.path ?? '');
  return part === 'steps' && id !== undefined ? String(id) : part === TRIGGER ? TRIGGER : null;
}

/** Where in the config a finding is, as the form names its fields; `''` for the step as a whole. */
export function fieldOfFinding(finding: Finding): string {
  const path = readPointer(finding.path ?? '');
  const config = path[0] === 'steps' ? path.slice(2) : path[0] === TRIGGER ? path.slice(1) : path;
  return pathName(config[0] === 'config' ? config.slice(1) : []);
}
