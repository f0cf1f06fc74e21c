import { ActionIcon, Button, Checkbox, Input, Select, TagsInput, TextInput } from '@mantine/core';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import classes from '../Form.module.css';
import { getAt, isRecord } from '../schema';
import type { Schema } from '../schema';
import type { FieldProps } from '../SchemaField';
import { freeName } from '../values';
import { useFieldFrame } from './basics';

const TYPES: Record<string, MessageId> = {
  text: 'editor.kind.text', long: 'editor.kind.long', number: 'editor.kind.number', boolean: 'editor.kind.boolean', choice: 'editor.kind.choice', date: 'editor.kind.date', texts: 'editor.kind.texts',
};
const SHAPES: Record<string, Schema> = {
  text: { type: 'string' },
  long: { type: 'string', 'x-widget': 'text' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  choice: { type: 'string', enum: [] },
  date: { type: 'string', format: 'date' },
  texts: { type: 'array', items: { type: 'string' } },
};

function typeOf(schema: Schema): string {
  if (Array.isArray(schema['enum'])) return 'choice';
  if (schema['format'] === 'date') return 'date';
  if (schema['type'] === 'array') return 'texts';
  if (schema['type'] === 'boolean') return 'boolean';
  if (schema['type'] === 'number' || schema['type'] === 'integer') return 'number';
  return schema['x-widget'] === 'text' ? 'long' : 'text';
}

const slug = (text: string): string => text.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '_').replace(/^[^a-z]+|_+$/g, '') || 'field';
const titleOf = (one: Schema, name: string): string => (typeof one['title'] === 'string' ? one['title'] : name);
const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});

/** The questions that a run started by hand asks; kept as JSON Schema. */
export function FormBuilder({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled, ...words } = frame;
  const schema = record(value);
  const questions = Object.entries(record(schema['properties'])).map(([name, one]) => [name, record(one)] as const);
  const needed = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  const now = () => record(getAt(form.current(), path));
  const properties = () => record(now()['properties']);
  const write = (next: Record<string, unknown>, names: string[] = needed) =>
    form.set(path, { ...now(), type: 'object', properties: next, required: names.filter((name) => name in next) });
  const change = (name: string, part: Schema) => write({ ...properties(), [name]: { ...record(properties()[name]), ...part } });
  const add = () => {
    const title = t('editor.question.new');
    write({ ...properties(), [freeName(properties(), slug(title))]: { type: 'string', title } });
    form.settle();
  };
  return (
    <Input.Wrapper {...words} labelElement="div">
      <div className={classes.rows}>
        {questions.map(([name, one]) => (
          <div key={name} className={classes.row} role="group" aria-label={titleOf(one, name)}>
            <div className={classes.rowHead}>
              <code>{`trigger.body.${name}`}</code>
              {disabled ? null : (
                <ActionIcon size="xs" aria-label={t('editor.form.remove_name', { name })} onClick={() => { const { [name]: _gone, ...kept } = properties(); write(kept); }}>
                  <IconTrash size={16} aria-hidden />
                </ActionIcon>
              )}
            </div>
            <div className={classes.rows}>
              <TextInput label={t('editor.question.title')} disabled={disabled} value={titleOf(one, name)} onChange={(event) => change(name, { title: event.currentTarget.value })} onBlur={form.settle} />
              <Select
                label={t('editor.question.type')}
                disabled={disabled}
                allowDeselect={false}
                data={Object.entries(TYPES).map(([type, label]) => ({ value: type, label: t(label) }))}
                value={typeOf(one)}
                onChange={(type) => write({ ...properties(), [name]: { title: one['title'], ...SHAPES[type ?? 'text'] } })}
              />
              {typeOf(one) === 'choice' ? (
                <TagsInput label={t('editor.question.choices')} placeholder={t('editor.form.tags')} disabled={disabled} acceptValueOnBlur value={(one['enum'] as string[]).map(String)} onChange={(choices) => change(name, { enum: choices })} />
              ) : null}
              <Checkbox label={t('editor.question.required')} disabled={disabled} checked={needed.includes(name)} onChange={(event) => write(properties(), event.currentTarget.checked ? [...needed, name] : needed.filter((other) => other !== name))} />
            </div>
          </div>
        ))}
      </div>
      {disabled ? null : (
        <Button size="xs" className={classes.add} leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>{t('editor.question.add')}</Button>
      )}
    </Input.Wrapper>
  );
}
