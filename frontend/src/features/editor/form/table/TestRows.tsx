import { ActionIcon, Button } from '@mantine/core';
import { useRef } from 'react';
import type { KeyboardEvent } from 'react';
import { flushSync } from 'react-dom';
import { useT } from '~/app/messages';
import { IconAlertTriangle, IconCheck, IconPlus, IconTrash } from '~/ui/icons';
import { useFindings } from '../../findings';
import { useForm } from '../FormContext';
import { addTest, removeTest } from './grid';
import type { Grid } from './grid';
import classes from './Table.module.css';

/** Values to try the rules with, what shall come out, and whether it does: told by the check, as one types. */
export function TestRows({ grid }: { grid: Grid }) {
  const t = useT();
  const form = useForm();
  const table = useRef<HTMLTableElement>(null);
  const change = (next: Record<string, unknown>) => {
    flushSync(() => form.set([], next));
    form.settle();
  };
  const focus = (row: number, column: number) => table.current?.querySelector<HTMLInputElement>(`[data-test="${row}:${column}"]`)?.focus();
  const add = () => {
    change(addTest(form.current()));
    focus(grid.tests.length, 0);
  };
  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>, row: number, column: number) => {
    const down = event.key === 'ArrowDown' || event.key === 'Enter' && !event.shiftKey;
    const up = event.key === 'ArrowUp' || event.key === 'Enter' && event.shiftKey;
    if (event.nativeEvent.isComposing || !(down || up)) return;
    event.preventDefault();
    if (event.key === 'Enter' && down && row === grid.tests.length - 1 && !form.readOnly) add();
    else focus(row + (down ? 1 : -1), column);
  };
  if (grid.tests.length === 0 && form.readOnly) return null;
  const cell = (row: number, column: number, list: 'given' | 'expect', index: number, label: string, value: string) => (
    <td key={`${list}${index}`} className={list === 'expect' ? classes.result : undefined}>
      <input
        className={classes.cell}
        data-test={`${row}:${column}`}
        aria-label={`${t('editor.table.test', { at: row + 1 })}, ${label}`}
        spellCheck={false}
        autoComplete="off"
        readOnly={form.readOnly}
        value={value}
        onChange={(event) => form.set(['tests', row, list, index], event.currentTarget.value)}
        onKeyDown={(event) => onKeyDown(event, row, column)}
        onBlur={form.settle}
      />
    </td>
  );
  const heads = [...grid.inputs, ...grid.outputs].map((one, at) => one.label || one.value || t('editor.table.column', { at: at + 1 }));
  return (
    <section aria-label={t('editor.table.tests')}>
      <div className={classes.head}><span className={classes.title}>{t('editor.table.tests')}</span></div>
      {grid.tests.length === 0 ? <p className={classes.testsHelp}>{t('editor.table.tests_help')}</p> : (
        <div className={classes.scroll}>
          <table ref={table} className={classes.table}>
            <thead>
              <tr>
                <th scope="col" className={classes.number}>#</th>
                {heads.map((head, at) => <th key={at} scope="col" className={at < grid.inputs.length ? classes.input : classes.result}>{at < grid.inputs.length ? head : t('editor.table.expected', { name: head })}</th>)}
                <th scope="col" className={classes.noteHead}>{t('editor.table.outcome')}</th>
              </tr>
            </thead>
            <tbody>
              {grid.tests.map((test, row) => (
                <tr key={row} data-field={`tests.${row}`}>
                  <th scope="row" className={classes.number}>{row + 1}</th>
                  {test.given.map((value, index) => cell(row, index, 'given', index, heads[index] ?? '', value))}
                  {test.expect.map((value, index) => cell(row, grid.inputs.length + index, 'expect', index, t('editor.table.expected', { name: heads[grid.inputs.length + index] ?? '' }), value))}
                  <Outcome row={row} onRemove={() => change(removeTest(form.current(), row))} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {form.readOnly ? null : <Button size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>{t('editor.table.add_test')}</Button>}
    </section>
  );
}

function Outcome({ row, onRemove }: { row: number; onRemove: () => void }) {
  const t = useT();
  const form = useForm();
  const status = useFindings((state) => state.status);
  const failed = form.errors.get(`tests.${row}`) ?? form.warnings.get(`tests.${row}`);
  return (
    <td>
      <span className={classes.line}>
        {status === 'checking' && !failed ? <span className={classes.outcome}>{t('editor.table.trying')}</span> : (
          <span className={classes.outcome} data-failed={failed !== undefined || undefined}>
            {failed ? <IconAlertTriangle size={16} aria-hidden /> : <IconCheck size={16} aria-hidden />}
            <span>{failed ?? t('editor.table.passed')}</span>
          </span>
        )}
        {form.readOnly ? null : <ActionIcon size="xs" aria-label={t('editor.table.remove_test', { at: row + 1 })} onClick={onRemove}><IconTrash size={16} aria-hidden /></ActionIcon>}
      </span>
    </td>
  );
}
