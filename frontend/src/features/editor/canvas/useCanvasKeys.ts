import { useCallback } from 'react';
import type { KeyboardEvent, RefObject } from 'react';
import { portOfLink, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { places, portsIn } from '~/features/canvas/graph';
import { MOVES, walk } from '~/features/canvas/walk';
import type { Actions } from '../actions';
import { useActions } from '../actions';
import { findLink, linkKeys } from '../document/links';
import { isNoteId, notesOf, placeOfNote } from '../document/notes';
import { measured } from '../document/place';
import { openWay } from '../document/ports';
import { focusForm } from '../panel';
import { lettersAreOn } from '../shortcuts';
import { useEditor } from '../store';
import { chosenWith, onStage, select, useView } from '../view';
import type { Asking, FocusTarget } from '../view';

const STRIDE = 16;
const SHIFTS: Record<string, [number, number]> = {
  ArrowLeft: [-STRIDE, 0], ArrowRight: [STRIDE, 0], ArrowUp: [0, -STRIDE], ArrowDown: [0, STRIDE],
};

/** What the focused element stands for. */
function targetOf(element: HTMLElement): FocusTarget | null {
  const name = element.closest<HTMLElement>('[data-focus]')?.dataset['focus'];
  if (name?.startsWith('link:')) return { link: name.slice(5) };
  const node = element.closest<HTMLElement>('.react-flow__node')?.dataset['id'];
  if (name?.startsWith('port:') && node) return { step: node, port: name.slice(6 + node.length) };
  return node ? { step: node } : null;
}

export interface KeyPress {
  key: string;
  shift: boolean;
}

const go = (target: FocusTarget) => onStage()?.focus(target);
const doc = () => useEditor.getState().document;
const ask = (target: FocusTarget, asking: Asking) =>
  useView.setState({ asking: { ...asking, ...(onStage()?.screen(target) ?? { x: 0, y: 0 }) } });

/**
 * Where an arrow leads: along the flow; where that ends, and from a note, to what stands nearest
 * that way, notes among it.
 */
function onward(id: string, key: string): string {
  const move = MOVES[key] ?? 'home';
  const at = places(doc());
  const next = isNoteId(id) && move !== 'home' && move !== 'end' ? id : walk(doc(), id, move, at);
  if (next !== id || move === 'home' || move === 'end') return next;
  const notes = Object.keys(notesOf(doc()));
  const where: Record<string, readonly number[]> = { ...at, ...Object.fromEntries(notes.map((one) => [one, placeOfNote(doc(), one)])) };
  const [x = 0, y = 0] = where[id] ?? [];
  const axis = move === 'left' || move === 'right' ? 0 : 1;
  const sign = move === 'left' || move === 'up' ? -1 : 1;
  const here = axis === 0 ? x : y;
  const others = isNoteId(id) ? [TRIGGER, ...Object.keys(doc().steps), ...notes] : notes;
  const far = (one: string) => Math.abs((where[one]?.[0] ?? 0) - x) + Math.abs((where[one]?.[1] ?? 0) - y);
  return others.filter((one) => one !== id && Math.sign((where[one]?.[axis] ?? 0) - here) === sign).sort((a, b) => far(a) - far(b))[0] ?? id;
}

/** Keys on a step. Returns whether the key meant something. */
function onStep(id: string, { key, shift }: KeyPress, actions: Actions, types: Lookup): boolean {
  const at = places(doc());
  const shiftBy = SHIFTS[key];
  if (shift && shiftBy) {
    const [left, top] = placeOfNote(doc(), id);
    const { x, y } = isNoteId(id) ? { x: left, y: top } : measured(doc(), types)(id);
    actions.move({ [id]: [x + shiftBy[0], y + shiftBy[1]] }, `shift:${id}`);
    return true;
  }
  if (key in MOVES) {
    go({ step: onward(id, key) });
    return true;
  }
  if (key === 'Enter') {
    select([id]);
    focusForm();
    return true;
  }
  if (key === ' ') {
    const { selected } = useView.getState();
    select(selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id]);
    return true;
  }
  if (key === 'Delete' || key === 'Backspace') {
    const { selected } = useView.getState();
    const near = isNoteId(id) ? TRIGGER : walk(doc(), id, 'left', at);
    actions.remove(selected.includes(id) ? selected : [id]);
    go({ step: doc().steps[near] ? near : TRIGGER });
    return true;
  }
  if (!lettersAreOn()) return false;
  if (key === 'n') {
    go({ step: actions.addNote() });
    focusForm();
    return true;
  }
  if (key === 'z') {
    onStage()?.fit?.(chosenWith(id));
    return true;
  }
  if (isNoteId(id)) return false;
  const way = openWay(doc(), id, types);
  if (key === 'g' && id !== TRIGGER) {
    ask({ step: id }, { kind: 'group', ids: chosenWith(id) });
    return true;
  }
  if (key === 'p') {
    const first = portsIn(doc(), id, types)[0];
    if (first !== undefined) go({ step: id, port: first });
    return true;
  }
  if (key === 'm' && id !== TRIGGER) ask({ step: id }, { kind: 'put', ids: chosenWith(id) });
  else if (key === 'c' && way) ask({ step: id }, { kind: 'connect', way });
  else if ((key === 'a' || key === '+') && way) ask({ step: id }, { kind: 'add', after: way });
  else return false;
  return true;
}

