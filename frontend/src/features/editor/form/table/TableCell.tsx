import { memo } from 'react';
import type { ClipboardEvent, KeyboardEvent } from 'react';
import { useForm } from '../FormContext';
import { pathName } from '../schema';
import { ANYTHING } from './grid';
import type { Cell } from './grid';
import classes from './Table.module.css';

interface Props {
  at: Cell;
  path: (string | number)[];
  label: string;
  value: string;
  /** A result, not a condition. */
  result: boolean;
  onKeyDown: (event: KeyboardEvent<HTMLInputElement>, at: Cell) => void;
  onPaste?: (event: ClipboardEvent<HTMLInputElement>, at: Cell) => void;
}

/** One cell: a condition such as `> 5`, or the expression of a result. */
export const TableCell = memo(function TableCell({ at, path, label, value, result, onKeyDown, onPaste }: Props) {
  const form = useForm();
  const name = pathName(path);
  const error = form.errors.get(name);
  const warning = form.warnings.get(name);
  return (
    <td data-field={name} data-kind={error ? 'error' : warning ? 'warning' : undefined} className={result ? classes.result : undefined}>
      <input
        className={classes.cell}
        data-cell={`${at.row}:${at.column}`}
        aria-label={label}
        aria-invalid={error ? true : undefined}
        title={error ?? warning}
        placeholder={result ? undefined : ANYTHING}
        spellCheck={false}
        autoComplete="off"
        readOnly={form.readOnly}
        value={value}
        onChange={(event) => form.set(path, event.currentTarget.value)}
        onKeyDown={(event) => onKeyDown(event, at)}
        onPaste={onPaste && ((event) => onPaste(event, at))}
        onBlur={form.settle}
      />
    </td>
  );
});
