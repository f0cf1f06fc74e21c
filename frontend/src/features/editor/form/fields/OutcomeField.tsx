import { Select } from '@mantine/core';
import { useT } from '~/app/messages';
import type { Translate } from '~/app/messages';
import type { Config } from '../../document/document';
import { useEditor } from '../../store';
import { useForm } from '../FormContext';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

/** The step's answers that are against it, as their buttons say them; what is named but gone stays to be seen. */
export function answersAgainst(config: Config | undefined, chosen: string, t: Translate): { value: string; label: string }[] {
  const given = Array.isArray(config?.['outcomes']) ? (config['outcomes'] as Record<string, unknown>[]) : [];
  const named = given
    .filter((one) => typeof one?.['port'] === 'string' && one['port'] !== '' && one['side'] === 'against')
    .map((one) => ({ value: String(one['port']), label: String(one['label'] || one['port']) }));
  const found = given.length > 0 ? named : [{ value: 'rejected', label: t('inbox.decided.rejected') }];
  const known = new Map(found.map((one) => [one.value, one.label]));
  if (chosen && !known.has(chosen)) known.set(chosen, chosen);
  return [...known].map(([value, label]) => ({ value, label }));
}

/** The answer by which a question is ended that nobody has answered. */
export function OutcomeField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { owner } = useForm();
  const config = useEditor((editor) => editor.document.steps[owner]?.config);
  const { form, frame } = useFieldFrame({ field, path, required });
  const chosen = typeof value === 'string' ? value : '';
  return (
    <Select
      {...frame}
      allowDeselect={false}
      data={answersAgainst(config, chosen, t)}
      value={chosen || null}
      onChange={(next) => form.set(path, next ?? '')}
    />
  );
}
