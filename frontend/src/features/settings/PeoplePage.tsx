import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMe, useRight } from '~/api/me';
import { useChangeMember, useMembers, useTeams } from '~/api/settings';
import type { Member } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { SearchBox } from '~/ui/Filter';
import { IconArrowForwardUp, IconBan, IconEdit, IconFileImport, IconLogout, IconPlus, IconSitemap, IconUserCheck } from '~/ui/icons';
import { notifyProblem } from '~/ui/notify';
import { Toolbar } from '~/ui/Page';
import { problemSentence } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState } from '~/ui/States';
import { ImportPeople } from './ImportPeople';
import { InvitePerson } from './InvitePerson';
import { Invitations } from './Invitations';
import { LeaverDialog } from './LeaverDialog';
import { ListState } from './ListState';
import { MemberForm } from './MemberForm';
import { PlaceForm } from './PlaceForm';
import { ReassignDialog } from './ReassignDialog';
import { roleName } from './roles';
import { RowMenu } from './RowMenu';
import { SectionHead, Tags } from './SectionHead';
import classes from './Settings.module.css';

type Open = { kind: 'invite' } | { kind: 'import' } | { kind: 'edit' | 'deactivate' | 'place' | 'leaver' | 'reassign'; member: Member } | undefined;

/** People of the workspace: roles, teams, invitations, deactivation. */
export function PeoplePage() {
  const t = useT();
  const me = useMe();
  const mayInvite = useRight('people.manage');
  const members = useMembers();
  const teamNames = new Map((useTeams().data?.results ?? []).map((team) => [team.slug, team.name]));
  const change = useChangeMember();
  const [open, setOpen] = useState<Open>();
  const [search, setSearch] = useState<string>();
  const close = () => { change.reset(); setOpen(undefined); };
  const matches = (member: Member) => !search || `${member.name} ${member.email}`.toLowerCase().includes(search.toLowerCase());
  const activate = (member: Member) =>
    change.mutate({ id: member.id, is_active: true }, { onError: (error) => notifyProblem(problemSentence(error, t)) });

  const columns: Column<Member>[] = [
    {
      key: 'name', header: t('settings.people.column.name'),
      cell: (member) => (
        <span className={classes.person}>
          <span>{member.name || member.email} {member.user_id === me.id ? <small>{t('settings.people.you')}</small> : null}</span>
          <small>{member.email}</small>
        </span>
      ),
    },
    {
      key: 'roles', header: t('settings.people.column.roles'),
      cell: (member) => (member.is_active ? <Tags items={member.roles.map((role) => roleName(role, t))} none={t('settings.roles.none')} /> : t('settings.people.inactive')),
    },
    {
      key: 'department', header: t('settings.people.column.department'), show: 'medium',
      cell: (member) => <span className={classes.person}><span>{member.department || t('app.none')}</span>{member.manager ? <small>{member.manager}</small> : null}</span>,
    },
    { key: 'teams', header: t('settings.people.column.teams'), show: 'medium', cell: (member) => <Tags items={member.teams.map((slug) => teamNames.get(slug) ?? slug)} none={t('app.none')} /> },
    {
      key: 'last', header: t('settings.people.column.last'), width: 140, show: 'medium',
      cell: (member) => (member.last_sign_in_at ? <RelativeTime at={member.last_sign_in_at} /> : t('settings.people.never')),
    },
    {
      key: 'menu', header: t('app.actions'), width: 48, align: 'end', quiet: true,
      cell: (member) => (
        <RowMenu
          name={member.name || member.email}
          actions={
            member.is_active
              ? [
                  { label: t('settings.people.edit'), icon: IconEdit, act: () => setOpen({ kind: 'edit', member }) },
                  { label: t('settings.place'), icon: IconSitemap, act: () => setOpen({ kind: 'place', member }) },
                  { label: t('settings.reassign'), icon: IconArrowForwardUp, act: () => setOpen({ kind: 'reassign', member }) },
                  { label: t('settings.leaver'), icon: IconLogout, act: () => setOpen({ kind: 'leaver', member }) },
                  { label: t('settings.people.deactivate'), icon: IconBan, act: () => setOpen({ kind: 'deactivate', member }) },
                ]
              : [{ label: t('settings.people.activate'), icon: IconUserCheck, act: () => activate(member) }]
          }
        />
      ),
    },
  ];
  return (
    <>
      <SectionHead
        title={t('settings.people')}
        text={t('settings.people.text')}
        action={mayInvite ? (
          <div className={classes.buttons}>
            <Button leftSection={<IconFileImport size={16} aria-hidden />} onClick={() => setOpen({ kind: 'import' })}>{t('settings.import')}</Button>
            <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen({ kind: 'invite' })}>{t('settings.people.invite')}</Button>
          </div>
        ) : null}
      />
      <Toolbar><SearchBox label={t('settings.people.search')} value={search} onChange={setSearch} /></Toolbar>
      <ListState query={members} empty={<EmptyState title={t('settings.people.none')} />}>
        {(rows) =>
          rows.some(matches)
            ? <DataTable label={t('settings.people')} columns={columns} rows={rows.filter(matches)} rowKey={(member) => member.id} />
            : <EmptyState title={t('settings.people.none')} />
        }
      </ListState>
      {mayInvite ? <Invitations /> : null}
      {open?.kind === 'invite' ? <InvitePerson onClose={close} /> : null}
      {open?.kind === 'edit' ? <MemberForm member={open.member} onClose={close} /> : null}
      {open?.kind === 'import' ? <ImportPeople onClose={close} /> : null}
      {open?.kind === 'place' ? <PlaceForm member={open.member} onClose={close} /> : null}
      {open?.kind === 'leaver' ? <LeaverDialog member={open.member} onClose={close} /> : null}
      {open?.kind === 'reassign' ? <ReassignDialog member={open.member} onClose={close} /> : null}
      {open?.kind === 'deactivate' ? (
        <ConfirmDialog
          opened
          danger
          reason="required"
          title={t('settings.people.deactivate.title', { name: open.member.name || open.member.email })}
          confirm={t('settings.people.deactivate')}
          busy={change.isPending}
          error={change.error}
          onClose={close}
          onConfirm={(reason) => change.mutate({ id: open.member.id, is_active: false, reason }, { onSuccess: close })}
        >
          {t('settings.people.deactivate.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
