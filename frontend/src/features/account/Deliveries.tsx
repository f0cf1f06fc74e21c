import { Button } from '@mantine/core';
import type { Delivery } from '~/api/notices';
import { useTryAgain } from '~/api/notices';
import type { usePaged } from '~/api/lists';
import { useT } from '~/app/messages';
import classes from '~/features/settings/Settings.module.css';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { IconAlertTriangle, IconCircleCheck, IconCircleX, IconHourglass } from '~/ui/icons';
import { More } from '~/ui/More';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { PathLink } from '~/ui/PathLink';
import { problemSentence } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';

/** What was sent, is to be sent or could not be, and why. */
export function Deliveries({ of, label, none }: { of: ReturnType<typeof usePaged<Delivery>>; label: string; none: string }) {
  const t = useT();
  const again = useTryAgain();
  const columns: Column<Delivery>[] = [
    { key: 'title', header: t('notices.log.what'), min: 180, cell: (row) => <span className={classes.person}><PathLink path={row.path}>{row.title}</PathLink><small>{t(`notices.way.${row.channel}`)}</small></span> },
    { key: 'state', header: t('notices.log.state'), min: 180, cell: (row) => <State row={row} /> },
    { key: 'at', header: t('notices.log.at'), width: 140, cell: (row) => <RelativeTime at={row.created_at} /> },
    {
      key: 'act', header: t('app.actions'), width: 130, align: 'end', quiet: true,
      cell: (row) => row.state === 'failed' ? (
        <Button size="xs" variant="subtle" aria-label={t('notices.log.again_one', { title: row.title })} onClick={() => again.mutate(row.id, { onSuccess: () => notifyDone(t('notices.log.again_done')), onError: (error) => notifyProblem(problemSentence(error, t)) })}>
          {t('notices.log.again')}
        </Button>
      ) : null,
    },
  ];
  if (!of.items) return of.error ? <ErrorState error={of.error} retry={() => void of.refetch()} /> : <ListSkeleton rows={4} />;
  if (of.items.length === 0) return <p className={classes.text}>{none}</p>;
  return (
    <>
      <DataTable label={label} columns={columns} rows={of.items} rowKey={(row) => row.id} />
      <More of={of} />
    </>
  );
}

function State({ row }: { row: Delivery }) {
  const t = useT();
  const { short } = useIntlTools();
  if (row.state === 'sent') return <span className={classes.state} data-tone="done"><IconCircleCheck size={16} aria-hidden />{t('notices.state.sent')}</span>;
  if (row.state === 'dropped') return <span className={classes.state}><IconCircleX size={16} aria-hidden />{t('notices.state.dropped')}</span>;
  if (row.state === 'failed') {
    return (
      <span className={classes.person}>
        <span className={classes.state} data-tone="failed"><IconAlertTriangle size={16} aria-hidden />{t('notices.state.failed', { count: row.attempts })}</span>
        <small>{row.error}</small>
      </span>
    );
  }
  const until = row.held_until ? short(row.held_until) : '';
  return (
    <span className={classes.person}>
      <span className={classes.state}><IconHourglass size={16} aria-hidden />{row.state === 'held' ? t('notices.state.held', { time: until }) : row.state === 'digest' ? t('notices.state.digest', { time: until }) : t('notices.state.waiting')}</span>
      {row.error ? <small>{t('notices.state.tried', { count: row.attempts, error: row.error })}</small> : null}
    </span>
  );
}