function onPort(step: string, port: string, { key }: KeyPress, types: Lookup): boolean {
  const ports = portsIn(doc(), step, types);
  const way = { from: step, port };
  const next = (by: number) => ports[(ports.indexOf(port) + by + ports.length) % ports.length] ?? port;
  if (key === 'ArrowUp' || key === 'ArrowDown') go({ step, port: next(key === 'ArrowUp' ? -1 : 1) });
  else if (key === 'ArrowLeft' || key === 'Escape') go({ step });
  else if (key === 'ArrowRight') {
    const index = doc().links.findIndex((link) => link.from === step && portOfLink(link.port, ports) === port);
    const link = linkKeys(doc().links)[index];
    if (link !== undefined) go({ link });
  } else if (key === 'c') ask({ step, port }, { kind: 'connect', way });
  else if (key === 'Enter' || key === ' ' || key === '+' || key === 'a') ask({ step, port }, { kind: 'add', after: way });
  else return false;
  return true;
}

function onLink(name: string, { key }: KeyPress, actions: Actions, types: Lookup): boolean {
  const link = doc().links[findLink(doc(), name)];
  if (!link) return false;
  const ports = portsIn(doc(), link.from, types);
  const port = portOfLink(link.port, ports);
  const keys = linkKeys(doc().links);
  const peers = keys.filter((_one, at) => doc().links[at]?.from === link.from);
  if (key === 'ArrowRight') go({ step: link.to });
  else if (key === 'ArrowLeft' || key === 'Escape') go({ step: link.from, port });
  else if (key === 'ArrowUp' || key === 'ArrowDown') go({ link: peers[(peers.indexOf(name) + (key === 'ArrowUp' ? -1 : 1) + peers.length) % peers.length] ?? name });
  else if (key === 'Delete' || key === 'Backspace') {
    actions.disconnect(name);
    go({ step: link.from, port });
  } else if (key === 'Enter' || key === ' ' || key === '+' || key === 'a') ask({ link: name }, { kind: 'add', onLink: name });
  else return false;
  return true;
}

const isLetter = (key: string): boolean => /^[\p{L}\p{N}]$/u.test(key);

/** Enter goes in, Escape comes out; in between the arrows follow the flow. */
export function useCanvasKeys(frame: RefObject<HTMLDivElement | null>) {
  const actions = useActions();
  const types = useLookup();
  return useCallback(
    (event: KeyboardEvent<HTMLDivElement>) => {
      const element = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || !frame.current?.contains(element)) return;
      const press = { key: event.key, shift: event.shiftKey };
      const target = targetOf(element);
      let known = false;
      if (!target) {
        const { selected, link } = useView.getState();
        if (event.target !== frame.current) return;
        if (event.key === 'Enter') {
          go({ step: selected[0] ?? TRIGGER });
          known = true;
        } else if (event.key === 'Delete' || event.key === 'Backspace') {
          if (link !== null) actions.disconnect(link);
          else actions.remove(selected);
          known = true;
        } else if (isLetter(event.key) && lettersAreOn() && !useEditor.getState().readOnly) {
          // On the bare canvas the name of a step is simply typed.
          const box = frame.current.getBoundingClientRect();
          const from = selected.find((id) => !isNoteId(id)) ?? (doc().links.some((one) => one.from === TRIGGER) ? undefined : TRIGGER);
          const after = from === undefined ? undefined : openWay(doc(), from, types);
          useView.setState({ asking: { kind: 'add', term: event.key, ...(after ? { after } : {}), x: box.left + box.width / 2 - 160, y: box.top + 48 } });
          known = true;
        }
      } else if ('link' in target) known = onLink(target.link, press, actions, types);
      else if ('port' in target) known = onPort(target.step, target.port, press, types);
      else if (event.key === 'Escape') {
        frame.current.focus();
        known = true;
      } else known = onStep(target.step, press, actions, types);
      if (!known) return;
      event.preventDefault();
      event.stopPropagation();
    },
    [actions, types, frame],
  );
}
