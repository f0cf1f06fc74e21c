import { TagsInput } from '@mantine/core';
import { useT } from '~/app/messages';
import { resolve } from '../schema';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

export const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map((one) => String(one)) : []);

const asNumber = (text: string): number | string => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : text);

/** A list of texts or whole numbers, each ended with Enter. */
export function TextsField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const isOfNumbers = resolve(field.schema['items'], form.root)['type'] === 'integer';
  return (
    <TagsInput
      {...frame}
      placeholder={t('editor.form.tags')}
      value={textsOf(value)}
      splitChars={[]}
      acceptValueOnBlur
      onChange={(next) => form.set(path, isOfNumbers ? next.map(asNumber) : next)}
      onBlur={form.settle}
    />
  );
}
