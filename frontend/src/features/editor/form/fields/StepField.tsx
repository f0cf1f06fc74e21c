import { MultiSelect, Select } from '@mantine/core';
import type { FlowDocument } from '~/api/types';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import type { Lookup } from '~/features/canvas/catalogue';
import { readingOrder } from '~/features/canvas/catalogue';
import { containersOf } from '~/features/canvas/nesting';
import { useEditor } from '../../store';
import { useForm } from '../FormContext';
import type { FieldProps } from '../SchemaField';
import { textsOf } from './TextsField';
import { useFieldFrame } from './basics';

/** Only a step that works through a list takes further items. */
const TAKES_ITEMS = 'for_each';

/** What is offered: in reading order, each with where it stands; what is named but gone stays to be seen. */
function optionsOf(document: FlowDocument, types: Lookup, ids: string[], chosen: string[]): { value: string; label: string }[] {
  const title = (id: string) => document.steps[id]?.title || types.step(document.steps[id]?.type ?? '')?.title || id;
  const label = (id: string) => [...containersOf(document, id).reverse(), id].map(title).join(' › ');
  return [...new Set([...readingOrder(document).filter((id) => ids.includes(id)), ...chosen])].map((id) => ({ value: id, label: label(id) }));
}

/** Another step of the flow, chosen by its title. */
export function StepField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const types = useLookup();
  const document = useEditor((editor) => editor.document);
  const { form, frame } = useFieldFrame({ field, path, required });
  const chosen = typeof value === 'string' && value !== '' ? value : null;
  const ids = Object.keys(document.steps).filter((id) => document.steps[id]?.type === TAKES_ITEMS);
  return (
    <Select
      {...frame}
      description={ids.length === 0 ? t('editor.form.no_for_each') : frame.description}
      placeholder={t('editor.form.step')}
      searchable
      allowDeselect={false}
      data={optionsOf(document, types, ids, chosen === null ? [] : [chosen])}
      value={chosen}
      onChange={(next) => form.set(path, next ?? '')}
    />
  );
}

/** Several other steps of the flow. */
export function StepsField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const types = useLookup();
  const document = useEditor((editor) => editor.document);
  const { owner } = useForm();
  const { form, frame } = useFieldFrame({ field, path, required });
  const chosen = textsOf(value);
  const ids = Object.keys(document.steps).filter((id) => id !== owner);
  return (
    <MultiSelect
      {...frame}
      placeholder={chosen.length === 0 ? t('editor.form.steps') : undefined}
      searchable
      data={optionsOf(document, types, ids, chosen)}
      value={chosen}
      onChange={(next) => form.set(path, next)}
      onBlur={form.settle}
    />
  );
}
