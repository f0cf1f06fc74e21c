import { Select } from '@mantine/core';
import { useColleagues } from '~/api/people';

interface Props {
  label: string;
  description?: string;
  /** A mail address; empty where nobody is chosen. */
  value: string;
  onChange: (email: string) => void;
  /** Addresses that are not offered. */
  but?: string[];
  required?: boolean;
  id?: string;
  error?: string | undefined;
}

/** One of the people who can be asked to decide, found by name or address. */
export function ChoosePerson({ label, description, value, onChange, but = [], required = true, id, error }: Props) {
  const people = useColleagues().data?.results ?? [];
  return (
    <Select
      id={id}
      error={error}
      searchable
      clearable={!required}
      required={required}
      label={label}
      description={description}
      data={people.filter((one) => !but.includes(one.email)).map((one) => ({ value: one.email, label: one.name === one.email ? one.email : `${one.name} (${one.email})` }))}
      value={value || null}
      onChange={(next) => onChange(next ?? '')}
    />
  );
}
