import { useMemo } from 'react';
import type { StepType } from '~/api/types';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import { isSidePort, portOfLink, portsOf, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { freePlace, places, portsIn } from '~/features/canvas/graph';
import type { Point } from '~/features/canvas/graph';
import { tidy } from '~/features/canvas/tidy';
import { fragmentOf, newIds, paste, readFragment, writeFragment } from './document/clipboard';
import type { Fragment } from './document/clipboard';
import { addStep, connect, deleteSteps, disconnect, insertOnLink, move, newStepId, setConfig, setName, setTitle, setTrigger } from './document/document';
import type { Config } from './document/document';
import { findLink, linkKey } from './document/links';
import type { PortRef } from './document/links';
import { placeAfter, snapped } from './document/place';
import { freshStep, onwardPort, openWay } from './document/ports';
import { useEditor } from './store';
import { onStage, say, select, useView } from './view';

export interface Where {
  after?: PortRef;
  onLink?: string;
  place?: Point;
}

const doc = () => useEditor.getState().document;

/** Everything a person can do to the flow, by whatever means: each names itself for undo and says what it did. */
export function makeActions(t: Translate, types: Lookup) {
  const titleOf = (id: string): string =>
    id === TRIGGER ? (types.trigger(doc().trigger.type)?.title ?? t('canvas.trigger')) : doc().steps[id]?.title || id;
  const apply = (label: string, ...rest: [edit: Parameters<ReturnType<typeof useEditor.getState>['apply']>[1], merge?: string]) => {
    const changed = useEditor.getState().apply(label, ...rest);
    if (changed && !rest[1]) say(label);
    return changed;
  };

  const add = (type: StepType, where: Where = {}): string => {
    const id = newStepId((taken) => taken in doc().steps, type.kind);
    const step = freshStep(type);
    const label = t('editor.edit.add', { title: type.title });
    const onward = onwardPort(type);
    const link = where.onLink === undefined ? undefined : doc().links[findLink(doc(), where.onLink)];
    if (where.onLink !== undefined && link && onward !== undefined) {
      apply(t('editor.edit.insert', { title: type.title, from: titleOf(link.from), to: titleOf(link.to) }), insertOnLink(where.onLink, { id, step }, onward, where.place));
    } else {
      const below = where.after?.port !== undefined && isSidePort(where.after.port);
      const wish = where.place ?? (where.after ? placeAfter(doc(), where.after.from, below) : (onStage()?.middle() ?? [0, 0]));
      const at = freePlace(Object.values(places(doc())), snapped(wish));
      apply(label, addStep({ id, step, at, ...(where.after ? { after: where.after } : {}) }));
    }
    select([id]);
    return id;
  };

  /** Adds behind what is selected; where that is connected already, into its first link. */
  const addNext = (type: StepType): string => {
    const [chosen] = useView.getState().selected;
    const alone = Object.keys(doc().steps).length === 0;
    const from = chosen ?? (alone || !doc().links.some((link) => link.from === TRIGGER) ? TRIGGER : undefined);
    const way = from === undefined ? undefined : openWay(doc(), from, types);
    if (!way) return add(type);
    const ports = portsIn(doc(), way.from, types);
    const link = doc().links.find((one) => one.from === way.from && portOfLink(one.port, ports) === way.port);
    return link && onwardPort(type) !== undefined ? add(type, { onLink: linkKey(link) }) : add(type, { after: way });
  };

  const place = (fragment: Fragment, label: string, at: Point) => {
    const ids = newIds(doc(), fragment);
    apply(label, paste(fragment, ids, at));
    select([...ids.values()]);
    const first = [...ids.values()][0];
    if (first) onStage()?.reveal(first);
  };

  return {
    titleOf,
    add,
    addNext,
    connect: (way: PortRef, to: string) =>
      apply(t('editor.edit.connect', { from: titleOf(way.from), to: titleOf(to) }), connect(way, to)),
    disconnect: (key: string) => {
      const link = doc().links[findLink(doc(), key)];
      if (!link) return;
      apply(t('editor.edit.disconnect', { from: titleOf(link.from), to: titleOf(link.to) }), disconnect([key]));
      select([]);
    },
    remove: (ids: string[]) => {
      const steps = ids.filter((id) => doc().steps[id]);
      if (steps.length === 0) return;
      const label = steps.length === 1 ? t('editor.edit.delete', { title: titleOf(steps[0] ?? '') }) : t('editor.edit.delete_many', { count: steps.length });
      apply(label, deleteSteps(steps, (id) => portsIn(doc(), id, types)));
      select([]);
    },
    rename: (id: string, title: string) => apply(t('editor.edit.rename', { title: titleOf(id) }), setTitle(id, title), `title:${id}`),
    renameFlow: (name: string) => apply(t('editor.edit.rename_flow'), setName(name), 'name'),
    configure: (id: string, config: Config, merge: string) =>
      apply(
        t('editor.edit.configure', { title: titleOf(id) }),
        setConfig(id, config, (step) => { const type = types.step(step.type, step.version); return type ? portsOf(step, type) : null; }),
        merge,
      ),
    setTrigger: (type: string, config: Config, merge?: string) => apply(t('editor.edit.trigger'), setTrigger(type, config), merge),
    move: (to: Record<string, Point>, merge?: string) => {
      const ids = Object.keys(to);
      const label = ids.length === 1 ? t('editor.edit.move', { title: titleOf(ids[0] ?? '') }) : t('editor.edit.move_many', { count: ids.length });
      return apply(label, move(to), merge);
    },
    tidy: async () => {
      const to = await tidy(doc(), types);
      apply(t('editor.edit.tidy'), move(to));
    },
    duplicate: (ids: string[]) => {
      const fragment = fragmentOf(doc(), ids);
      const corners = Object.values(fragment.layout);
      if (corners.length === 0) return;
      const corner: Point = [Math.min(...corners.map(([x]) => x)) + 32, Math.max(...corners.map(([, y]) => y)) + 96];
      place(fragment, t('editor.edit.duplicate', { count: corners.length }), corner);
    },
    copyText: (ids: string[]): string | null => {
      const fragment = fragmentOf(doc(), ids);
      return Object.keys(fragment.steps).length > 0 ? writeFragment(fragment) : null;
    },
    copied: (count: number) => t('editor.copied', { count }),
    pasteText: (text: string) => {
      const fragment = readFragment(text);
      if (typeof fragment === 'string') return say(t(REFUSALS[fragment]));
      const [x, y] = onStage()?.middle() ?? [0, 0];
      place(fragment, t('editor.edit.paste', { count: Object.keys(fragment.steps).length }), [x - 112, y - 32]);
    },
    undo: () => {
      const entry = useEditor.getState().undo();
      if (entry) afterHistory(t('editor.undone', { label: entry.label }), entry.touched);
    },
    redo: () => {
      const entry = useEditor.getState().redo();
      if (entry) afterHistory(t('editor.redone', { label: entry.label }), entry.touched);
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
  const here = (id: string) => id === TRIGGER || id in doc().steps;
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

