import { ActionIcon, Button, Checkbox, Input, Select, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import classes from '../form/Form.module.css';
import { isRecord } from '../form/schema';
import type { Schema } from '../form/schema';
import { freeName } from '../form/values';
import { kindOf, KINDS, OFFERED, ofKind, partsOf, withParts } from './shape';
import type { Part } from './shape';

interface Props {
  label: string;
  schema: unknown;
  readOnly: boolean;
  onChange: (schema: Schema) => void;
  onSettle: () => void;
  /** A label that everybody sees, above the choice. */
  shown?: boolean;
}

const DEEPEST = 6;

/** What one value is: its kind, and what the kind itself asks for. */
export function SchemaPart({ label, schema, readOnly, onChange, onSettle, shown, depth = 0 }: Props & { depth?: number }) {
  const t = useT();
  const kind = kindOf(schema);
  const offered = kind === 'own' ? [...OFFERED, kind] : OFFERED;
  const here = isRecord(schema) ? schema : {};
  return (
    <div className={classes.rows}>
      <Select
        {...(shown ? { label } : { 'aria-label': label })}
        disabled={readOnly}
        allowDeselect={false}
        data={offered.map((one) => ({ value: one, label: t(KINDS[one]) }))}
        value={kind}
        onChange={(next) => { if (next !== null && next !== kind) onChange(ofKind(next, schema)); }}
      />
      {kind === 'own' ? <Input.Description>{t('editor.contract.own')}</Input.Description> : null}
      {kind === 'choice' ? (
        <TagsInput
          aria-label={t('editor.question.choices')}
          placeholder={t('editor.form.tags')}
          disabled={readOnly}
          acceptValueOnBlur
          value={(here['enum'] as unknown[]).map(String)}
          onChange={(choices) => onChange({ ...here, enum: choices })}
          onBlur={onSettle}
        />
      ) : null}
      {kind === 'list' && depth < DEEPEST ? (
        <div className={classes.indent}>
          <SchemaPart shown label={t('editor.contract.each')} schema={here['items']} readOnly={readOnly} depth={depth + 1} onChange={(items) => onChange({ ...here, items })} onSettle={onSettle} />
        </div>
      ) : null}
      {kind === 'group' && depth < DEEPEST ? (
        <div className={depth === 0 ? undefined : classes.indent}>
          <Parts label={label} schema={here} readOnly={readOnly} depth={depth} onChange={onChange} onSettle={onSettle} />
        </div>
      ) : null}
    </div>
  );
}

/** The names of a group, each with what it is. */
function Parts({ label, schema, readOnly, depth, onChange, onSettle }: Omit<Props, 'schema' | 'shown'> & { schema: Schema; depth: number }) {
  const t = useT();
  const parts = partsOf(schema);
  const write = (next: Part[]) => onChange(withParts(schema, next));
  const change = (at: number, part: Partial<Part>) => write(parts.map((one, index) => (index === at ? { ...one, ...part } : one)));
  const names = Object.fromEntries(parts.map((one) => [one.name, true]));
  const isOpen = schema['additionalProperties'] !== false;
  return (
    <div className={classes.rows} role="group" aria-label={t('editor.contract.names', { label })}>
      {parts.map((part, at) => (
        <div key={at} className={classes.row}>
          <div className={classes.line}>
            <div className={classes.grow}>
              <PartName name={part.name} readOnly={readOnly} taken={(other) => other in names} onRename={(name) => change(at, { name })} onSettle={onSettle} />
            </div>
            {readOnly ? null : (
              <ActionIcon aria-label={t('editor.form.remove_name', { name: part.name })} onClick={() => { write(parts.filter((_one, index) => index !== at)); onSettle(); }}>
                <IconTrash size={16} aria-hidden />
              </ActionIcon>
            )}
          </div>
          <div className={classes.rows} style={{ marginTop: 8 }}>
            <SchemaPart label={t('editor.contract.kind_of', { name: part.name })} schema={part.schema} readOnly={readOnly} depth={depth + 1} onChange={(next) => change(at, { schema: next })} onSettle={onSettle} />
            <Checkbox label={t('editor.contract.required')} disabled={readOnly} checked={part.required} onChange={(event) => change(at, { required: event.currentTarget.checked })} />
          </div>
        </div>
      ))}
      {readOnly ? null : (
        <Button
          size="xs"
          className={classes.add}
          leftSection={<IconPlus size={16} aria-hidden />}
          onClick={() => { write([...parts, { name: freeName(names, t('editor.contract.new_name')), schema: { type: 'string' }, required: true }]); onSettle(); }}
        >
          {t('editor.contract.add')}
        </Button>
      )}
      {parts.length > 0 ? (
        <Checkbox
          label={t('editor.contract.closed')}
          disabled={readOnly}
          checked={!isOpen}
          onChange={(event) => {
            const { additionalProperties: _open, ...kept } = schema;
            onChange(event.currentTarget.checked ? { ...kept, additionalProperties: false } : kept);
          }}
        />
      ) : null}
    </div>
  );
}

/** A name that is empty or taken is not taken over until it is one of its own. */
function PartName({ name, readOnly, taken, onRename, onSettle }: { name: string; readOnly: boolean; taken: (name: string) => boolean; onRename: (to: string) => void; onSettle: () => void }) {
  const t = useT();
  const [typed, setTyped] = useState<string | null>(null);
  const next = (typed ?? name).trim();
  const wrong = typed !== null && next !== name && (next === '' || taken(next));
  return (
    <TextInput
      className={classes.name}
      aria-label={t('editor.form.name')}
      maxLength={100}
      disabled={readOnly}
      error={wrong ? t(next === '' ? 'editor.form.name_empty' : 'editor.form.name_taken') : undefined}
      value={typed ?? name}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        const to = event.currentTarget.value.trim();
        if (to !== '' && to !== name && !taken(to)) onRename(to);
      }}
      onBlur={() => {
        setTyped(null);
        onSettle();
      }}
    />
  );
}
