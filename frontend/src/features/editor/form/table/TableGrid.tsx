import { Button } from '@mantine/core';
import { Fragment, useRef } from 'react';
import type { ClipboardEvent, KeyboardEvent, ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { useT } from '~/app/messages';
import { IconPlus } from '~/ui/icons';
import { useForm } from '../FormContext';
import { say } from '../../view';
import { addInput, addOutput, addRule, neighbour, pathOfCell } from './grid';
import type { Cell, Grid } from './grid';
import { pasteCells, readCells } from './paste';
import classes from './Table.module.css';
import { TableCell } from './TableCell';
import { InputHead, OutputHead } from './TableHeads';
import { TableRowEnd } from './TableRowEnd';

interface Props {
  grid: Grid;
  types: { value: string; label: string }[];
}

/** What is wrong with a rule, or lacks between them, below the row that it is about. */
function RowNote({ kind, columns, children }: { kind: string; columns: number; children: ReactNode }) {
  return (
    <tr className={classes.noteRow} data-kind={kind}>
      <td colSpan={columns}><span>{children}</span></td>
    </tr>
  );
}

/** The rules as a grid: a row for each rule, columns for what is asked and what comes out. */
export function TableGrid({ grid, types }: Props) {
  const t = useT();
  const form = useForm();
  const table = useRef<HTMLTableElement>(null);
  const count = grid.inputs.length + grid.outputs.length;
  // What no rule matches stands where a rule for it would.
  const gap = form.errors.get('rules') ?? form.warnings.get('rules');
  const change = (next: Record<string, unknown>) => {
    flushSync(() => form.set([], next));
    form.settle();
  };
  const focus = ({ row, column }: Cell) => table.current?.querySelector<HTMLInputElement>(`[data-cell="${row}:${column}"]`)?.focus();
  const append = () => {
    change(addRule(form.current(), grid.rows.length));
    focus({ row: grid.rows.length, column: 0 });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>, at: Cell) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.nativeEvent.isComposing) return;
    const { selectionStart, selectionEnd, value } = event.currentTarget;
    const edge = { start: selectionStart === 0 && selectionEnd === 0, end: selectionStart === value.length };
    const next = neighbour(event.key === 'Enter' && event.shiftKey ? 'ArrowUp' : event.key, at, grid, edge);
    if (next) {
      event.preventDefault();
      focus(next);
    } else if (event.key === 'Enter' && !event.shiftKey && at.row === grid.rows.length - 1 && !form.readOnly) {
      event.preventDefault();
      append();
    }
  };

  const onPaste = (event: ClipboardEvent<HTMLInputElement>, at: Cell) => {
    const cells = form.readOnly || at.row >= grid.rows.length ? null : readCells(event.clipboardData.getData('text/plain'));
    if (!cells) return;
    event.preventDefault();
    const pasted = pasteCells(form.current(), at, cells);
    change(pasted.config);
    say(t(pasted.left > 0 ? 'editor.table.pasted_part' : 'editor.table.pasted', { count: pasted.rows, left: pasted.left }));
    focus(at);
  };

  const cellsOf = (row: number, values: string[], from: number, name: string) =>
    values.map((value, index) => {
      const at = { row, column: from + index };
      const heads = from + index < grid.inputs.length ? grid.inputs : grid.outputs;
      const head = heads[from < grid.inputs.length ? index : from + index - grid.inputs.length];
      return (
        <TableCell
          key={at.column}
          at={at}
          path={pathOfCell(at, grid)}
          label={`${name}, ${head?.label || head?.value || t('editor.table.column', { at: at.column + 1 })}`}
          value={value}
          result={at.column >= grid.inputs.length}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
        />
      );
    });

  return (
    <div className={classes.scroll}>
      <table ref={table} className={classes.table}>
        <thead>
          <tr>
            <th scope="col" className={classes.number}>#</th>
            {grid.inputs.map((one, at) => <InputHead key={at} column={one} at={at} only={grid.inputs.length === 1} />)}
            {grid.outputs.map((one, at) => <OutputHead key={at} column={one} at={at} only={grid.outputs.length === 1} types={types} />)}
            <th scope="col" className={classes.noteHead}>{t('editor.table.note')}</th>
          </tr>
        </thead>
        <tbody>
          {grid.rows.map((row, index) => {
            const name = t('editor.table.rule', { at: index + 1 });
            const said = form.errors.get(`rules.${index}`) ?? form.warnings.get(`rules.${index}`);
            return (
              <Fragment key={index}>
              <tr data-kind={form.errors.has(`rules.${index}`) ? 'error' : said ? 'warning' : undefined}>
                <th scope="row" className={classes.number} title={said}>{index + 1}</th>
                {cellsOf(index, row.when, 0, name)}
                {cellsOf(index, row.then, grid.inputs.length, name)}
                <TableRowEnd index={index} count={grid.rows.length} name={name} note={row.note} onChange={change} />
              </tr>
              {said ? <RowNote kind={form.errors.has(`rules.${index}`) ? 'error' : 'warning'} columns={count + 2}>{said}</RowNote> : null}
              </Fragment>
            );
          })}
          {gap ? <RowNote kind={form.errors.has('rules') ? 'error' : 'warning'} columns={count + 2}>{gap}</RowNote> : null}
          {grid.fallback ? (
            <tr className={classes.fallback}>
              <th scope="row" colSpan={1 + grid.inputs.length}>{t('editor.table.else')}</th>
              {cellsOf(grid.rows.length, grid.fallback, grid.inputs.length, t('editor.table.else'))}
              <td />
            </tr>
          ) : null}
        </tbody>
        {form.readOnly ? null : (
          <tfoot>
            <tr>
              <td colSpan={count + 2}>
                <Button size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={append}>{t('editor.table.add_rule')}</Button>
                <Button size="xs" variant="subtle" onClick={() => change(addInput(form.current()))}>{t('editor.table.add_input')}</Button>
                <Button size="xs" variant="subtle" onClick={() => change(addOutput(form.current(), t('editor.table.new_output')))}>{t('editor.table.add_output')}</Button>
              </td>
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}
