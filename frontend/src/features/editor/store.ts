import { produce } from 'immer';
import { create } from 'zustand';
import type { FlowDocument } from '~/api/types';
import type { Edit } from './document/document';
import { applied, differences, inverted, isLayout, pointerOf, stands, stepOf, together } from './merge/changes';
import type { Change } from './merge/changes';

/** More is kept than anybody undoes; the limit only bounds memory. */
const MOST_LEVELS = 500;

export interface HistoryEntry {
  label: string;
  merge: string | undefined;
  /**
   * What it changed, one after another. Places and values rather than moves in a tree: they still
   * hold when the work of others came in since, and after the page was loaded again.
   */
  parts: Change[][];
  /** What was selected before and after, so that undo shows what it changed. */
  touched: string[];
}

/** A change that stays because somebody else has changed the same place since. */
export interface Blocked {
  step: string | null;
  who: string;
}

export interface Undone extends HistoryEntry {
  blocked: Blocked[];
}

export interface EditorState {
  flowId: string | null;
  document: FlowDocument;
  /** Counts changes of the document, undo and redo included. */
  change: number;
  past: HistoryEntry[];
  future: HistoryEntry[];
  readOnly: boolean;
  /** Who else changed which place since the flow was opened. */
  others: Record<string, string>;
  open: (flowId: string, document: FlowDocument, readOnly: boolean) => void;
  /**
   * The only way the document changes.
   *
   * @param label What undo shows, e.g. "Connect Approve".
   * @param merge Edits that follow each other under one key undo as one: typing in a field.
   * @returns Whether anything changed.
   */
  apply: (label: string, edit: Edit, merge?: string) => boolean;
  /** Takes back one's own changes only; what another has changed since stays, and is named. */
  undo: () => Undone | undefined;
  redo: () => Undone | undefined;
  /** Shows a document that has the work of others in it; nothing of that is one's own to undo. */
  adopt: (document: FlowDocument, who: string) => void;
  /** Puts back what could be undone before the page was loaded again. */
  recall: (past: HistoryEntry[], future: HistoryEntry[]) => void;
  /** Ends the merging of edits, e.g. when a field is left. */
  settle: () => void;
}

const EMPTY: FlowDocument = { format: 'signalbox.flow/1', name: '', trigger: { type: 'manual', config: {} }, steps: {}, links: [] };

const stepsIn = (changes: Change[]): string[] => [...new Set(changes.flatMap((change) => stepOf(change) ?? []))];

const samePlaces = (one: Change[] | undefined, other: Change[]): boolean =>
  one !== undefined && one.length === other.length && one.every(({ path }, at) => pointerOf(path) === pointerOf(other[at]?.path ?? []));

/** The parts of an entry with one more; typing on in the same place adds none. */
function joined(parts: Change[][], changes: Change[]): Change[][] {
  const last = parts.at(-1);
  if (!samePlaces(last, changes)) return [...parts, changes];
  return [...parts.slice(0, -1), (last ?? []).map((change, at) => ({ ...change, after: changes[at]?.after, at: changes[at]?.at ?? change.at, atIn: changes[at]?.atIn ?? change.atIn }))];
}

/** Leads each part to where it is wanted; what no longer stands as it was left is let be. */
function led(document: FlowDocument, parts: Change[][], others: Record<string, string>) {
  let here = document;
  const made: Change[][] = [];
  const blocked: Blocked[] = [];
  for (const part of parts) {
    const groups = [...together(part), part.filter(isLayout)];
    const isLeft = (change: Change) => isLayout(change) || stands(here, change);
    const staying = groups.filter((group) => !group.every(isLeft)).map((group) => group.find((one) => !isLeft(one)));
    const going = groups.filter((group) => group.every(isLeft)).flat();
    here = applied(here, going);
    if (going.some((change) => !isLayout(change)) || groups.flat().length === going.length) made.push(going);
    for (const change of staying) {
      if (change) blocked.push({ step: stepOf(change), who: whoChanged(change, others) });
    }
  }
  return { here, made, blocked };
}

function whoChanged({ path }: Change, others: Record<string, string>): string {
  const place = pointerOf(path);
  const found = Object.keys(others).find((one) => one === place || one.startsWith(`${place}/`) || place.startsWith(`${one}/`));
  return found === undefined ? '' : (others[found] ?? '');
}

const turned = (parts: Change[][]): Change[][] => [...parts].reverse().map((part) => part.map(inverted));

/** The open document with its history. One at a time: the route opens it. */
export const useEditor = create<EditorState>()((set, get) => ({
  flowId: null,
  document: EMPTY,
  change: 0,
  past: [],
  future: [],
  readOnly: true,
  others: {},

  open: (flowId, document, readOnly) => set({ flowId, document, readOnly, change: 0, past: [], future: [], others: {} }),

  apply: (label, edit, merge) => {
    const state = get();
    if (state.readOnly) return false;
    const document = produce(state.document, (draft: FlowDocument) => {
      edit(draft);
    });
    const changes = differences(state.document, document);
    if (changes.length === 0) return false;
    const last = state.past.at(-1);
    const merged = merge !== undefined && last?.merge === merge ? last : undefined;
    const entry: HistoryEntry = {
      label,
      merge,
      parts: joined(merged?.parts ?? [], changes),
      touched: [...new Set([...(merged?.touched ?? []), ...stepsIn(changes)])],
    };
    const past = merged ? state.past.slice(0, -1) : state.past.slice(-MOST_LEVELS + 1);
    set({ document, change: state.change + 1, past: [...past, entry], future: [] });
    return true;
  },

  undo: () => {
    const state = get();
    const entry = state.past.at(-1);
    if (!entry || state.readOnly) return undefined;
    const { here, made, blocked } = led(state.document, turned(entry.parts), state.others);
    const undone = { ...entry, parts: turned(made), merge: undefined };
    set({
      document: here,
      change: state.change + (made.length > 0 ? 1 : 0),
      past: state.past.slice(0, -1),
      future: made.length > 0 ? [undone, ...state.future] : state.future,
    });
    return { ...entry, blocked };
  },

  redo: () => {
    const state = get();
    const entry = state.future[0];
    if (!entry || state.readOnly) return undefined;
    const { here, made, blocked } = led(state.document, entry.parts, state.others);
    set({
      document: here,
      change: state.change + (made.length > 0 ? 1 : 0),
      past: made.length > 0 ? [...state.past, { ...entry, parts: made, merge: undefined }] : state.past,
      future: state.future.slice(1),
    });
    return { ...entry, blocked };
  },

  adopt: (document, who) =>
    set((state) => {
      const changes = differences(state.document, document);
      if (changes.length === 0) return { document };
      return { document, change: state.change + 1, others: { ...state.others, ...Object.fromEntries(changes.map(({ path }) => [pointerOf(path), who])) } };
    }),

  recall: (past, future) => set({ past: past.slice(-MOST_LEVELS), future: future.slice(0, MOST_LEVELS) }),

  settle: () =>
    set((state) => {
      const last = state.past.at(-1);
      return last?.merge === undefined ? state : { past: [...state.past.slice(0, -1), { ...last, merge: undefined }] };
    }),
}));
