import { Link } from '@tanstack/react-router';
import { useLatestRuns } from '~/api/flows';
import type { LatestRun } from '~/api/flows';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { DataTable } from '~/ui/DataTable';
import type { Column } from '~/ui/DataTable';
import { More } from '~/ui/More';
import type { MoreOf } from '~/ui/More';
import { RelativeTime } from '~/ui/RelativeTime';
import { StatusBadge } from '~/ui/StatusBadge';
import { useLookup } from '~/features/canvas/catalogue';
import { FlowMenu } from './FlowMenu';
import classes from './Flows.module.css';

function LastRun({ run }: { run: LatestRun | undefined }) {
  const t = useT();
  if (!run) return <span>{t('flows.no_run')}</span>;
  return (
    <Link to="/runs/$runId/" params={{ runId: run.id }} className={classes.lastRun}>
      <StatusBadge status={run.status} />
      <RelativeTime at={run.started_at} />
    </Link>
  );
}

export const stateOf = (flow: Flow): string =>
  flow.active_version === null && flow.state === 'active' ? 'unpublished' : flow.state;

export function FlowsTable({ flows, more }: { flows: Flow[]; more: MoreOf }) {
  const t = useT();
  const types = useLookup();
  const latest = useLatestRuns(flows.map((flow) => flow.id)).data;
  const startsBy = (flow: Flow) => (flow.trigger ? (types.trigger(flow.trigger.type)?.title ?? flow.trigger.type) : t('app.none'));
  const columns: Column<Flow>[] = [
    { key: 'name', header: t('flows.column.name'), cell: (flow) => flow.name },
    { key: 'state', header: t('flows.column.state'), width: 132, min: 120, cell: (flow) => <StatusBadge status={stateOf(flow)} /> },
    { key: 'trigger', header: t('flows.column.trigger'), width: 132, show: 'wide', cell: startsBy },
    {
      key: 'version', header: t('flows.column.version'), width: 84, show: 'medium',
      cell: (flow) => (flow.active_version === null ? t('app.none') : t('flows.version', { number: flow.active_version })),
    },
    { key: 'last', header: t('flows.column.last_run'), width: 232, cell: (flow) => <LastRun run={latest?.[flow.id]} /> },
    { key: 'owner', header: t('flows.column.owner'), width: 160, min: 120, show: 'wide', cell: (flow) => flow.owner?.name ?? t('flows.no_owner') },
    { key: 'updated', header: t('flows.column.updated'), width: 140, show: 'medium', cell: (flow) => <RelativeTime at={flow.updated_at} /> },
    { key: 'menu', header: t('app.actions'), width: 48, align: 'end', quiet: true, cell: (flow) => <FlowMenu flow={flow} /> },
  ];
  return (
    <DataTable
      label={t('flows.list')}
      columns={columns}
      rows={flows}
      rowKey={(flow) => flow.id}
      rowLink={(flow) => `/flows/${flow.id}/`}
      footer={<More of={more} />}
    />
  );
}
