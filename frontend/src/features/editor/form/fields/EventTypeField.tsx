import { Autocomplete } from '@mantine/core';
import { useEventTypes } from '~/api/events';
import { useT } from '~/app/messages';
import { useEditor } from '../../store';
import { isExpression } from '../feel/text';
import { isRecord } from '../schema';
import type { FieldProps } from '../SchemaField';
import { TemplateField } from './ExpressionField';
import { useFieldFrame } from './basics';

/** Types that this flow itself tells of or waits for: a new one is known before anything is published. */
function typesIn(steps: Record<string, { config: Record<string, unknown> }>): string[] {
  const found: string[] = [];
  const look = (value: unknown) => {
    if (isRecord(value) && typeof value['type'] === 'string' && value['type'] !== '' && !isExpression(value['type'])) found.push(value['type']);
  };
  for (const { config } of Object.values(steps)) {
    look(config);
    for (const way of Array.isArray(config['ways']) ? (config['ways'] as unknown[]) : []) if (isRecord(way)) look(way['event']);
  }
  return found;
}

/** The type of an event: one that is known, or a new one. An expression stays an expression. */
export function EventTypeField(props: FieldProps) {
  const { field, path, value, required } = props;
  const t = useT();
  const { form, frame, placeholder } = useFieldFrame({ field, path, required });
  const known = useEventTypes(!form.readOnly);
  // One text: a selector may not make a new list each time.
  const here = useEditor(({ document }) => JSON.stringify(typesIn(document.steps)));
  if (typeof value === 'string' && isExpression(value)) return <TemplateField {...props} />;
  const types = [...new Set([...known, ...(JSON.parse(here) as string[])])].filter((one) => one !== value).sort();
  return (
    <Autocomplete
      {...frame}
      description={frame.description ?? t('editor.event_type.help')}
      placeholder={placeholder}
      maxLength={200}
      data={types}
      limit={50}
      value={typeof value === 'string' ? value : ''}
      onChange={(next) => form.set(path, next)}
      onBlur={form.settle}
    />
  );
}
