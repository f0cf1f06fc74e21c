import { enablePatches, applyPatches, produceWithPatches } from 'immer';
import type { Patch } from 'immer';
import { create } from 'zustand';
import type { FlowDocument } from '~/api/types';
import type { Edit } from './document/document';

enablePatches();

/** More is kept than anybody undoes; the limit only bounds memory. */
const MOST_LEVELS = 500;

export interface HistoryEntry {
  label: string;
  merge: string | undefined;
  redo: Patch[];
  undo: Patch[];
  /** What was selected before and after, so that undo shows what it changed. */
  touched: string[];
}

export interface EditorState {
  flowId: string | null;
  document: FlowDocument;
  /** Counts changes of the document, undo and redo included. */
  change: number;
  past: HistoryEntry[];
  future: HistoryEntry[];
  readOnly: boolean;
  open: (flowId: string, document: FlowDocument, readOnly: boolean) => void;
  /**
   * The only way the document changes.
   *
   * @param label What undo shows, e.g. "Connect Approve".
   * @param merge Edits that follow each other under one key undo as one: typing in a field.
   * @returns Whether anything changed.
   */
  apply: (label: string, edit: Edit, merge?: string) => boolean;
  undo: () => HistoryEntry | undefined;
  redo: () => HistoryEntry | undefined;
  /** Ends the merging of edits, e.g. when a field is left. */
  settle: () => void;
}

const EMPTY: FlowDocument = { format: 'signalbox.flow/1', name: '', trigger: { type: 'manual', config: {} }, steps: {}, links: [] };

const stepsIn = (patches: Patch[]): string[] => [
  ...new Set(patches.filter((patch) => patch.path[0] === 'steps' || patch.path[0] === 'layout').map((patch) => String(patch.path[1] ?? ''))),
].filter(Boolean);

/** The open document with its history. One at a time: the route opens it. */
export const useEditor = create<EditorState>()((set, get) => ({
  flowId: null,
  document: EMPTY,
  change: 0,
  past: [],
  future: [],
  readOnly: true,

  open: (flowId, document, readOnly) => set({ flowId, document, readOnly, change: 0, past: [], future: [] }),

  apply: (label, edit, merge) => {
    const state = get();
    if (state.readOnly) return false;
    const [document, redo, undo] = produceWithPatches(state.document, (draft: FlowDocument) => {
      edit(draft);
    });
    if (redo.length === 0) return false;
    const last = state.past.at(-1);
    const merged = merge !== undefined && last?.merge === merge ? last : undefined;
    const entry: HistoryEntry = {
      label,
      merge,
      redo: [...(merged?.redo ?? []), ...redo],
      undo: [...undo, ...(merged?.undo ?? [])],
      touched: [...new Set([...(merged?.touched ?? []), ...stepsIn(redo)])],
    };
    const past = merged ? state.past.slice(0, -1) : state.past.slice(-MOST_LEVELS + 1);
    set({ document, change: state.change + 1, past: [...past, entry], future: [] });
    return true;
  },

  undo: () => {
    const state = get();
    const entry = state.past.at(-1);
    if (!entry || state.readOnly) return undefined;
    set({
      document: applyPatches(state.document, entry.undo),
      change: state.change + 1,
      past: state.past.slice(0, -1),
      future: [{ ...entry, merge: undefined }, ...state.future],
    });
    return entry;
  },

  redo: () => {
    const state = get();
    const entry = state.future[0];
    if (!entry || state.readOnly) return undefined;
    set({
      document: applyPatches(state.document, entry.redo),
      change: state.change + 1,
      past: [...state.past, { ...entry, merge: undefined }],
      future: state.future.slice(1),
    });
    return entry;
  },

  settle: () =>
    set((state) => {
      const last = state.past.at(-1);
      return last?.merge === undefined ? state : { past: [...state.past.slice(0, -1), { ...last, merge: undefined }] };
    }),
}));
