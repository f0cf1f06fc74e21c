import { Button, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useChangePassword } from '~/api/me';
import { useT } from '~/app/messages';
import classes from '~/features/settings/Settings.module.css';
import { notifyDone } from '~/ui/notify';
import { Panel } from '~/ui/Page';
import { ProblemText } from '~/ui/ProblemText';

export function PasswordForm() {
  const t = useT();
  const change = useChangePassword();
  const [current, setCurrent] = useState('');
  const [next, setNext] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ current, new: next }, { onSuccess: () => { setCurrent(''); setNext(''); notifyDone(t('settings.account.password_saved')); } });
  };
  return (
    <Panel title={t('settings.account.password')} description={t('settings.account.password_hint')}>
      <form onSubmit={submit} className={classes.form}>
        <div className={classes.row}>
          <PasswordInput className={classes.grow} required autoComplete="current-password" label={t('settings.account.current')} value={current} onChange={(event) => setCurrent(event.currentTarget.value)} />
          <PasswordInput className={classes.grow} required autoComplete="new-password" label={t('settings.account.new')} value={next} onChange={(event) => setNext(event.currentTarget.value)} />
        </div>
        <ProblemText error={change.error} />
        <div className={classes.buttons}>
          <Button type="submit" loading={change.isPending} disabled={current === '' || next === ''}>{t('settings.account.change_password')}</Button>
        </div>
      </form>
    </Panel>
  );
}
