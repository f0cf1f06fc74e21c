import { ActionIcon, Autocomplete, Button, Menu, Select, TextInput, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconCalendar, IconDatabase, IconHash, IconLetterT, IconPlus, IconToggleLeft, IconTrash } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import { flatPaths } from '../../document/paths';
import type { PathNode, PathSource } from '../../document/paths';
import { useForm } from '../FormContext';
import classes from './Conditions.module.css';
import { BARE, blankOf, isBare, isListed, isTextual, LISTED, ORDERED, TEXTUAL, withKind, withOperator } from './model';
import type { Compare, Literal, Operator, Value } from './model';

const OPERATORS: Record<Operator, MessageId> = {
  eq: 'editor.op.eq', ne: 'editor.op.ne', lt: 'editor.op.lt', le: 'editor.op.le', gt: 'editor.op.gt', ge: 'editor.op.ge', between: 'editor.op.between',
  contains: 'editor.op.contains', not_contains: 'editor.op.not_contains', starts: 'editor.op.starts', not_starts: 'editor.op.not_starts', ends: 'editor.op.ends', not_ends: 'editor.op.not_ends',
  in: 'editor.op.in', not_in: 'editor.op.not_in', holds: 'editor.op.holds', fails: 'editor.op.fails', defined: 'editor.op.defined', undefined: 'editor.op.undefined',
};
const ORDER: Operator[] = [...ORDERED, 'between', ...TEXTUAL, ...LISTED, ...BARE];

const KINDS: Record<Value['kind'], { label: MessageId; icon: Icon }> = {
  text: { label: 'editor.kind.text', icon: IconLetterT },
  number: { label: 'editor.kind.number', icon: IconHash },
  boolean: { label: 'editor.kind.boolean', icon: IconToggleLeft },
  date: { label: 'editor.kind.date', icon: IconCalendar },
  path: { label: 'editor.value.path', icon: IconDatabase },
};
const OF_TYPE: Partial<Record<PathNode['type'], Value['kind']>> = { text: 'text', number: 'number', boolean: 'boolean', date: 'date' };

interface Props {
  compare: Compare;
  name: string;
  onChange: (compare: Compare) => void;
  onRemove: () => void;
}

/** One comparison: what is compared, how, and with what. */
export function CompareRow({ compare, name, onChange, onRemove }: Props) {
  const t = useT();
  const form = useForm();
  const { left, op } = compare;
  const choose = (path: string, type?: PathNode['type']) => {
    const next = { ...compare, left: { ...left, path } };
    const kind = type && OF_TYPE[type];
    const isFresh = compare.values.every((value) => 'text' in value && value.text === '');
    // What a value is like is taken from the field, as long as none was given; dates come as text.
    onChange(kind && kind !== 'date' && isFresh && !isTextual(op) && !isBare(op) ? withKind(next, kind) : next);
  };
  return (
    <div role="group" aria-label={name} className={classes.row}>
      <div className={classes.line}>
        <PathInput label={t('editor.condition.field', { name })} value={left.path} onChange={choose} />
        {form.readOnly ? null : (
          <ActionIcon aria-label={t('editor.condition.remove', { name })} onClick={onRemove}><IconTrash size={16} aria-hidden /></ActionIcon>
        )}
      </div>
      <Fallback compare={compare} name={name} onChange={onChange} />
      <Select
        size="xs"
        aria-label={t('editor.condition.operator', { name })}
        disabled={form.readOnly}
        allowDeselect={false}
        maxDropdownHeight={320}
        data={(form.operators ?? ORDER).map((one) => ({ value: one, label: t(OPERATORS[one]) }))}
        value={op}
        onChange={(next) => { onChange(withOperator(compare, next as Operator)); form.settle(); }}
        comboboxProps={{ withinPortal: true }}
      />
      <Values compare={compare} name={name} onChange={onChange} />
    </div>
  );
}

/** What counts where the field is missing: without it a missing field is an error of the run. */
function Fallback({ compare, name, onChange }: Omit<Props, 'onRemove'>) {
  const t = useT();
  const form = useForm();
  const { left } = compare;
  const put = (fallback?: Literal) => {
    const { fallback: _old, ...kept } = left;
    onChange({ ...compare, left: fallback ? { ...kept, fallback } : kept });
  };
  // What a form asks is judged as missing wherever it is.
  if (form.operators || compare.op === 'defined' || compare.op === 'undefined' || left.path === '') return null;
  if (left.fallback === undefined) {
    if (form.readOnly) return null;
    const first = compare.values.find((value) => value.kind !== 'path');
    return <Button size="compact-xs" variant="subtle" className={classes.quiet} onClick={() => put(blankOf(first?.kind ?? 'text') as Literal)}>{t('editor.condition.if_missing')}</Button>;
  }
  return (
    <div className={classes.line}>
      <span className={classes.said}>{t('editor.condition.missing_is')}</span>
      <ValueInput literal label={t('editor.condition.missing', { name })} value={left.fallback} onChange={(next) => put(next as Literal)} />
      {form.readOnly ? null : <ActionIcon aria-label={t('editor.condition.remove_missing', { name })} onClick={() => put()}><IconTrash size={16} aria-hidden /></ActionIcon>}
    </div>
  );
}

