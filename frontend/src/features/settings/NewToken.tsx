import { Button, Modal, MultiSelect, NumberInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { newKey } from '~/api/client';
import { useCreateToken, useMe } from '~/api/me';
import { useT } from '~/app/messages';
import { CopyButton } from '~/ui/CopyButton';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Settings.module.css';

/** Makes a key and shows it this one time. The window closes only by its own button then. */
export function NewToken({ onClose }: { onClose: () => void }) {
  const t = useT();
  const { rights } = useMe();
  const create = useCreateToken();
  const [key] = useState(newKey);
  const [name, setName] = useState('');
  const [days, setDays] = useState<number | string>(90);
  const [scopes, setScopes] = useState<string[]>([]);
  const made = create.data?.token;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), days: Number(days), scopes: scopes.length > 0 ? scopes : null, key });
  };
  return (
    <Modal opened onClose={onClose} withCloseButton={!made} closeOnClickOutside={!made} closeOnEscape={!made} title={made ? t('settings.tokens.once.title') : t('settings.tokens.new')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      {made ? (
        <div className={classes.form}>
          <p className={classes.text}>{t('settings.tokens.once.text')}</p>
          <div className={classes.key}>
            <code>{made}</code>
            <CopyButton value={made} what={t('settings.tokens.the_key')} />
          </div>
          <div className={classes.buttons}><Button variant="filled" onClick={onClose}>{t('settings.tokens.once.done')}</Button></div>
        </div>
      ) : (
        <form onSubmit={submit} className={classes.form}>
          <TextInput data-autofocus required maxLength={100} label={t('settings.tokens.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          <NumberInput required min={1} max={3650} allowDecimal={false} label={t('settings.tokens.days')} value={days} onChange={setDays} />
          <MultiSelect label={t('settings.tokens.scopes')} description={t('settings.tokens.scopes_hint')} data={rights} value={scopes} onChange={setScopes} searchable clearable />
          <ProblemText error={create.error} />
          <div className={classes.buttons}>
            <Button onClick={onClose}>{t('app.cancel')}</Button>
            <Button type="submit" variant="filled" loading={create.isPending} disabled={name.trim() === '' || days === ''}>{t('settings.tokens.create')}</Button>
          </div>
        </form>
      )}
    </Modal>
  );
}
