import { TagsInput } from '@mantine/core';
import { useT } from '~/app/messages';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

export const textsOf = (value: unknown): string[] => (Array.isArray(value) ? value.map((one) => String(one)) : []);

/** A list of texts, each ended with Enter. */
export function TextsField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  return (
    <TagsInput
      {...frame}
      placeholder={t('editor.form.tags')}
      value={textsOf(value)}
      splitChars={[]}
      acceptValueOnBlur
      onChange={(next) => form.set(path, next)}
      onBlur={form.settle}
    />
  );
}
