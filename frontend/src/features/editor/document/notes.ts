import type { FlowDocument } from '~/api/types';
import type { Point } from '~/features/canvas/graph';
import type { Edit } from './document';
import { snapped } from './place';

/** A remark on the canvas: nothing that a run does. Its place stands with the places of the steps. */
export interface Note {
  text: string;
  width?: number;
}

/** Note ids cannot be step ids, which have no colon. */
const PREFIX = 'note:';
export const isNoteId = (id: string): boolean => id.startsWith(PREFIX);

export const NOTE_WIDTHS = { small: 176, medium: 256, large: 400 } as const;
export type NoteWidth = keyof typeof NOTE_WIDTHS;

/** So much of a note is drawn; the form shows all of it. */
const MOST_LINES = 14;
const LINE = 18;
const PADDING = 24;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** The notes that can be drawn; whatever else a document holds under that name is kept and not shown. */
export function notesOf(doc: Readonly<Record<string, unknown>>): Record<string, Note> {
  const notes = doc['notes'];
  if (!isRecord(notes)) return {};
  return Object.fromEntries(Object.entries(notes).filter(([id, note]) => isNoteId(id) && isRecord(note) && typeof note['text'] === 'string')) as Record<string, Note>;
}

export const widthOf = (note: Note): number => (typeof note.width === 'number' && note.width >= 120 && note.width <= 1200 ? note.width : NOTE_WIDTHS.medium);

/** How tall a note is drawn: by its lines, since nothing is measured before it is shown. */
export function heightOf(note: Note): number {
  const perLine = Math.floor((widthOf(note) - PADDING) / 6.6);
  const lines = note.text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / perLine)), 0);
  return PADDING + Math.min(MOST_LINES, Math.max(2, lines)) * LINE;
}

export const placeOfNote = (doc: FlowDocument, id: string): Point => doc.layout?.[id] ?? [0, 0];

export function newNoteId(doc: FlowDocument, taken: readonly string[] = []): string {
  const notes = isRecord(doc['notes']) ? doc['notes'] : {};
  for (let number = 1; ; number += 1) {
    const id = `${PREFIX}${number}`;
    if (!(id in notes) && !taken.includes(id)) return id;
  }
}

export const addNote =
  (id: string, note: Note, at: Point): Edit =>
  (doc) => {
    if (!isRecord(doc['notes'])) doc['notes'] = {};
    (doc['notes'] as Record<string, Note>)[id] = { ...note };
    (doc.layout ??= {})[id] = snapped(at);
  };

export const setNote =
  (id: string, change: Partial<Note>): Edit =>
  (doc) => {
    const note = isRecord(doc['notes']) ? doc['notes'][id] : undefined;
    if (isRecord(note)) Object.assign(note, change);
  };

export const deleteNotes =
  (ids: readonly string[]): Edit =>
  (doc) => {
    const notes = doc['notes'];
    if (!isRecord(notes)) return;
    for (const id of ids) {
      delete notes[id];
      if (doc.layout && isNoteId(id)) delete doc.layout[id];
    }
    if (Object.keys(notes).length === 0) delete doc['notes'];
  };
