import { ActionIcon, Tooltip } from '@mantine/core';
import { useInvitations, useWithdrawInvitation } from '~/api/settings';
import type { Invitation } from '~/api/types';
import { useT } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconX } from '~/ui/icons';
import { RelativeTime } from '~/ui/RelativeTime';
import { roleName } from './roles';
import { Tags } from './SectionHead';
import classes from './Settings.module.css';

/** Invitations nobody has answered yet; nothing is shown when there is none. */
export function Invitations() {
  const t = useT();
  const open = useInvitations().data?.results ?? [];
  const withdraw = useWithdrawInvitation();
  if (open.length === 0) return null;
  const columns: Column<Invitation>[] = [
    { key: 'email', header: t('settings.invitations.column.address'), cell: (row) => row.email },
    { key: 'roles', header: t('settings.people.column.roles'), cell: (row) => <Tags items={row.roles.map((role) => roleName(role, t))} none={t('settings.roles.none')} /> },
    { key: 'until', header: t('settings.invitations.column.until'), width: 140, cell: (row) => <RelativeTime at={row.expires_at} /> },
    {
      key: 'act', header: t('app.actions'), width: 48, align: 'end', quiet: true,
      cell: (row) => (
        <Tooltip label={t('settings.invitations.withdraw', { name: row.email })}>
          <ActionIcon aria-label={t('settings.invitations.withdraw', { name: row.email })} loading={withdraw.isPending && withdraw.variables === row.id} onClick={() => withdraw.mutate(row.id)}>
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      ),
    },
  ];
  return (
    <>
      <h3 className={classes.heading}>{t('settings.invitations')}</h3>
      <DataTable label={t('settings.invitations')} columns={columns} rows={open} rowKey={(row) => row.id} />
    </>
  );
}
