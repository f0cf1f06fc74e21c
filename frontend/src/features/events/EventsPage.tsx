import { ActionIcon, Button, Tooltip, UnstyledButton } from '@mantine/core';
import { useInterval } from '@mantine/hooks';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { EVENT_STATES, useEvents, useEventTypes } from '~/api/events';
import type { EventItem } from '~/api/events';
import { useT } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { FilterChip } from '~/ui/Filter';
import { IconArrowLeft, IconBroadcast, IconSearch } from '~/ui/icons';
import { More } from '~/ui/More';
import { Page, PageHeader, Toolbar } from '~/ui/Page';
import { RelativeTime } from '~/ui/RelativeTime';
import { spanStart, SPANS } from '~/ui/spans';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { EventDrawer } from './EventDrawer';
import classes from './Events.module.css';
import { From, STATES, StateBadge, TakerLine } from './EventParts';

const AGAIN_MS = 15_000;

/** What happened: told by flows or from outside, who took it, and who waits for it. */
export function EventsPage() {
  const t = useT();
  const search = useSearch({ from: '/events' });
  const navigate = useNavigate({ from: '/events' });
  const { event, from, ...asked } = search;
  const since = useMemo(() => spanStart(from), [from]);
  const list = useEvents({ ...asked, from: since });
  const known = useEventTypes();
  const types = [...new Set([...known, ...(search.type ? [search.type] : [])])].sort();
  const change = (part: Partial<typeof search>) => void navigate({ search: { ...search, ...part }, replace: true });
  const filtered = Boolean(from ?? asked.type ?? asked.state ?? asked.from_outside ?? asked.correlation);
  // Nothing is pushed about events.
  const { start, stop } = useInterval(() => void list.refetch(), AGAIN_MS);
  useEffect(() => {
    start();
    return stop;
  }, [start, stop]);

  return (
    <Page>
      <PageHeader
        title={t('runs.events')}
        back={
          <Tooltip label={t('runs.back')}>
            <ActionIcon component={Link} to="/runs/" aria-label={t('runs.back')}>
              <IconArrowLeft size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        }
      />
      {list.items?.length === 0 && !filtered ? null : (
        <Toolbar>
          <FilterChip label={t('runs.events.type')} value={search.type} choices={types.map((value) => ({ value, label: value }))} onChange={(type) => change({ type })} />
          <FilterChip label={t('runs.events.state')} value={search.state} choices={EVENT_STATES.map((value) => ({ value, label: t(STATES[value].label) }))} onChange={(state) => change({ state })} />
          <FilterChip
            label={t('runs.events.from')}
            value={search.from_outside}
            choices={[{ value: 'false', label: t('runs.events.from_flows') }, { value: 'true', label: t('runs.events.from_outside') }]}
            onChange={(outside) => change({ from_outside: outside })}
          />
          {search.correlation ? <FilterChip label={t('runs.events.together')} value={search.correlation} choices={[{ value: search.correlation, label: search.correlation.slice(0, 13) }]} onChange={(correlation) => change({ correlation })} /> : null}
          <FilterChip label={t('runs.filter.time')} value={from} choices={SPANS.map(({ value, label }) => ({ value, label: t(label) }))} onChange={(span) => change({ from: span })} />
        </Toolbar>
      )}
      {list.items ? (
        list.items.length > 0 ? (
          <EventTable rows={list.items} more={list} onOpen={(id) => change({ event: id })} />
        ) : filtered ? (
          <EmptyState icon={IconSearch} title={t('runs.events.none')} action={<Button onClick={() => void navigate({ search: {} })}>{t('app.filter_clear_all')}</Button>}>
            {t('runs.events.none_text')}
          </EmptyState>
        ) : (
          <EmptyState icon={IconBroadcast} title={t('runs.events.first')} action={<Button component={Link} to="/flows/">{t('runs.first.action')}</Button>}>
            {t('runs.events.first_text')}
          </EmptyState>
        )
      ) : list.error ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : (
        <ListSkeleton />
      )}
      <EventDrawer event={list.items?.find((one) => one.id === event)} onClose={() => change({ event: undefined })} onFilter={(part) => change({ event: undefined, ...part })} />
    </Page>
  );
}

function EventTable({ rows, more, onOpen }: { rows: EventItem[]; more: Parameters<typeof More>[0]['of']; onOpen: (id: string) => void }) {
  const t = useT();
  const columns: Column<EventItem>[] = [
    { key: 'type', header: t('runs.events.type'), width: '24%', min: 160, cell: (row) => <UnstyledButton className={classes.open} onClick={() => onOpen(row.id)}>{row.type}</UnstyledButton> },
    { key: 'state', header: t('runs.events.state'), width: 132, cell: (row) => <StateBadge state={row.state} /> },
    {
      key: 'takers', header: t('runs.events.takers'), min: 220,
      cell: (row) => (
        <span className={classes.takers}>
          {row.takers.slice(0, 2).map((taker, at) => <TakerLine key={at} taker={taker} short />)}
          {row.takers.length > 2 ? <UnstyledButton className={classes.more} onClick={() => onOpen(row.id)}>{t('runs.events.more', { count: row.takers.length - 2 })}</UnstyledButton> : null}
          {row.takers.length === 0 ? <span className={classes.none}>{t(row.state === 'waiting' ? 'runs.events.nobody_yet' : 'runs.events.nobody')}</span> : null}
        </span>
      ),
    },
    { key: 'about', header: t('runs.events.subject'), show: 'wide', min: 120, cell: (row) => <span className={classes.subject}>{row.subject}</span> },
    { key: 'from', header: t('runs.events.from'), width: 200, min: 120, show: 'medium', cell: (row) => <From event={row} /> },
    { key: 'when', header: t('runs.events.when'), width: 140, cell: (row) => <RelativeTime at={row.created_at} /> },
  ];
  return <DataTable label={t('runs.events.list')} columns={columns} rows={rows} rowKey={(row) => row.id} footer={<More of={more} />} />;
}
