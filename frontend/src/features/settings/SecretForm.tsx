import { Button, Modal, PasswordInput, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useSaveSecret } from '~/api/settings';
import type { Secret } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Settings.module.css';

interface Props {
  secret?: Secret;
  /** Hosts the caller already knows, e.g. of the step whose form asks. */
  hosts?: string[];
  onClose: () => void;
  onSaved?: (name: string) => void;
}

/** A new secret, or a new value for one. The value leaves this form once and is not kept in the page. */
export function SecretForm({ secret, hosts: known = [], onClose, onSaved }: Props) {
  const t = useT();
  const save = useSaveSecret();
  const [name, setName] = useState(secret?.name ?? '');
  const [value, setValue] = useState('');
  const [hosts, setHosts] = useState(secret?.hosts ?? known);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    event.stopPropagation();
    save.mutate({ name: name.trim(), value, hosts }, { onSuccess: () => { notifyDone(t('settings.secrets.saved', { name: name.trim() })); onSaved?.(name.trim()); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={secret ? t('settings.secrets.replace.title', { name: secret.name }) : t('settings.secrets.new')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form} autoComplete="off">
        {secret ? <p className={classes.text}>{t('settings.secrets.replace.text')}</p> : (
          <TextInput data-autofocus required maxLength={100} label={t('settings.secrets.name')} description={t('settings.secrets.name_hint')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        )}
        <PasswordInput required autoComplete="new-password" label={t('settings.secrets.value')} description={t('settings.secrets.value_hint')} value={value} onChange={(event) => setValue(event.currentTarget.value)} />
        <TagsInput label={t('settings.secrets.hosts')} description={t('settings.secrets.hosts_hint')} value={hosts} onChange={setHosts} acceptValueOnBlur />
        <ProblemText error={save.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={save.isPending} disabled={name.trim() === '' || value === ''}>{t('app.save')}</Button>
        </div>
      </form>
    </Modal>
  );
}
