import { Button, PasswordInput, Select, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useRight } from '~/api/me';
import { useSaveSecret, useSecrets } from '~/api/settings';
import { useT } from '~/app/messages';
import { ProblemText } from '~/ui/ProblemText';
import classes from '../Form.module.css';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

const NEW = '\u0000new';

interface ChoiceProps {
  label: string;
  hideLabel?: boolean;
  error?: string;
  required?: boolean;
  disabled: boolean;
  value: string;
  /** Suggested as the only place the secret may go to. */
  host?: string;
  onChange: (name: string) => void;
}

/** A secret by its name; a new one can be made without leaving the form. */
export function SecretChoice({ label, hideLabel, error, required, disabled, value, host, onChange }: ChoiceProps) {
  const t = useT();
  const secrets = useSecrets();
  const mayAdd = useRight('secrets.manage');
  const [making, setMaking] = useState(false);
  const names = (secrets.data?.results ?? []).map((one) => one.name);
  const known = value !== '' && !names.includes(value) ? [value, ...names] : names;
  const data = [...known.map((name) => ({ value: name, label: name })), ...(mayAdd && !disabled ? [{ value: NEW, label: t('editor.secret.new') }] : [])];
  return (
    <div>
      <Select
        label={hideLabel ? undefined : label}
        aria-label={hideLabel ? label : undefined}
        error={error}
        withAsterisk={required}
        disabled={disabled}
        searchable
        placeholder={t('editor.secret.choose')}
        data={data}
        value={value || null}
        onChange={(next) => (next === NEW ? setMaking(true) : onChange(next ?? ''))}
      />
      {making ? <NewSecret host={host} onDone={(name) => { setMaking(false); if (name) onChange(name); }} /> : null}
    </div>
  );
}

function NewSecret({ host, onDone }: { host?: string; onDone: (name: string | null) => void }) {
  const t = useT();
  const save = useSaveSecret();
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [hosts, setHosts] = useState<string[]>(host ? [host] : []);
  const ready = name.trim() !== '' && value !== '';
  const submit = () => save.mutate({ name: name.trim(), value, hosts }, { onSuccess: () => onDone(name.trim()) });
  return (
    <div className={classes.box} data-own-undo role="group" aria-label={t('editor.secret.new')}>
      <TextInput autoFocus label={t('editor.secret.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <PasswordInput label={t('editor.secret.value')} description={t('editor.secret.value_help')} autoComplete="off" value={value} onChange={(event) => setValue(event.currentTarget.value)} />
      <TagsInput label={t('editor.secret.hosts')} description={t('editor.secret.hosts_help')} placeholder={t('editor.form.tags')} acceptValueOnBlur value={hosts} onChange={setHosts} />
      <ProblemText error={save.error} />
      <div className={classes.line}>
        <Button size="xs" variant="filled" disabled={!ready} loading={save.isPending} onClick={submit}>{t('editor.secret.save')}</Button>
        <Button size="xs" onClick={() => onDone(null)}>{t('app.cancel')}</Button>
      </div>
    </div>
  );
}

export function SecretField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  return <SecretChoice label={frame.label} error={frame.error} required={required} disabled={frame.disabled} value={typeof value === 'string' ? value : ''} onChange={(name) => form.set(path, name)} />;
}
