import { Button } from '@mantine/core';
import { useState } from 'react';
import { useDeleteSecret, useSecrets } from '~/api/settings';
import { nameOf } from '~/api/types';
import type { Secret } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconLock, IconPlus, IconRefresh, IconTrash } from '~/ui/icons';
import { Mono } from '~/ui/Mono';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState } from '~/ui/States';
import { ListState } from './ListState';
import { RowMenu } from './RowMenu';
import { SecretForm } from './SecretForm';
import { SectionHead, Tags } from './SectionHead';
import classes from './Settings.module.css';

type Open = { kind: 'new' } | { kind: 'replace' | 'delete'; secret: Secret } | undefined;

/** Names, hosts and ages of secrets; never a value. */
export function SecretsPage() {
  const t = useT();
  const secrets = useSecrets();
  const remove = useDeleteSecret();
  const [open, setOpen] = useState<Open>();
  const close = () => { remove.reset(); setOpen(undefined); };
  const create = (
    <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen({ kind: 'new' })}>{t('settings.secrets.new')}</Button>
  );
  const columns: Column<Secret>[] = [
    {
      key: 'name', header: t('settings.secrets.name'),
      cell: (secret) => (
        <span className={classes.person}>
          <Mono>{secret.name}</Mono>
          {secret.has_previous ? <small>{t('settings.secrets.two')}</small> : null}
        </span>
      ),
    },
    { key: 'hosts', header: t('settings.secrets.hosts'), labelled: true, cell: (secret) => <Tags items={secret.hosts} none={t('settings.secrets.no_hosts')} /> },
    {
      key: 'changed', header: t('settings.secrets.changed'), width: 220,
      cell: (secret) => <span><RelativeTime at={secret.updated_at} /> {nameOf(secret.updated_by) ? t('settings.secrets.changed_by', { name: nameOf(secret.updated_by) }) : null}</span>,
    },
    {
      key: 'menu', header: t('app.actions'), width: 48, align: 'end', quiet: true,
      cell: (secret) => (
        <RowMenu
          name={secret.name}
          actions={[
            { label: t('settings.secrets.replace'), icon: IconRefresh, act: () => setOpen({ kind: 'replace', secret }) },
            { label: t('settings.secrets.delete'), icon: IconTrash, act: () => setOpen({ kind: 'delete', secret }) },
          ]}
        />
      ),
    },
  ];
  return (
    <>
      <SectionHead title={t('settings.secrets')} text={t('settings.secrets.text')} action={secrets.data?.results.length ? create : null} />
      <ListState query={secrets} empty={<EmptyState icon={IconLock} title={t('settings.secrets.first')} action={create}>{t('settings.secrets.first_text')}</EmptyState>}>
        {(rows) => <DataTable label={t('settings.secrets')} columns={columns} rows={rows} rowKey={(secret) => secret.name} />}
      </ListState>
      {open?.kind === 'new' ? <SecretForm onClose={close} /> : null}
      {open?.kind === 'replace' ? <SecretForm secret={open.secret} onClose={close} /> : null}
      {open?.kind === 'delete' ? (
        <ConfirmDialog opened danger title={t('settings.secrets.delete.title', { name: open.secret.name })} confirm={t('settings.secrets.delete')} busy={remove.isPending} error={remove.error} onClose={close} onConfirm={() => remove.mutate(open.secret.name, { onSuccess: close })}>
          {t('settings.secrets.delete.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
