import { ActionIcon } from '@mantine/core';
import type { ReactNode } from 'react';
import { useT } from '~/app/messages';
import { IconTrash } from '~/ui/icons';
import { PathPicker } from '../feel/PathPicker';
import { useForm } from '../FormContext';
import { pathName } from '../schema';
import { removeInput, removeOutput } from './grid';
import type { Column } from './grid';
import classes from './Table.module.css';

interface Props {
  column: Column;
  at: number;
  /** The last one of its kind stays. */
  only: boolean;
}

interface LineProps {
  path: (string | number)[];
  label: string;
  value: string;
  mono?: boolean;
}

/** One line of a column's head. */
function Line({ path, label, value, mono }: LineProps) {
  const form = useForm();
  const error = form.errors.get(pathName(path));
  return (
    <input
      className={mono ? classes.mono : classes.heading}
      data-field={pathName(path)}
      aria-label={label}
      aria-invalid={error ? true : undefined}
      title={error ?? label}
      placeholder={label}
      spellCheck={!mono}
      readOnly={form.readOnly}
      value={value}
      onChange={(event) => form.set(path, event.currentTarget.value)}
      onBlur={form.settle}
    />
  );
}

function Remove({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <ActionIcon size="xs" aria-label={label} onClick={onClick}>
      <IconTrash size={16} aria-hidden />
    </ActionIcon>
  );
}

function Head({ kind, name, children }: { kind: string; name: string; children: ReactNode }) {
  const form = useForm();
  const isWrong = [...form.errors.keys()].some((one) => one === name || one.startsWith(`${name}.`));
  return <th scope="col" className={kind} data-kind={isWrong ? 'error' : undefined}>{children}</th>;
}

/** What a column of conditions is about, and where that is read. */
export function InputHead({ column, at, only }: Props) {
  const t = useT();
  const form = useForm();
  const reads = ['inputs', at, 'expression'];
  return (
    <Head kind={classes.input ?? ''} name={`inputs.${at}`}>
      <Line path={['inputs', at, 'label']} label={t('editor.table.heading', { at: at + 1 })} value={column.label} />
      <span className={classes.line}>
        <Line mono path={reads} label={t('editor.table.reads', { at: at + 1 })} value={column.value} />
        {form.readOnly ? null : <PathPicker onPick={(node) => { form.set(reads, node.path); form.settle(); }} />}
        {form.readOnly || only ? null : <Remove label={t('editor.table.remove_input', { at: at + 1 })} onClick={() => { form.set([], removeInput(form.current(), at)); form.settle(); }} />}
      </span>
    </Head>
  );
}

/** The name and the kind of a result. */
export function OutputHead({ column, at, only, types }: Props & { types: { value: string; label: string }[] }) {
  const t = useT();
  const form = useForm();
  return (
    <Head kind={classes.result ?? ''} name={`outputs.${at}`}>
      <Line mono path={['outputs', at, 'name']} label={t('editor.table.name', { at: at + 1 })} value={column.value} />
      <span className={classes.line}>
        <select
          className={classes.type}
          aria-label={t('editor.table.type', { at: at + 1 })}
          disabled={form.readOnly}
          value={column.type}
          onChange={(event) => { form.set(['outputs', at, 'type'], event.currentTarget.value); form.settle(); }}
        >
          {types.map((one) => <option key={one.value} value={one.value}>{one.label}</option>)}
        </select>
        {form.readOnly || only ? null : <Remove label={t('editor.table.remove_output', { at: at + 1 })} onClick={() => { form.set([], removeOutput(form.current(), at)); form.settle(); }} />}
      </span>
    </Head>
  );
}
