import { Button, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { newKey } from '~/api/client';
import { useCreateTeam, useDeleteTeam, useMembers, useRenameTeam, useTeams } from '~/api/settings';
import type { Team } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconEdit, IconPlus, IconTrash, IconUsersGroup } from '~/ui/icons';
import { Mono } from '~/ui/Mono';
import { ProblemText } from '~/ui/ProblemText';
import { EmptyState } from '~/ui/States';
import { ListState } from './ListState';
import { RowMenu } from './RowMenu';
import { SectionHead } from './SectionHead';
import classes from './Settings.module.css';

const slugOf = (name: string) =>
  name.toLowerCase().normalize('NFKD').replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '').slice(0, 50);

function TeamForm({ team, onClose }: { team?: Team; onClose: () => void }) {
  const t = useT();
  const create = useCreateTeam();
  const [key] = useState(newKey);
  const rename = useRenameTeam();
  const [name, setName] = useState(team?.name ?? '');
  const [slug, setSlug] = useState<string>();
  const short = slug ?? slugOf(name);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (team) rename.mutate({ id: team.id, name: name.trim() }, { onSuccess: onClose });
    else create.mutate({ name: name.trim(), slug: short, key }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={team ? t('settings.teams.rename') : t('settings.teams.new')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput data-autofocus required maxLength={100} label={t('settings.teams.name')} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        {team ? null : <TextInput required maxLength={50} label={t('settings.teams.slug')} description={t('settings.teams.slug_hint')} value={short} onChange={(event) => setSlug(event.currentTarget.value)} />}
        <ProblemText error={create.error ?? rename.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={create.isPending || rename.isPending} disabled={name.trim() === ''}>{t('app.save')}</Button>
        </div>
      </form>
    </Modal>
  );
}

type Open = { kind: 'new' } | { kind: 'rename' | 'delete'; team: Team } | undefined;

/** Groups of people that tasks and rights are given to. */
export function TeamsPage() {
  const t = useT();
  const teams = useTeams();
  const members = useMembers().data?.results ?? [];
  const remove = useDeleteTeam();
  const [open, setOpen] = useState<Open>();
  const close = () => { remove.reset(); setOpen(undefined); };
  const create = (
    <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen({ kind: 'new' })}>{t('settings.teams.new')}</Button>
  );
  const columns: Column<Team>[] = [
    { key: 'name', header: t('settings.teams.name'), cell: (team) => team.name },
    { key: 'slug', header: t('settings.teams.slug'), cell: (team) => <Mono>{team.slug}</Mono> },
    {
      key: 'people', header: t('settings.teams.members'), labelled: true,
      cell: (team) => members.filter((member) => member.is_active && member.teams.includes(team.slug)).map((member) => member.name || member.email).join(', ') || t('app.none'),
    },
    {
      key: 'menu', header: t('app.actions'), width: 48, align: 'end', quiet: true,
      cell: (team) => (
        <RowMenu
          name={team.name}
          actions={[
            { label: t('settings.teams.rename'), icon: IconEdit, act: () => setOpen({ kind: 'rename', team }) },
            { label: t('settings.teams.delete'), icon: IconTrash, act: () => setOpen({ kind: 'delete', team }) },
          ]}
        />
      ),
    },
  ];
  const own = { ...teams, data: teams.data && { results: teams.data.results.filter((team) => team.kind !== 'role') } };
  return (
    <>
      <SectionHead title={t('settings.teams')} text={t('settings.teams.text')} action={own.data?.results.length ? create : null} />
      <ListState query={own} empty={<EmptyState icon={IconUsersGroup} title={t('settings.teams.first')} action={create}>{t('settings.teams.first_text')}</EmptyState>}>
        {(rows) => <DataTable label={t('settings.teams')} columns={columns} rows={rows} rowKey={(team) => team.id} />}
      </ListState>
      {open?.kind === 'new' ? <TeamForm onClose={close} /> : null}
      {open?.kind === 'rename' ? <TeamForm team={open.team} onClose={close} /> : null}
      {open?.kind === 'delete' ? (
        <ConfirmDialog opened danger title={t('settings.teams.delete.title', { name: open.team.name })} confirm={t('settings.teams.delete')} busy={remove.isPending} error={remove.error} onClose={close} onConfirm={() => remove.mutate(open.team.id, { onSuccess: close })}>
          {t('settings.teams.delete.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
