import { Input, NumberInput, Radio, SegmentedControl, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { ExactNumber } from '~/api/exact';
import classes from '../Form.module.css';
import { useForm, usePathError } from '../FormContext';
import { isRecord, labelOf } from '../schema';
import type { FieldProps } from '../SchemaField';

const text = (value: unknown): string => (typeof value === 'string' ? value : value instanceof ExactNumber ? value.source : '');
const exampleOf = (schema: Record<string, unknown>): string | undefined => {
  const first: unknown = Array.isArray(schema['examples']) ? schema['examples'][0] : undefined;
  return typeof first === 'string' ? first : undefined;
};

/** Label, help and what the check says: the same for every field. */
export function useFieldFrame({ field, path, required }: Pick<FieldProps, 'field' | 'path' | 'required'>) {
  const form = useForm();
  const error = usePathError(path);
  return {
    form,
    frame: { label: field.title, description: field.help || undefined, error, withAsterisk: required, disabled: form.readOnly },
    placeholder: exampleOf(field.schema),
  };
}

export function TextField({ field, path, value, required }: FieldProps) {
  const { form, frame, placeholder } = useFieldFrame({ field, path, required });
  const change = (next: string) => form.set(path, next === '' && !required ? (field.nullable ? null : '') : next);
  const props = { ...frame, placeholder, value: text(value), onBlur: form.settle, onChange: (event: { currentTarget: { value: string } }) => change(event.currentTarget.value) };
  return field.long ? <Textarea autosize minRows={3} maxRows={14} {...props} /> : <TextInput {...props} />;
}

export function NumberField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const { schema } = field;
  const bound = (word: string) => (typeof schema[word] === 'number' ? schema[word] : undefined);
  return (
    <NumberInput
      {...frame}
      value={value instanceof ExactNumber ? value.source : typeof value === 'number' ? value : ''}
      min={bound('minimum') ?? bound('exclusiveMinimum')}
      max={bound('maximum')}
      allowDecimal={schema['type'] !== 'integer'}
      clampBehavior="blur"
      onBlur={form.settle}
      onChange={(next) => form.set(path, next === '' ? undefined : typeof next === 'number' ? next : new ExactNumber(next))}
    />
  );
}

export function BooleanField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const { withAsterisk: _required, ...rest } = frame;
  return <Switch {...rest} checked={value === true} onChange={(event) => form.set(path, event.currentTarget.checked)} />;
}

const FEW = 3;
const SHORT = 30;

export function ChoiceField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const labels = isRecord(field.schema['x-labels']) ? field.schema['x-labels'] : {};
  const values = Array.isArray(field.schema['enum']) ? (field.schema['enum'] as unknown[]) : [];
  const data = values.map((one) => ({ value: String(one), label: labelOf(labels, one) }));
  const choose = (next: string | null) => form.set(path, values.find((one) => String(one) === next));
  const { disabled, ...words } = frame;
  const chosen = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  if (data.length > FEW) {
    return <Select {...frame} data={data} value={chosen} allowDeselect={false} onChange={choose} comboboxProps={{ withinPortal: true }} />;
  }
  if (data.map((one) => one.label).join('').length <= SHORT) {
    return (
      <Input.Wrapper {...words} labelElement="div">
        <SegmentedControl fullWidth aria-label={field.title} disabled={disabled} data={data} value={chosen} onChange={choose} />
      </Input.Wrapper>
    );
  }
  return (
    <Radio.Group {...words} value={chosen} onChange={choose}>
      <div className={classes.rows}>
        {data.map((one) => <Radio key={one.value} size="xs" value={one.value} label={one.label} disabled={disabled} />)}
      </div>
    </Radio.Group>
  );
}
