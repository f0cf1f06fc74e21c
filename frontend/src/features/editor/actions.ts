import { useMemo } from 'react';
import type { StepDocument, StepType } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { isSidePort, portOfLink, portsOf, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { FIRST } from '~/features/canvas/frames';
import { portsIn } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { containerOf, outermost, scopeOfWay, withInside } from '~/features/canvas/nesting';
import { tidy } from '~/features/canvas/tidy';
import { fragmentOf, newIds, paste, readFragment, writeFragment } from './document/clipboard';
import type { Fragment } from './document/clipboard';
import { renameReads } from './document/answers';
import { addStep, connect, deleteSteps, disconnect, insertOnLink, move, newStepId, setConfig, setField, setName, setSettings, setTitle, setTrigger } from './document/document';
import type { Config, Edit, FieldName } from './document/document';
import { findLink, linkKey } from './document/links';
import { deleteNotes, isNoteId, notesOf } from './document/notes';
import type { PortRef } from './document/links';
import { freeIn, measured, placeAfter, roomBetween } from './document/place';
import { contains, freshStep, onwardPort, openWay } from './document/ports';
import { makeArrangeActions } from './arrangeActions';
import { makeFrameActions } from './frameActions';
import { notifyProblem } from '~/ui/notify';
import { useEditor } from './store';
import type { Undone } from './store';
import { onStage, say, select, useView } from './view';

export interface Where {
  after?: PortRef;
  onLink?: string;
  place?: Point;
  /** The container it goes into, where neither a way nor a link says so. */
  into?: string | null;
  /** The step that it shall take back. */
  undoes?: string;
}

const doc = () => useEditor.getState().document;

/** Everything a person can do to the flow, by whatever means: each names itself for undo and says what it did. */
export function makeActions(t: Translate, types: Lookup) {
  const titleOf = (id: string): string =>
    id === TRIGGER ? (types.trigger(doc().trigger.type)?.title ?? t('canvas.trigger')) : isNoteId(id) ? t('editor.note') : doc().steps[id]?.title || id;
  const apply = (label: string, edit: Edit, merge?: string) => {
    const changed = useEditor.getState().apply(label, edit, merge);
    if (changed && !merge) say(label);
    return changed;
  };
  const portsOfId = (id: string) => portsIn(doc(), id, types);
  const portsOfStep = (step: StepDocument) => {
    const type = types.step(step.type, step.version);
    return type ? portsOf(step, type) : null;
  };
  const { fitting, refuse, put, scopeOfSelection } = makeFrameActions({ t, types, titleOf, apply, portsOfId });
  const arranging = makeArrangeActions({ t, types, apply, fitting, portsOfId });

  const add = (type: StepType, where: Where = {}): string => {
    const id = newStepId((taken) => taken in doc().steps, type.kind);
    const step = freshStep(type);
    const onward = onwardPort(type);
    const link = where.onLink === undefined ? undefined : doc().links[findLink(doc(), where.onLink)];
    if (where.onLink !== undefined && link && onward !== undefined) {
      const room = roomBetween(doc(), link.from, link.to, types, contains(type), where.place);
      apply(t('editor.edit.insert', { title: type.title, from: titleOf(link.from), to: titleOf(link.to) }), fitting(insertOnLink(where.onLink, { id, step }, onward, room)));
    } else {
      const { after, undoes } = where;
      const into = after ? scopeOfWay(doc(), after.from, after.port, types) : undoes === undefined ? (where.into ?? null) : containerOf(doc(), undoes);
      const below = undoes !== undefined || (after?.port !== undefined && isSidePort(after.port));
      const behind = after ?? (undoes === undefined ? undefined : { from: undoes });
      const wish = where.place ?? (behind ? placeAfter(doc(), behind, types, below) : (onStage()?.middle() ?? [0, 0]));
      const at = freeIn(doc(), into, types, wish, contains(type));
      const label = into === null || after ? t('editor.edit.add', { title: type.title }) : t('editor.edit.add_into', { title: type.title, frame: titleOf(into) });
      apply(label, fitting(addStep({ id, step, at, into, ...(after ? { after } : {}), ...(undoes === undefined ? {} : { undoes }) }, portsOfId)));
    }
    select([id]);
    return id;
  };

  /** Adds behind what is selected; where that is connected already, into its first link. */
  const addNext = (type: StepType): string => {
    const chosen = useView.getState().selected.find((id) => !isNoteId(id));
    const alone = Object.keys(doc().steps).length === 0;
    const from = chosen ?? (alone || !doc().links.some((link) => link.from === TRIGGER) ? TRIGGER : undefined);
    const way = from === undefined ? undefined : openWay(doc(), from, types);
    if (!way) return add(type, chosen === undefined ? {} : { into: containerOf(doc(), chosen) });
    const ports = portsIn(doc(), way.from, types);
    const link = doc().links.find((one) => one.from === way.from && portOfLink(one.port, ports) === way.port);
    return link && onwardPort(type) !== undefined ? add(type, { onLink: linkKey(link) }) : add(type, { after: way });
  };

  /** What was undone; and what was not, because another has changed it since. */
  const told = (text: string, { blocked }: Undone): string => {
    const [first] = blocked;
    if (!first) return text;
    const who = first.who || t('editor.conflict.somebody');
    const kept = t('versions.undo_blocked', { who, step: first.step === null ? t('versions.the_flow') : titleOf(first.step), count: blocked.length });
    notifyProblem(kept);
    return kept;
  };

  const place = (fragment: Fragment, label: string, at: Point, into?: string | null) => {
    const ids = newIds(doc(), fragment);
    apply(label, fitting(paste(fragment, ids, { at, into, types, portsOf: portsOfId })));
    select([...outermost(doc(), [...ids.values()].filter((id) => !isNoteId(id))), ...[...ids.values()].filter(isNoteId)]);
    const first = [...ids.values()][0];
    if (first) onStage()?.reveal(first);
  };

  return {
    ...arranging,
    titleOf,
    add,
    addNext,
    /** Whether a way may lead there; says why not. */
    refuse,
    put,
    connect: (way: PortRef, to: string) =>
      !refuse(way, to) && apply(t('editor.edit.connect', { from: titleOf(way.from), to: titleOf(to) }), connect(way, to)),
    disconnect: (key: string) => {
      const link = doc().links[findLink(doc(), key)];
      if (!link) return;
      apply(t('editor.edit.disconnect', { from: titleOf(link.from), to: titleOf(link.to) }), disconnect([key]));
      select([]);
    },
    /** Delete steps. What a container holds stays in its place, unless it is deleted `whole`. */
    remove: (ids: string[], whole = false) => {
      const given = ids.filter((id) => doc().steps[id]);
      const notes = ids.filter((id) => notesOf(doc())[id]);
      const steps = whole ? withInside(doc(), given) : given;
      if (steps.length + notes.length === 0) return;
      const staying = withInside(doc(), steps).length - steps.length;
      const all = [...given, ...notes];
      const label = all.length === 1 ? t('editor.edit.delete', { title: titleOf(all[0] ?? '') }) : t('editor.edit.delete_many', { count: all.length });
      if (apply(label, fitting((draft) => { deleteSteps(steps, portsOfId)(draft); deleteNotes(notes)(draft); })) && staying > 0) say(`${label}. ${t('editor.lifted', { count: staying })}`);
      select([]);
    },
    rename: (id: string, title: string) => apply(t('editor.edit.rename', { title: titleOf(id) }), setTitle(id, title), `title:${id}`),
    renameFlow: (name: string) => apply(t('editor.edit.rename_flow'), setName(name), 'name'),
    configure: (id: string, config: Config, merge: string) =>
      apply(
        t('editor.edit.configure', { title: titleOf(id) }),
        setConfig(id, config, portsOfStep),
        merge,
      ),
    /** What any step may say beside its config; `undefined` says it no longer. */
    setField: (id: string, name: FieldName, value: unknown, merge?: string) =>
      apply(t('editor.edit.configure', { title: titleOf(id) }), setField(id, name, value, portsOfStep), merge),
    /** A form with one answer called otherwise; every expression that reads it follows. */
    renameAnswer: (owner: string, config: Config, from: string, to: string) =>
      apply(t('editor.edit.rename_answer', { from, to }), (draft) => {
        (owner === TRIGGER ? setTrigger(draft.trigger.type, config) : setConfig(owner, config, portsOfStep))(draft);
        renameReads(owner, from, to)(draft);
      }),
    setTrigger: (type: string, config: Config, merge?: string) => apply(t('editor.edit.trigger'), setTrigger(type, config), merge),
    setSettings: (settings: Record<string, unknown>, merge?: string) => apply(t('editor.edit.settings'), setSettings(settings), merge),
    move: (to: Record<string, Point>, merge?: string) => {
      const ids = Object.keys(to);
      const label = ids.length === 1 ? t('editor.edit.move', { title: titleOf(ids[0] ?? '') }) : t('editor.edit.move_many', { count: ids.length });
      return apply(label, fitting(move(to)), merge);
    },
    tidy: async () => {
      const to = await tidy(doc(), types);
      apply(t('editor.edit.tidy'), move(to));
    },
    duplicate: (ids: string[]) => {
      const fragment = fragmentOf(doc(), ids);
      const copied = Object.keys(fragment.layout);
      const boxes = Object.values(arranging.boxes(copied));
      if (boxes.length === 0) return;
      const corner: Point = [Math.min(...boxes.map(({ x }) => x)) + 32, Math.max(...boxes.map((box) => box.y + box.height)) + 64];
      place(fragment, t('editor.edit.duplicate', { count: copied.length }), corner);
    },
    copyText: (ids: string[]): string | null => {
      const fragment = fragmentOf(doc(), ids);
      return Object.keys(fragment.layout).length > 0 ? writeFragment(fragment) : null;
    },
    copied: (count: number) => t('editor.copied', { count }),
    pasteText: (text: string) => {
      const fragment = readFragment(text);
      if (typeof fragment === 'string') return say(t(REFUSALS[fragment]));
      const [x, y] = onStage()?.middle() ?? [0, 0];
      const into = scopeOfSelection();
      const corner = into === null ? null : measured(doc(), types)(into);
      const at: Point = corner ? [corner.x + FIRST[0], corner.y + corner.height] : [x - 112, y - 32];
      place(fragment, t('editor.edit.paste', { count: Object.keys(fragment.layout).length }), at, into);
    },
    undo: () => {
      const entry = useEditor.getState().undo();
      if (entry) afterHistory(told(t('editor.undone', { label: entry.label }), entry), entry.touched);
    },
    redo: () => {
      const entry = useEditor.getState().redo();
      if (entry) afterHistory(told(t('editor.redone', { label: entry.label }), entry), entry.touched);
    },
  };
}

const REFUSALS = {
  too_large: 'editor.paste.too_large',
  not_json: 'editor.paste.not_json',
  not_a_flow: 'editor.paste.not_a_flow',
  empty: 'editor.paste.empty',
} as const;

/** Undo shows what it changed; what is gone is no longer selected. */
function afterHistory(text: string, touched: string[]) {
  say(text);
  const here = (id: string) => id === TRIGGER || id in doc().steps || id in notesOf(doc());
  const { selected } = useView.getState();
  const left = selected.filter(here);
  if (left.length !== selected.length) select(left);
  const shown = touched.find(here);
  if (shown) onStage()?.reveal(shown);
}

export type Actions = ReturnType<typeof makeActions>;

export function useActions(): Actions {
  const t = useT();
  const types = useLookup();
  return useMemo(() => makeActions(t, types), [t, types]);
}

