import { Link } from '@tanstack/react-router';
import { Button } from '@mantine/core';
import { useState } from 'react';
import { useAccessChanges } from '~/api/evidence';
import type { AccessChange } from '~/api/evidence';
import { useT } from '~/app/messages';
import { verbWords } from '~/features/audit/verbs';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { More } from '~/ui/More';
import { RelativeTime } from '~/ui/RelativeTime';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import classes from './FlowAccess.module.css';

/** Long before anything was written down. */
const BEGINNING = '2000-01-01';

/** Whose rights on this flow changed: this quarter, or ever. */
export function AccessChanges({ flowId }: { flowId: string }) {
  const t = useT();
  const [all, setAll] = useState(false);
  const list = useAccessChanges(flowId, all ? BEGINNING : undefined, true);
  const columns: Column<AccessChange>[] = [
    {
      key: 'what', header: t('flows.access.changes.what'), min: 160,
      cell: (row) => <Link to="/audit/" search={{ event: row.id }}>{verbWords(row.verb, t)}</Link>,
    },
    { key: 'who', header: t('flows.access.subject'), min: 160, cell: ({ subject }) => subject },
    { key: 'change', header: t('flows.access.changes.change'), min: 200, cell: (row) => changeOf(row, t('flows.access.changes.none')) },
    { key: 'by', header: t('flows.access.changes.by'), min: 140, show: 'medium', cell: ({ by }) => by },
    { key: 'when', header: t('flows.access.changes.when'), width: 140, cell: ({ at }) => <RelativeTime at={at} /> },
  ];
  return (
    <section className={classes.body} aria-label={t('flows.access.changes')}>
      <div>
        <h2 className={classes.title}>{t('flows.access.changes')}</h2>
        <p className={classes.text}>{t(all ? 'flows.access.changes.ever' : 'flows.access.changes.quarter')}</p>
      </div>
      {list.items ? (
        list.items.length > 0 ? (
          <DataTable label={t('flows.access.changes')} columns={columns} rows={list.items} rowKey={(row) => row.id} footer={<More of={list} />} />
        ) : (
          <EmptyState title={t('flows.access.changes.empty')} />
        )
      ) : list.error ? (
        <ErrorState bare error={list.error} retry={() => void list.refetch()} />
      ) : (
        <ListSkeleton rows={3} />
      )}
      <div className={classes.foot}>
        <Button onClick={() => setAll(!all)}>{t(all ? 'flows.access.changes.show_quarter' : 'flows.access.changes.show_ever')}</Button>
      </div>
    </section>
  );
}

const changeOf = ({ before, after, reason }: AccessChange, none: string) => (
  <>
    {before || none} → {after || none}
    {reason ? <><br />{reason}</> : null}
  </>
);
