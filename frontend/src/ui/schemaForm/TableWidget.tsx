import { ActionIcon, Button, Checkbox, Input, NativeSelect, TextInput } from '@mantine/core';
import type { WidgetProps } from '@rjsf/utils';
import { useT } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import type { Schema } from './answers';
import { orderOf } from './conditions';
import type { Fault } from './faults';
import classes from './SchemaForm.module.css';

type Row = Record<string, unknown>;

const isRecord = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value);
const titleOf = (schema: Schema, name: string): string => (typeof schema['title'] === 'string' && schema['title'] !== '' ? schema['title'] : name);

/** Rows of the same fields: a table, on a phone one card for each row. */
export function TableWidget({ id, name, label, value, required, disabled, readonly, rawErrors, onChange, schema, registry }: WidgetProps) {
  const t = useT();
  const rows = Array.isArray(value) ? (value as unknown[]).map((one) => (isRecord(one) ? one : {})) : [];
  const item = isRecord(schema.items) ? schema.items : {};
  const properties = isRecord(item['properties']) ? item['properties'] : {};
  const needed = Array.isArray(item['required']) ? (item['required'] as unknown[]) : [];
  const columns = orderOf(item).map((one) => ({ name: one, schema: (isRecord(properties[one]) ? properties[one] : {}), needed: needed.includes(one) }));
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : Infinity;
  const faults = ((registry.formContext as { faults?: Fault[] } | undefined)?.faults ?? []).filter((one) => one.path.startsWith(`${name}.`));
  const faultAt = (row: number, column: string) => faults.find((one) => one.path === `${name}.${row}.${column}`)?.message;
  const put = (row: number, column: string, next: unknown) => onChange(rows.map((one, at) => (at === row ? { ...one, [column]: next } : one)));
  const isFixed = disabled ?? readonly;
  return (
    <Input.Wrapper id={id} label={label} labelElement="div" description={schema.description} withAsterisk={required} error={rawErrors && rawErrors.length > 0 ? rawErrors.join(' ') : undefined}>
      {rows.length > 0 ? (
        <div className={classes.scroll}>
          <table className={classes.table}>
            <thead>
              <tr>
                {columns.map((one) => <th key={one.name} scope="col">{titleOf(one.schema, one.name)}{one.needed ? <span aria-hidden className={classes.needed}>{t('requests.needed')}</span> : null}</th>)}
                {isFixed ? null : <th scope="col"><span className={classes.quiet}>{t('app.actions')}</span></th>}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, at) => (
                <tr key={at}>
                  {columns.map((one) => (
                    <td key={one.name} data-label={titleOf(one.schema, one.name)}>
                      <Cell
                        label={t('requests.cell', { column: titleOf(one.schema, one.name), row: at + 1 })}
                        schema={one.schema}
                        value={row[one.name]}
                        error={faultAt(at, one.name)}
                        disabled={isFixed ?? false}
                        onChange={(next) => put(at, one.name, next)}
                      />
                    </td>
                  ))}
                  {isFixed ? null : (
                    <td>
                      <ActionIcon aria-label={t('requests.remove_row', { row: at + 1 })} onClick={() => onChange(rows.filter((_one, index) => index !== at))}>
                        <IconTrash size={16} aria-hidden />
                      </ActionIcon>
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {isFixed || rows.length >= most ? null : (
        <Button size="xs" mt={8} leftSection={<IconPlus size={16} aria-hidden />} onClick={() => onChange([...rows, {}])}>{t('requests.add_row')}</Button>
      )}
    </Input.Wrapper>
  );
}

interface CellProps {
  label: string;
  schema: Schema;
  value: unknown;
  error: string | undefined;
  disabled: boolean;
  onChange: (value: unknown) => void;
}

const NUMBER = /^-?\d+([.,]\d+)?$/;

function Cell({ label, schema, value, error, disabled, onChange }: CellProps) {
  const t = useT();
  const frame = { 'aria-label': label, error, disabled, size: 'sm' } as const;
  if (schema['type'] === 'boolean') {
    return <Checkbox aria-label={label} disabled={disabled} error={error} checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  }
  if (Array.isArray(schema['enum'])) {
    return <NativeSelect {...frame} data={[{ value: '', label: t('requests.choose') }, ...schema['enum'].map(String)]} value={typeof value === 'string' ? value : ''} onChange={(event) => onChange(event.currentTarget.value || undefined)} />;
  }
  if (schema['type'] === 'number' || schema['type'] === 'integer') {
    // What is no number stays as it was typed, and is refused with the rest.
    const read = (text: string) => (text === '' ? undefined : NUMBER.test(text) ? Number(text.replace(',', '.')) : text);
    return <TextInput {...frame} inputMode="decimal" defaultValue={typeof value === 'number' || typeof value === 'string' ? String(value) : ''} onBlur={(event) => onChange(read(event.currentTarget.value.trim()))} />;
  }
  return <TextInput {...frame} type={schema['format'] === 'date' ? 'date' : 'text'} value={typeof value === 'string' ? value : ''} onChange={(event) => onChange(event.currentTarget.value || undefined)} />;
}
