import { ActionIcon, Checkbox, Modal, Select, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import { IconArrowsMaximize } from '~/ui/icons';
import { useForm } from '../FormContext';
import formClasses from '../Form.module.css';
import { isRecord, labelOf, pathName, resolve } from '../schema';
import type { Schema } from '../schema';
import { SchemaField } from '../SchemaField';
import { readGrid, setFallback } from './grid';
import classes from './Table.module.css';
import { TableGrid } from './TableGrid';
import { TestRows } from './TestRows';

interface Props {
  schema: Schema;
  value: Record<string, unknown>;
}

const part = (schema: Schema, name: string): Schema => (isRecord(schema['properties']) ? resolve(schema['properties'][name], schema) : {});

/** The form of a decision table: what several matches mean, and the grid of its rules. */
export function TableForm({ schema, value }: Props) {
  const t = useT();
  const form = useForm();
  const [isLarge, setLarge] = useState(false);
  const grid = readGrid(value);
  const body = (
    <>
      <TableGrid grid={grid} types={typeLabels(schema)} />
      {form.readOnly ? null : (
        <Checkbox
          size="xs"
          label={t('editor.table.fallback')}
          checked={grid.fallback !== null}
          onChange={(event) => { form.set([], setFallback(form.current(), event.currentTarget.checked)); form.settle(); }}
        />
      )}
      <Said />
      <TestRows grid={grid} />
    </>
  );
  return (
    <div className={formClasses.fields}>
      <SchemaField name="hit" schema={part(schema, 'hit')} path={['hit']} value={value['hit']} required />
      {value['hit'] === 'collect' ? <Aggregate schema={part(schema, 'aggregate')} value={value['aggregate']} /> : null}
      <div className={classes.head}>
        <span className={classes.title}>{t('editor.table.rules')}</span>
        <Tooltip label={t('editor.table.enlarge')}>
          <ActionIcon aria-label={t('editor.table.enlarge')} onClick={() => setLarge(true)}>
            <IconArrowsMaximize size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </div>
      {isLarge ? null : body}
      <Modal opened={isLarge} onClose={() => setLarge(false)} title={t('editor.table.rules')} size="min(1120px, 94vw)" closeButtonProps={{ 'aria-label': t('editor.table.close') }}>
        <div className={formClasses.fields}>{isLarge ? body : null}</div>
      </Modal>
    </div>
  );
}

/** The kinds of a result's values, in words. */
function typeLabels(schema: Schema): { value: string; label: string }[] {
  const columns = part(schema, 'outputs');
  const type = part({ ...schema, ...resolve(columns['items'], schema) }, 'type');
  const labels = isRecord(type['x-labels']) ? type['x-labels'] : {};
  const values = Array.isArray(type['enum']) ? (type['enum'] as unknown[]) : ['any'];
  return values.map((one) => ({ value: String(one), label: labelOf(labels, one) }));
}

const ROWS = '';

/** What is made of the rules that are taken: their rows, or one value. */
function Aggregate({ schema, value }: { schema: Schema; value: unknown }) {
  const t = useT();
  const form = useForm();
  const labels = isRecord(schema['x-labels']) ? schema['x-labels'] : {};
  const data = Object.keys(labels).map((one) => ({ value: one, label: labelOf(labels, one) }));
  return (
    <Select
      label={typeof schema['title'] === 'string' ? schema['title'] : ''}
      error={form.errors.get('aggregate')}
      disabled={form.readOnly}
      data={[{ value: ROWS, label: t('editor.table.rows') }, ...data]}
      value={typeof value === 'string' ? value : ROWS}
      allowDeselect={false}
      onChange={(next) => form.set(['aggregate'], next === ROWS ? null : next)}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

/** What the check says about the table, each at the cell it means. */
function Said() {
  const t = useT();
  const { errors, warnings } = useForm();
  const about = (said: ReadonlyMap<string, string>) => [...said].filter(([name]) => /^((rules\.\d+|inputs|outputs|default)\.|default$|inputs$|outputs$)/.test(name));
  const where = (name: string) => {
    const [list, row] = name.split('.');
    return list === 'rules' && row !== undefined ? t('editor.table.rule', { at: Number(row) + 1 }) : '';
  };
  const lines = [...about(errors).map((one) => [...one, 'error'] as const), ...about(warnings).map((one) => [...one, 'warning'] as const)];
  if (lines.length === 0) return null;
  return (
    <ul className={classes.said} aria-label={t('editor.table.findings')}>
      {lines.map(([name, message, kind]) => (
        <li key={pathName([name, kind])} data-kind={kind}>
          {where(name) ? <strong>{where(name)}: </strong> : null}
          {message}
        </li>
      ))}
    </ul>
  );
}
