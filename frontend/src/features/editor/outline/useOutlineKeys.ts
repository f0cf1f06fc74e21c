import type { KeyboardEvent } from 'react';
import { portOfLink, TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { portsIn } from '~/features/canvas/graph';
import { useActions } from '../actions';
import { linkKeys } from '../document/links';
import { openWay } from '../document/ports';
import { focusForm } from '../panel';
import { lettersAreOn } from '../shortcuts';
import { useEditor } from '../store';
import { chosenWith, onStage, select, useView } from '../view';
import type { Asking, FocusTarget } from '../view';
import type { Row } from './rows';

const doc = () => useEditor.getState().document;

/** Keys of the tree: arrows among its lines, and the operations of the canvas under the same keys. */
export function useOutlineKeys(rows: Row[], current: string, focusRow: (key: string) => void) {
  const actions = useActions();
  const types = useLookup();

  const lines = rows.filter((row) => row.kind !== 'loose');
  const at = lines.findIndex((row) => row.key === current);
  const row = lines[at];

  const ask = (target: FocusTarget, asking: Asking) =>
    useView.setState({ asking: { ...asking, ...(onStage()?.screen(target) ?? { x: 0, y: 0 }) } });

  const moveTo = (key: string): boolean => {
    const to: Record<string, string | undefined> = {
      ArrowDown: lines[at + 1]?.key,
      ArrowUp: lines[at - 1]?.key,
      ArrowLeft: row?.parent ?? undefined,
      ArrowRight: lines[at + 1]?.level === (row?.level ?? 0) + 1 ? lines[at + 1]?.key : undefined,
      Home: lines[0]?.key,
      End: lines.at(-1)?.key,
    };
    if (!(key in to)) return false;
    const next = to[key];
    if (next !== undefined) focusRow(next);
    return true;
  };

  /** Takes a line's step or note into the selection, or out of it. */
  const toggle = (id: string) => {
    const { selected } = useView.getState();
    select(selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id]);
  };

  /** The link by which a line is come to: what is inserted before it goes into that link. */
  const linkTo = (): string | undefined => {
    if (row?.kind !== 'step' && row?.kind !== 'jump') return undefined;
    const links = doc().links;
    const index = row.kind === 'jump'
      ? links.findIndex((link) => link.from === row.id && link.to === row.to && portOfLink(link.port, portsIn(doc(), row.id, types)) === row.port)
      : links.findIndex((link) => link.to === row.id);
    return linkKeys(links)[index];
  };

  const remove = () => {
    if (!row) return;
    const near = lines[at - 1]?.key ?? `step:${TRIGGER}`;
    if (row.kind === 'step' || row.kind === 'note') actions.remove(chosenWith(row.id));
    else if (row.kind === 'jump') {
      const key = linkTo();
      if (key !== undefined) actions.disconnect(key);
    } else return;
    focusRow(near);
  };

  /** What a key means on a line; `false` where it means nothing. */
  const act = (key: string): boolean => {
    if (!row) return false;
    const way = row.kind === 'note' ? undefined : row.kind === 'step' ? openWay(doc(), row.id, types) : { from: row.id, port: row.port };
    const target: FocusTarget = row.kind === 'port' ? { step: row.id, port: row.port } : { step: row.id };
    if (key === 'Enter') {
      if (row.kind === 'jump') focusRow(`step:${row.to}`);
      else if (row.kind === 'port') ask(target, { kind: 'add', after: { from: row.id, port: row.port } });
      else {
        select([row.id]);
        focusForm();
      }
    } else if (key === ' ') {
      if (row.kind === 'step' || row.kind === 'note') toggle(row.id);
      else select(row.kind === 'jump' ? [row.to] : [row.id]);
    }
    else if (key === 'Delete' || key === 'Backspace') remove();
    else if (!lettersAreOn()) return false;
    else if (key === 'n') {
      focusRow(`step:${actions.addNote()}`);
      focusForm();
    } else if (key === 'g' && row.kind === 'step' && row.id !== TRIGGER) ask(target, { kind: 'group', ids: chosenWith(row.id) });
    else if (key === 'i' && linkTo() !== undefined) ask(target, { kind: 'add', onLink: linkTo() });
    else if (key === 'm' && row.kind === 'step' && row.id !== TRIGGER) ask(target, { kind: 'put', ids: chosenWith(row.id) });
    else if (!way) return false;
    else if (key === 'c') ask(target, { kind: 'connect', way });
    else if (key === 'a' || key === '+') ask(target, { kind: 'add', after: way });
    else return false;
    return true;
  };

  return (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.shiftKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp') && row && 'id' in row) {
      // A run of lines at once: the line left and the line come to.
      const next = lines[at + (event.key === 'ArrowDown' ? 1 : -1)];
      const both = [row, next].flatMap((one) => (one?.kind === 'step' || one?.kind === 'note' ? [one.id] : []));
      select([...new Set([...useView.getState().selected, ...both])]);
    }
    if (!moveTo(event.key) && !act(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
  };
}