function Values({ compare, name, onChange }: Omit<Props, 'onRemove'>) {
  const t = useT();
  const form = useForm();
  const put = (values: Value[]) => onChange({ ...compare, values });
  const { op, values } = compare;
  if (isBare(op)) return null;
  const several = isListed(op);
  return (
    <>
      {values.map((value, at) => (
        <div key={at} className={classes.line}>
          {op === 'between' && at === 1 ? <span className={classes.said}>{t('editor.condition.and')}</span> : null}
          <ValueInput
            label={values.length > 1 ? t('editor.condition.value_at', { name, at: at + 1 }) : t('editor.condition.value', { name })}
            value={value}
            only={isTextual(op) ? ['text', 'path'] : undefined}
            onKind={(kind) => (several || isTextual(op) ? put(values.map((one, index) => (index === at ? blankOf(kind) : one))) : onChange(withKind(compare, kind)))}
            onChange={(next) => put(values.map((one, index) => (index === at ? next : one)))}
          />
          {several && values.length > 1 && !form.readOnly ? (
            <ActionIcon aria-label={t('editor.condition.remove_value', { name, at: at + 1 })} onClick={() => put(values.filter((_one, index) => index !== at))}><IconTrash size={16} aria-hidden /></ActionIcon>
          ) : null}
        </div>
      ))}
      {several && !form.readOnly ? (
        <Button size="compact-xs" variant="subtle" className={classes.quiet} leftSection={<IconPlus size={16} aria-hidden />} onClick={() => put([...values, blankOf(values[0]?.kind ?? 'text')])}>{t('editor.condition.add_value')}</Button>
      ) : null}
    </>
  );
}

interface ValueProps {
  label: string;
  value: Value;
  only?: Value['kind'][] | undefined;
  literal?: boolean;
  onChange: (value: Value) => void;
  onKind?: (kind: Value['kind']) => void;
}

/** One value with the choice of what it is. */
function ValueInput({ label, value, only, literal, onChange, onKind }: ValueProps) {
  const t = useT();
  const form = useForm();
  const kinds = (Object.keys(KINDS) as Value['kind'][]).filter((one) => (!only || only.includes(one)) && !((literal || form.operators) && one === 'path'));
  const Glyph = KINDS[value.kind].icon;
  const called = t('editor.form.kind', { title: label, kind: t(KINDS[value.kind].label) });
  return (
    <>
      <div className={classes.grow}>
        {value.kind === 'path' ? <PathInput label={label} value={value.path} onChange={(path) => onChange({ kind: 'path', path })} /> : value.kind === 'boolean' ? (
          <Select
            size="xs"
            aria-label={label}
            disabled={form.readOnly}
            allowDeselect={false}
            data={[{ value: 'true', label: t('editor.form.yes') }, { value: 'false', label: t('editor.form.no') }]}
            value={String(value.value)}
            onChange={(next) => { onChange({ kind: 'boolean', value: next === 'true' }); form.settle(); }}
          />
        ) : (
          <TextInput
            size="xs"
            aria-label={label}
            disabled={form.readOnly}
            type={value.kind === 'date' ? 'date' : 'text'}
            inputMode={value.kind === 'number' ? 'decimal' : undefined}
            value={value.text}
            onChange={(event) => onChange({ ...value, text: value.kind === 'number' ? event.currentTarget.value.trim().replace(',', '.') : event.currentTarget.value })}
            onBlur={form.settle}
          />
        )}
      </div>
      {form.readOnly || kinds.length < 2 ? null : (
        <Menu withinPortal>
          <Menu.Target>
            <Tooltip label={called}><ActionIcon aria-label={called} variant="default"><Glyph size={16} aria-hidden /></ActionIcon></Tooltip>
          </Menu.Target>
          <Menu.Dropdown>
            {kinds.map((one) => {
              const Shown = KINDS[one].icon;
              return <Menu.Item key={one} leftSection={<Shown size={16} aria-hidden />} onClick={() => (onKind ? onKind(one) : onChange(blankOf(one)))}>{t(KINDS[one].label)}</Menu.Item>;
            })}
          </Menu.Dropdown>
        </Menu>
      )}
    </>
  );
}

const MOST = 300;

/** A path, chosen from what can be read here or typed. */
function PathInput({ label, value, onChange }: { label: string; value: string; onChange: (path: string, type?: PathNode['type']) => void }) {
  const t = useT();
  const form = useForm();
  // Worked out when the list is opened, since most fields are never looked at.
  const [sources, setSources] = useState<PathSource[]>([]);
  const groups = sources.map((source) => ({
    group: source.title || t('editor.path.run'),
    items: flatPaths([source]).filter((node) => node.children.length === 0 || node.type !== 'context').map((node) => node.path).slice(0, MOST),
  })).filter((one) => one.items.length > 0);
  return (
    <Autocomplete
      size="xs"
      className={classes.path}
      aria-label={label}
      placeholder={t('editor.condition.choose_field')}
      disabled={form.readOnly}
      data={groups}
      limit={MOST}
      maxDropdownHeight={320}
      value={value}
      onFocus={() => setSources(form.sources())}
      onChange={(path) => onChange(path)}
      onOptionSubmit={(path) => { onChange(path, flatPaths(sources).find((node) => node.path === path)?.type); form.settle(); }}
      onBlur={form.settle}
      comboboxProps={{ withinPortal: true, width: 'max-content', position: 'bottom-start' }}
    />
  );
}
