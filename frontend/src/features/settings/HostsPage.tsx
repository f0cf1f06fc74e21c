import { ActionIcon, Button, Modal, NumberInput, TextInput, Tooltip } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { newKey } from '~/api/client';
import { useAllowHost, useHosts, useRemoveHost } from '~/api/settings';
import type { AllowedHost } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconPlus, IconTrash, IconWorld } from '~/ui/icons';
import { Mono } from '~/ui/Mono';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState } from '~/ui/States';
import { ListState } from './ListState';
import { SectionHead } from './SectionHead';
import classes from './Settings.module.css';

function AllowHost({ onClose }: { onClose: () => void }) {
  const t = useT();
  const allow = useAllowHost();
  const [key] = useState(newKey);
  const [host, setHost] = useState('');
  const [port, setPort] = useState<number | string>(443);
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    allow.mutate({ host: host.trim(), port: Number(port), reason: reason.trim(), key }, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={t('settings.hosts.new')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={classes.form}>
        <div className={classes.row}>
          <TextInput data-autofocus required className={classes.grow} label={t('settings.hosts.host')} value={host} onChange={(event) => setHost(event.currentTarget.value)} />
          <NumberInput required w={110} min={1} max={65535} hideControls allowDecimal={false} thousandSeparator={false} label={t('settings.hosts.port')} value={port} onChange={setPort} />
        </div>
        <TextInput required maxLength={500} label={t('settings.hosts.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <ProblemText error={allow.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={allow.isPending} disabled={host.trim() === '' || reason.trim() === '' || port === ''}>{t('settings.hosts.new')}</Button>
        </div>
      </form>
    </Modal>
  );
}

/** Addresses inside the own network that flows may call. */
export function HostsPage() {
  const t = useT();
  const hosts = useHosts();
  const remove = useRemoveHost();
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState<AllowedHost>();
  const close = () => { remove.reset(); setRemoving(undefined); };
  const create = <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setAdding(true)}>{t('settings.hosts.new')}</Button>;
  const columns: Column<AllowedHost>[] = [
    { key: 'host', header: t('settings.hosts.host'), cell: (row) => row.port === null ? <><Mono>{row.host}</Mono> {t('settings.hosts.any_port')}</> : <Mono>{`${row.host}:${row.port}`}</Mono> },
    { key: 'reason', header: t('settings.hosts.reason'), cell: (row) => row.reason },
    { key: 'added', header: t('settings.hosts.added'), width: 140, cell: (row) => <RelativeTime at={row.created_at} /> },
    {
      key: 'act', header: t('app.actions'), width: 48, align: 'end', quiet: true,
      cell: (row) => (
        <Tooltip label={t('settings.hosts.remove', { name: row.host })}>
          <ActionIcon aria-label={t('settings.hosts.remove', { name: row.host })} onClick={() => setRemoving(row)}><IconTrash size={16} aria-hidden /></ActionIcon>
        </Tooltip>
      ),
    },
  ];
  return (
    <>
      <SectionHead title={t('settings.hosts')} text={t('settings.hosts.text')} action={hosts.data?.results.length ? create : null} />
      <ListState query={hosts} empty={<EmptyState icon={IconWorld} title={t('settings.hosts.first')} action={create}>{t('settings.hosts.first_text')}</EmptyState>}>
        {(rows) => <DataTable label={t('settings.hosts')} columns={columns} rows={rows} rowKey={(row) => row.id} />}
      </ListState>
      {adding ? <AllowHost onClose={() => setAdding(false)} /> : null}
      {removing ? (
        <ConfirmDialog opened danger title={t('settings.hosts.remove.title', { name: removing.host })} confirm={t('app.delete')} busy={remove.isPending} error={remove.error} onClose={close} onConfirm={() => remove.mutate(removing.id, { onSuccess: close })}>
          {t('settings.hosts.remove.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
