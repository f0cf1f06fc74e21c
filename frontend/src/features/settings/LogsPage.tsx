import { Button } from '@mantine/core';
import { useState } from 'react';
import { useChangeDestination, useDestinations, useRemoveDestination, useTestDestination } from '~/api/audit';
import { useRight } from '~/api/me';
import type { TrailDestination } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconAlertTriangle, IconCircleCheck, IconHourglass, IconPencil, IconPlayerPause, IconPlayerPlay, IconPlus, IconSend, IconServerCog, IconTrash } from '~/ui/icons';
import { Mono } from '~/ui/Mono';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { problemSentence } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import { ListState } from './ListState';
import { LogForm } from './LogForm';
import { RowMenu } from './RowMenu';
import { SectionHead } from './SectionHead';
import classes from './Settings.module.css';

/** Logs elsewhere that the audit trail is sent to, and how each stands. */
export function LogsPage() {
  const t = useT();
  const logs = useDestinations();
  const mayChange = useRight('settings.manage');
  const [form, setForm] = useState<TrailDestination | 'new'>();
  const create = mayChange ? <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setForm('new')}>{t('settings.logs.new')}</Button> : null;
  return (
    <>
      <SectionHead title={t('settings.logs')} text={t('settings.logs.text')} action={logs.data?.results.length ? create : null} />
      <ListState query={logs} empty={<EmptyState icon={IconServerCog} title={t('settings.logs.first')} action={create}>{t('settings.logs.first_text')}</EmptyState>}>
        {(rows) => <Logs rows={rows} mayChange={mayChange} onEdit={setForm} />}
      </ListState>
      {form ? <LogForm log={form === 'new' ? undefined : form} onClose={() => setForm(undefined)} /> : null}
    </>
  );
}

function Logs({ rows, mayChange, onEdit }: { rows: TrailDestination[]; mayChange: boolean; onEdit: (row: TrailDestination) => void }) {
  const t = useT();
  const change = useChangeDestination();
  const remove = useRemoveDestination();
  const test = useTestDestination();
  const [removing, setRemoving] = useState<TrailDestination>();
  const close = () => { remove.reset(); setRemoving(undefined); };
  const fails = (error: unknown) => notifyProblem(problemSentence(error, t));
  const tryOut = (row: TrailDestination) =>
    test.mutate(row.id, {
      onSuccess: ({ taken, fault }) => (taken ? notifyDone(t('settings.logs.test_taken', { name: row.name })) : notifyProblem(fault)),
      onError: fails,
    });
  const actions = (row: TrailDestination) => [
    { label: t('settings.logs.test'), icon: IconSend, act: () => tryOut(row) },
    { label: t('settings.logs.edit'), icon: IconPencil, act: () => onEdit(row) },
    row.is_paused
      ? { label: t('settings.logs.resume'), icon: IconPlayerPlay, act: () => change.mutate({ id: row.id, is_paused: false }, { onError: fails }) }
      : { label: t('settings.logs.pause'), icon: IconPlayerPause, act: () => change.mutate({ id: row.id, is_paused: true }, { onError: fails }) },
    { label: t('settings.logs.remove'), icon: IconTrash, act: () => setRemoving(row) },
  ];
  const columns: Column<TrailDestination>[] = [
    {
      key: 'name', header: t('settings.logs.name'), min: 180,
      cell: (row) => <span className={classes.person}>{row.name}<small>{t(`settings.logs.kind.${row.kind}`)}</small></span>,
    },
    { key: 'address', header: t('settings.logs.address'), min: 180, show: 'medium', cell: (row) => <Mono>{row.address}</Mono> },
    { key: 'state', header: t('settings.logs.state'), min: 220, cell: (row) => <State row={row} /> },
    {
      key: 'last', header: t('settings.logs.last'), width: 150,
      cell: (row) => row.last_sent_at ? <span className={classes.person}><RelativeTime at={row.last_sent_at} /><small>{t('settings.logs.sent', { count: row.sent })}</small></span> : t('settings.logs.never'),
    },
    ...(mayChange ? [{ key: 'act', header: t('app.actions'), width: 48, align: 'end' as const, quiet: true, cell: (row: TrailDestination) => <RowMenu name={row.name} actions={actions(row)} /> }] : []),
  ];
  return (
    <>
      <DataTable label={t('settings.logs')} columns={columns} rows={rows} rowKey={(row) => row.id} />
      {removing ? (
        <ConfirmDialog opened danger title={t('settings.logs.remove.title', { name: removing.name })} confirm={t('settings.logs.remove')} busy={remove.isPending} error={remove.error} onClose={close} onConfirm={() => remove.mutate(removing.id, { onSuccess: close })}>
          {t('settings.logs.remove.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}

/** Up to date, behind, paused or not taken, with what the receiver said. */
function State({ row }: { row: TrailDestination }) {
  const t = useT();
  const { short } = useIntlTools();
  if (row.is_paused) return <span className={classes.state}><IconPlayerPause size={16} aria-hidden />{t('settings.logs.state.paused')}</span>;
  if (row.failing_since) {
    return (
      <span className={classes.person}>
        <span className={classes.state} data-tone="failed"><IconAlertTriangle size={16} aria-hidden />{t('settings.logs.state.failing', { time: short(row.failing_since) })}</span>
        <small>{row.last_error}</small>
        {row.behind_since ? <small>{t('settings.logs.lag', { time: short(row.behind_since) })}</small> : null}
      </span>
    );
  }
  if (row.behind > 0) return <span className={classes.state}><IconHourglass size={16} aria-hidden />{t('settings.logs.state.behind', { count: row.behind })}</span>;
  return <span className={classes.state} data-tone="done"><IconCircleCheck size={16} aria-hidden />{t('settings.logs.state.ok')}</span>;
}
