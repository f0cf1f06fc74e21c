import type { FlowDocument, StepType } from '~/api/types';
import type { MessageId, Translate } from '~/app/messages';
import { portsOf, TRIGGER } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { HEAD, PAD } from '~/features/canvas/frames';
import type { Box } from '~/features/canvas/frames';
import type { Point } from '~/features/canvas/graph';
import { containersOf } from '~/features/canvas/nesting';
import { notifyProblem } from '~/ui/notify';
import { aligned, distributed } from './document/arrange';
import type { Alignment, Axis } from './document/arrange';
import { move, newStepId } from './document/document';
import type { Edit } from './document/document';
import { groupable, groupInto } from './document/group';
import { addNote, heightOf, newNoteId, notesOf, placeOfNote, setNote, widthOf } from './document/notes';
import type { Note } from './document/notes';
import { freeIn, measured } from './document/place';
import { freshStep } from './document/ports';
import { useEditor } from './store';
import { onStage, say, select } from './view';

const doc = () => useEditor.getState().document;

interface Shared {
  t: Translate;
  types: Lookup;
  apply: (label: string, edit: Edit, merge?: string) => boolean;
  fitting: (edit: Edit) => Edit;
  portsOfId: (id: string) => string[];
}

const ALIGN: Record<Alignment, MessageId> = {
  left: 'editor.align.left', centre: 'editor.align.centre', right: 'editor.align.right',
  top: 'editor.align.top', middle: 'editor.align.middle', bottom: 'editor.align.bottom',
};
const SPREAD: Record<Axis, MessageId> = { across: 'editor.spread.across', down: 'editor.spread.down' };

/** What has to do with several things at once, with notes, and with the flow as a whole. */
export function makeArrangeActions({ t, types, apply, fitting, portsOfId }: Shared) {
  /** What each thing covers; of steps inside others that are chosen too, only those around. */
  const boxes = (ids: readonly string[]): Record<string, Box> => {
    const box = measured(doc(), types);
    const notes = notesOf(doc());
    const outer = ids.filter((id) => !containersOf(doc(), id).some((one) => ids.includes(one)));
    return Object.fromEntries(outer.flatMap((id): [string, Box][] => {
      const note = notes[id];
      if (note) {
        const [x, y] = placeOfNote(doc(), id);
        return [[id, { x, y, width: widthOf(note), height: heightOf(note) }]];
      }
      return id === TRIGGER || doc().steps[id] ? [[id, box(id)]] : [];
    }));
  };

  const refuse = (text: string): null => {
    notifyProblem(text);
    say(text);
    return null;
  };

  return {
    boxes,
    align: (ids: readonly string[], how: Alignment) => apply(t(ALIGN[how]), fitting(move(aligned(boxes(ids), how)))),
    spread: (ids: readonly string[], axis: Axis) => apply(t(SPREAD[axis]), fitting(move(distributed(boxes(ids), axis)))),

    /** Put a new step that contains others around these; its id, or `null` where that cannot be. */
    group: (ids: readonly string[], type: StepType): string | null => {
      const moved = groupable(doc(), ids);
      if (moved === null) return refuse(t('editor.group.apart'));
      const id = newStepId((taken) => taken in doc().steps, type.kind);
      const step = freshStep(type);
      const all = Object.values(boxes(moved));
      const at: Point = [Math.min(...all.map((box) => box.x)) - PAD.left, Math.min(...all.map((box) => box.y)) - PAD.top - HEAD];
      const label = t('editor.edit.group', { count: moved.length, frame: type.title });
      apply(label, fitting(groupInto(moved, { id, step, at, ports: portsOf(step, type) }, portsOfId)));
      select([id]);
      return id;
    },

    addNote: (place?: Point): string => {
      const id = newNoteId(doc());
      // On the canvas a remark covers no step: it goes where there is room.
      const at = place ?? freeIn(doc(), null, types, onStage()?.middle() ?? [0, 0]);
      apply(t('editor.edit.note_add'), addNote(id, { text: '' }, at));
      select([id]);
      return id;
    },
    setNote: (id: string, change: Partial<Note>) => apply(t('editor.edit.note'), setNote(id, change), `note:${id}`),

    /** Put another flow in the place of this one; undo brings it back. */
    importFlow: (flow: FlowDocument) => {
      const label = t('editor.edit.import', { name: flow.name, count: Object.keys(flow.steps).length });
      const edit: Edit = (draft) => {
        const old = draft as Record<string, unknown>;
        for (const name of Object.keys(old)) if (!(name in flow)) delete old[name];
        Object.assign(draft, flow, flow.name.trim() === '' ? { name: draft.name } : {});
      };
      apply(label, edit);
      select([]);
      onStage()?.fit?.();
    },
  };
}

export type ArrangeActions = ReturnType<typeof makeArrangeActions>;
