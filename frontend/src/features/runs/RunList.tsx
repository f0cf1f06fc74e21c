import { Button, Checkbox } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useFlows } from '~/api/flows';
import { useRight } from '~/api/me';
import { useRuns } from '~/api/runs';
import { nameOf, RUN_STATUSES } from '~/api/types';
import type { RunItem } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { FilterChip } from '~/ui/Filter';
import { IconPlayerPlay, IconSearch } from '~/ui/icons';
import { More } from '~/ui/More';
import { Toolbar } from '~/ui/Page';
import { PersonName } from '~/ui/PersonName';
import { Duration, RelativeTime } from '~/ui/RelativeTime';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { spanStart, SPANS } from '~/ui/spans';
import { StatusBadge, useStatusLabel } from '~/ui/StatusBadge';
import { BulkBar } from './BulkBar';
import classes from './RunList.module.css';
import { Wait } from './Wait';

const TRIGGERS: Record<string, MessageId> = {
  webhook: 'runs.by_trigger.webhook', schedule: 'runs.by_trigger.schedule', manual: 'runs.by_trigger.manual',
  event: 'runs.by_trigger.event', subflow: 'runs.by_trigger.subflow', test: 'runs.test',
};

/** Who or what started a run: a person's name, with the address on hover, else the kind of signal. */
export function StartedBy({ run }: { run: Pick<RunItem, 'started_by' | 'trigger'> }) {
  const t = useT();
  const person = nameOf(run.started_by);
  if (person) return <PersonName email={person} />;
  const kind = run.trigger?.type ?? '';
  return <>{kind in TRIGGERS ? t(TRIGGERS[kind]!) : kind || t('app.none')}</>;
}

export interface RunListFilter {
  flow?: string;
  status?: string;
  from?: string;
  stuck?: string;
  parent?: string;
  tests?: string;
}

interface Props {
  filter: RunListFilter;
  onFilter: (filter: RunListFilter) => void;
  /** The list stands on a flow's own page. */
  fixedFlow?: boolean;
}

export function RunList({ filter, onFilter, fixedFlow }: Props) {
  const t = useT();
  const words = useStatusLabel();
  const from = useMemo(() => spanStart(filter.from), [filter.from]);
  const asked = { flow: filter.flow, status: filter.status, stuck: filter.stuck, parent: filter.parent, tests: filter.tests, from };
  const list = useRuns(asked);
  const steers = useRight('run.operate', 'run.cancel');
  const [chosen, setChosen] = useState<string[]>([]);
  const choose = (id: string, on: boolean) => setChosen(on ? [...chosen, id] : chosen.filter((one) => one !== id));
  const flows = useFlows({ limit: 200 }, !fixedFlow).items ?? [];
  const filtered = Boolean(filter.status ?? filter.from ?? filter.stuck ?? filter.parent ?? filter.tests ?? (fixedFlow ? undefined : filter.flow));
  const change = (part: RunListFilter) => onFilter({ ...filter, ...part });

  const columns: Column<RunItem>[] = [
    fixedFlow
      ? { key: 'started', header: t('runs.column.started'), cell: (run) => <RelativeTime at={run.started_at ?? run.created_at} /> }
      : { key: 'flow', header: t('runs.column.flow'), width: '26%', cell: (run) => run.flow.name },
    { key: 'status', header: t('runs.column.status'), width: 132, cell: (run) => <span className={classes.status}><StatusBadge status={run.status} />{run.stuck ? <StatusBadge status="failed" label={t('runs.stuck')} /> : null}</span> },
    ...(fixedFlow ? [] : [{ key: 'started', header: t('runs.column.started'), width: 150, cell: (run: RunItem) => <RelativeTime at={run.started_at ?? run.created_at} /> }]),
    { key: 'took', header: t('runs.column.duration'), width: 130, align: 'end', show: 'medium', cell: (run) => <Duration from={run.started_at} to={run.finished_at} ms={run.finished_at ? run.duration_ms : null} /> },
    { key: 'version', header: t('runs.column.version'), width: 84, show: 'wide', cell: (run) => (run.version === null ? t('runs.test') : t('flows.version', { number: run.version })) },
    { key: 'by', header: t('runs.column.by'), width: 160, min: 110, show: 'medium', cell: (run) => <StartedBy run={run} /> },
    { key: 'note', header: t('runs.column.note'), show: 'wide', min: 200, cell: (run) => <span className={classes.note} title={run.error?.message}>{run.stuck ? <Wait reason={run.stuck.cause} /> : (run.error?.message ?? '')}</span> },
    ...(steers ? [{ key: 'choose', header: t('runs.select.header'), width: 40, quiet: true, cell: (run: RunItem) => <Checkbox aria-label={t('runs.select', { name: run.flow.name })} checked={chosen.includes(run.id)} onChange={(event) => choose(run.id, event.currentTarget.checked)} /> }] : []),
  ];
  return (
    <>
      {list.items?.length === 0 && !filtered ? null : (
        <Toolbar>
          {fixedFlow ? null : (
            <FilterChip label={t('runs.column.flow')} value={filter.flow} choices={flows.map((flow) => ({ value: flow.id, label: flow.name }))} onChange={(flow) => change({ flow })} />
          )}
          <FilterChip label={t('runs.column.status')} value={filter.status} choices={RUN_STATUSES.map((status) => ({ value: status, label: words(status) }))} onChange={(status) => change({ status })} />
          <FilterChip label={t('runs.filter.stuck')} value={filter.stuck} choices={[{ value: 'true', label: t('runs.stuck') }]} onChange={(stuck) => change({ stuck })} />
          <FilterChip label={t('runs.filter.tests')} value={filter.tests} choices={[{ value: 'true', label: t('runs.filter.tests_only') }]} onChange={(tests) => change({ tests })} />
          {filter.parent ? <FilterChip label={t('runs.filter.parent')} value={filter.parent} choices={[{ value: filter.parent, label: t('runs.filter.parent_run') }]} onChange={(parent) => change({ parent })} /> : null}
          <FilterChip label={t('runs.filter.time')} value={filter.from} choices={SPANS.map(({ value, label }) => ({ value, label: t(label) }))} onChange={(span) => change({ from: span })} />
          {list.items?.length ? <BulkBar chosen={chosen} filter={asked} onDone={() => setChosen([])} /> : null}
        </Toolbar>
      )}
      {list.items ? (
        list.items.length > 0 ? (
          <DataTable label={t('runs.list')} columns={columns} rows={list.items} rowKey={(run) => run.id} rowLink={(run) => `/runs/${run.id}/`} footer={<More of={list} />} />
        ) : filtered ? (
          <EmptyState icon={IconSearch} title={t('runs.none.title')} action={<Button onClick={() => onFilter(fixedFlow ? { flow: filter.flow } : {})}>{t('app.filter_clear_all')}</Button>}>
            {t('runs.none.text')}
          </EmptyState>
        ) : (
          <EmptyState icon={IconPlayerPlay} title={t('runs.first.title')} action={fixedFlow ? undefined : <Button component={Link} to="/flows/">{t('runs.first.action')}</Button>}>
            {t('runs.first.text')}
          </EmptyState>
        )
      ) : list.error ? (
        <ErrorState error={list.error} retry={() => void list.refetch()} />
      ) : (
        <ListSkeleton />
      )}
    </>
  );
}
