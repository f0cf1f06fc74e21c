import type { WidgetProps } from '@rjsf/utils';
import { ChoosePerson } from '~/ui/ChoosePerson';

/** A member, found by name or address; the answer is the address. */
export function PersonWidget({ id, label, value, required, rawErrors, onChange, schema }: WidgetProps) {
  return (
    <ChoosePerson
      id={id}
      label={label}
      {...(schema.description ? { description: schema.description } : {})}
      required={required ?? false}
      error={rawErrors && rawErrors.length > 0 ? rawErrors.join(' ') : undefined}
      value={typeof value === 'string' ? value : ''}
      onChange={(email) => onChange(email === '' ? undefined : email)}
    />
  );
}
