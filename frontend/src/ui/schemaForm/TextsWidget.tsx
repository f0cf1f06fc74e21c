import { TagsInput } from '@mantine/core';
import type { WidgetProps } from '@rjsf/utils';
import { useT } from '~/app/messages';

/** A list of texts, each ended with Enter. */
export function TextsWidget({ id, label, value, required, disabled, readonly, rawErrors, onChange, schema }: WidgetProps) {
  const t = useT();
  const given = Array.isArray(value) ? (value as unknown[]).map(String) : [];
  return (
    <TagsInput
      id={id}
      label={label}
      description={schema.description}
      withAsterisk={required}
      disabled={disabled ?? readonly}
      error={rawErrors && rawErrors.length > 0 ? rawErrors.join(' ') : undefined}
      placeholder={t('editor.form.tags')}
      value={given}
      splitChars={[]}
      acceptValueOnBlur
      onChange={onChange}
    />
  );
}
