import { Button, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { newKey } from '~/api/client';
import { useInvite } from '~/api/settings';
import type { Role } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { RoleChoice } from './roles';
import classes from './Settings.module.css';

export function InvitePerson({ onClose }: { onClose: () => void }) {
  const t = useT();
  const invite = useInvite();
  const [key] = useState(newKey);
  const [email, setEmail] = useState('');
  const [roles, setRoles] = useState<Role[]>(['viewer']);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate({ email: email.trim(), roles, key }, { onSuccess: () => { notifyDone(t('settings.invitations.sent', { name: email.trim() })); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={t('settings.people.invite')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput data-autofocus required type="email" autoComplete="off" label={t('settings.invite.address')} value={email} onChange={(event) => setEmail(event.currentTarget.value)} />
        <RoleChoice value={roles} onChange={setRoles} />
        <ProblemText error={invite.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={invite.isPending} disabled={roles.length === 0 || email.trim() === ''}>{t('settings.invite.send')}</Button>
        </div>
      </form>
    </Modal>
  );
}
