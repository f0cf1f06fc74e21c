import { Button, Modal, MultiSelect } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useChangeMember, useTeams } from '~/api/settings';
import type { Member } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { RoleChoice } from './roles';
import classes from './Settings.module.css';

export function MemberForm({ member, onClose }: { member: Member; onClose: () => void }) {
  const t = useT();
  const change = useChangeMember();
  const teams = (useTeams().data?.results ?? []).filter((team) => team.kind !== 'role');
  const [roles, setRoles] = useState(member.roles);
  const [inTeams, setInTeams] = useState(member.teams);
  const name = member.name || member.email;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate({ id: member.id, roles, teams: inTeams }, { onSuccess: () => { notifyDone(t('settings.people.saved', { name })); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={t('settings.people.edit.title', { name })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form}>
        <RoleChoice value={roles} onChange={setRoles} />
        <MultiSelect label={t('settings.teams')} data={teams.map((team) => ({ value: team.slug, label: team.name }))} value={inTeams} onChange={setInTeams} searchable />
        <ProblemText error={change.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={change.isPending}>{t('app.save')}</Button>
        </div>
      </form>
    </Modal>
  );
}
