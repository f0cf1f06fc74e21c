import { ActionIcon, Button, Input, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import classes from '../Form.module.css';
import { MapperButton } from '../mapper/Mapper';
import { useForm } from '../FormContext';
import { getAt, isRecord, resolve } from '../schema';
import type { Path } from '../schema';
import type { FieldProps } from '../SchemaField';
import { freeName, renameKey } from '../values';
import type { ValueKind } from '../values';
import { EntryError, ValueEditor } from './ValueField';
import { useFieldFrame } from './basics';

/** Names with values. */
export function MapField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled: _disabled, ...words } = frame;
  const values = resolve(field.schema['additionalProperties'], form.root);
  // Where the schema knows only texts and secrets (headers), nothing else may be chosen.
  const kinds: ValueKind[] | undefined = Array.isArray(values['anyOf']) || values['type'] === 'string' ? ['text', 'secret'] : undefined;
  return (
    <Input.Wrapper {...words} labelElement="div">
      <MapRows path={path} value={isRecord(value) ? value : {}} secrets={field.secret} kinds={kinds} />
      <MapperButton title={field.title} path={path} value={value} secrets={field.secret} />
    </Input.Wrapper>
  );
}

interface RowsProps {
  path: Path;
  value: Record<string, unknown>;
  secrets: boolean;
  kinds?: ValueKind[];
}

export function MapRows({ path, value, secrets, kinds }: RowsProps) {
  const t = useT();
  const form = useForm();
  const now = () => { const here = getAt(form.current(), path); return isRecord(here) ? here : {}; };
  const add = () => {
    form.set(path, { ...now(), [freeName(now(), t('editor.form.new_name'))]: '' });
    form.settle();
  };
  return (
    <div>
      {Object.entries(value).map(([name, part], index) => (
        <div key={index} className={classes.pair} data-field={[...path, name].join('.')}>
          <NameInput name={name} taken={(other) => other in now()} onRename={(to) => form.set(path, renameKey(now(), name, to))} />
          {form.readOnly ? null : (
            <ActionIcon aria-label={t('editor.form.remove_name', { name })} onClick={() => { const { [name]: _gone, ...kept } = now(); form.set(path, kept); }}>
              <IconTrash size={16} aria-hidden />
            </ActionIcon>
          )}
          <div className={classes.grow}>
            <ValueEditor label={t('editor.form.value_of', { name })} path={[...path, name]} value={part} secrets={secrets} kinds={kinds} />
            <EntryError path={[...path, name]} value={part} secrets={secrets} />
          </div>
        </div>
      ))}
      {form.readOnly ? null : (
        <Button size="xs" className={classes.add} leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>{t('editor.form.add_name')}</Button>
      )}
    </div>
  );
}

/** A name that is equal to another, or empty, is not taken over until it is one of its own. */
function NameInput({ name, taken, onRename }: { name: string; taken: (name: string) => boolean; onRename: (to: string) => void }) {
  const t = useT();
  const form = useForm();
  const [typed, setTyped] = useState<string | null>(null);
  const shown = typed ?? name;
  const wrong = typed !== null && typed !== name && (typed.trim() === '' || taken(typed.trim()));
  return (
    <TextInput
      className={classes.name}
      aria-label={t('editor.form.name')}
      error={wrong ? t(typed.trim() === '' ? 'editor.form.name_empty' : 'editor.form.name_taken') : undefined}
      disabled={form.readOnly}
      value={shown}
      onFocus={(event) => event.currentTarget.select()}
      onChange={(event) => {
        const next = event.currentTarget.value;
        setTyped(next);
        if (next.trim() !== '' && !taken(next.trim())) onRename(next.trim());
      }}
      onBlur={() => {
        setTyped(null);
        form.settle();
      }}
    />
  );
}
