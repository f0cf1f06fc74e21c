import { Button } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useT } from '~/app/messages';
import { TRIGGER, useLookup } from '~/features/canvas/catalogue';
import { IconArrowLeft, IconChecks, IconHierarchy, IconNote, IconPlus } from '~/ui/icons';
import { useActions } from '../actions';
import { focusForm } from '../panel';
import { setStage } from '../view';
import { select, useView } from '../view';
import type { FocusTarget } from '../view';
import { openWay } from '../document/ports';
import { places } from '~/features/canvas/graph';
import { PanelBody } from '../SidePanel';
import { useEditor } from '../store';
import classes from './Outline.module.css';
import { OutlineRow } from './OutlineRow';
import { outlineRows } from './rows';
import type { Row } from './rows';
import { useOutlineKeys } from './useOutlineKeys';

const keyOf = (target: FocusTarget): string =>
  'link' in target ? 'step:trigger' : 'port' in target ? `port:${target.step}:${target.port}` : `step:${target.step}`;

/** The same document as a tree, with the same operations: for the keyboard, for the ear, for a phone. */
export function OutlineEditor({ flowId }: { flowId: string }) {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const document = useEditor((editor) => editor.document);
  const readOnly = useEditor((editor) => editor.readOnly);
  const selected = useView((view) => view.selected);
  const [active, setActive] = useState(`step:${selected[0] ?? TRIGGER}`);
  /** Where a finger has no Shift: each line pressed comes to the selection, or goes from it. */
  const [many, setMany] = useState(false);
  const tree = useRef<HTMLDivElement>(null);
  const rows = useMemo(() => outlineRows(document, types), [document, types]);
  // The line with the focus may be gone; then the first takes it.
  const current = rows.some((row) => row.key === active) ? active : (rows[0]?.key ?? '');

  const find = (key: string) => tree.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`) ?? null;
  const focusRow = (key: string, tries = 8) => {
    setActive(key);
    requestAnimationFrame(() => {
      const element = find(key);
      if (element) element.focus();
      else if (tries > 0) focusRow(key, tries - 1);
    });
  };

  useEffect(() => {
    setStage({
      focus: (target) => focusRow(keyOf(target)),
      reveal: (id) => requestAnimationFrame(() => find(`step:${id}`)?.scrollIntoView({ block: 'nearest' })),
      middle: () => {
        const all = Object.values(places(useEditor.getState().document));
        return [0, Math.max(0, ...all.map(([, y]) => y)) + 120];
      },
      screen: (target) => {
        const box = find(keyOf(target))?.getBoundingClientRect();
        return { x: (box?.left ?? 0) + 24, y: box?.bottom ?? 0 };
      },
    });
    return () => setStage(null);
  });

  const onKeyDown = useOutlineKeys(rows, current, focusRow);
  const choose = (row: Row, more: boolean) => {
    setActive(row.key);
    if ((more || many) && (row.kind === 'step' || row.kind === 'note')) {
      select(selected.includes(row.id) ? selected.filter((one) => one !== row.id) : [...selected, row.id]);
      return;
    }
    if (row.kind !== 'loose') select([row.kind === 'jump' ? row.to : row.id]);
  };
  const addLast = (element: HTMLElement) => {
    const box = element.getBoundingClientRect();
    const from = selected[0] ?? [...rows].reverse().find((row) => row.kind === 'step')?.id ?? TRIGGER;
    const after = openWay(document, from, types);
    useView.setState({ asking: { kind: 'add', ...(after ? { after } : {}), x: box.left, y: box.bottom } });
  };

  return (
    <div className={classes.outline} data-chosen={(selected.length > 0 && !many) || undefined}>
      <div className={classes.list}>
        {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus -- the lines take the focus, one at a time */}
        <div ref={tree} role="tree" aria-multiselectable aria-label={t('editor.outline', { count: Object.keys(document.steps).length })} className={classes.tree} onKeyDown={onKeyDown}>
          {rows.map((row) => <OutlineRow key={row.key} row={row} focusable={row.key === current} onChoose={choose} />)}
        </div>
        {readOnly ? null : (
          <div className={classes.add}>
            <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={(event) => addLast(event.currentTarget)}>{t('editor.add_step')}</Button>
            <Button leftSection={<IconNote size={16} aria-hidden />} onClick={() => { focusRow(`step:${actions.addNote()}`); focusForm(); }}>{t('editor.note.add')}</Button>
            <Button leftSection={<IconHierarchy size={16} aria-hidden />} onClick={() => void actions.tidy()}>{t('editor.tidy')}</Button>
            <Button leftSection={<IconChecks size={16} aria-hidden />} aria-pressed={many} variant={many ? 'light' : undefined} onClick={() => setMany(!many)}>{t('editor.outline.many')}</Button>
          </div>
        )}
      </div>
      <div className={classes.form}>
        <Button className={classes.back} leftSection={<IconArrowLeft size={16} aria-hidden />} onClick={() => { select([]); focusRow(current); }}>{t('editor.outline.back')}</Button>
        <PanelBody flowId={flowId} />
      </div>
    </div>
  );
}
