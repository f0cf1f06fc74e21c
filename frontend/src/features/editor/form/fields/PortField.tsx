import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import { readPorts } from '~/features/canvas/catalogue';
import type { FieldProps } from '../SchemaField';
import { setAt } from '../schema';
import { useFieldFrame } from './basics';

/**
 * The name of a way out. Links follow its name, so it may never be empty or equal to another for a
 * moment: what is typed counts only once it is a name of its own.
 */
export function PortField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const given = typeof value === 'string' ? value : '';
  const [typed, setTyped] = useState<string | null>(null);
  const others = readPorts(setAt(form.current(), path, '') as Record<string, unknown>, form.portPaths.join(','));
  const shown = typed ?? given;
  const taken = shown.trim() !== '' && others.includes(shown.trim());
  const problem = taken ? t('editor.form.port_taken') : shown.trim() === '' && given !== '' ? t('editor.form.port_empty') : undefined;
  const change = (next: string) => {
    setTyped(next);
    const name = next.trim();
    if (name !== '' && !others.includes(name)) form.set(path, name);
  };
  return (
    <TextInput
      {...frame}
      error={problem ?? frame.error}
      value={shown}
      onChange={(event) => change(event.currentTarget.value)}
      onBlur={() => {
        setTyped(null);
        form.settle();
      }}
    />
  );
}
