import { ActionIcon, Tooltip } from '@mantine/core';
import { Link, Outlet, useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useFlow } from '~/api/flows';
import { useRight } from '~/api/me';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconArrowLeft, IconPlayerPause } from '~/ui/icons';
import { Page, useTitle } from '~/ui/Page';
import { RelativeTime } from '~/ui/RelativeTime';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { StatusBadge } from '~/ui/StatusBadge';
import { FlowMenu, useFlowRights } from './FlowMenu';
import classes from './FlowPage.module.css';
import { stateOf } from './FlowsTable';
import { HeaderSlots } from './HeaderSlot';
import { RunNow } from './RunNow';

function Header({ flow, setAside, setActions }: { flow: Flow; setAside: (at: HTMLElement | null) => void; setActions: (at: HTMLElement | null) => void }) {
  const t = useT();
  const may = useFlowRights(flow);
  const readsTrail = useRight('audit.view');
  const tabs = [
    { to: '/flows/$flowId/', label: t('flows.tab.editor'), exact: true },
    { to: '/flows/$flowId/runs/', label: t('flows.tab.runs'), exact: false },
    ...(may.share || readsTrail ? [{ to: '/flows/$flowId/access/', label: t('flows.tab.access'), exact: false }] : []),
  ] as const;
  return (
    <header className={classes.header}>
      <div className={classes.left}>
        <Tooltip label={t('flows.back')}>
          <ActionIcon component={Link} to="/flows/" aria-label={t('flows.back')}>
            <IconArrowLeft size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
        <h1 className={classes.name} title={flow.name}>{flow.name}</h1>
        <StatusBadge status={stateOf(flow)} label={flow.active_version !== null && flow.state === 'active' ? t('flows.version', { number: flow.active_version }) : undefined} />
        <span ref={setAside} className={classes.slot} />
      </div>
      <nav className={classes.tabs} aria-label={t('flows.tabs')}>
        {tabs.map((tab) => (
          <Link key={tab.to} to={tab.to} params={{ flowId: flow.id }} activeOptions={{ exact: tab.exact, includeSearch: false }} className={classes.tab} activeProps={{ 'data-active': true, 'aria-current': 'page' }}>
            {tab.label}
          </Link>
        ))}
      </nav>
      <div className={classes.right}>
        <span ref={setActions} className={classes.slot} />
        {may.run ? <RunNow flow={flow} /> : null}
        <FlowMenu flow={flow} />
      </div>
    </header>
  );
}

/** Since when a flow is paused, by whom and why, and what waits for it. */
function PausedNote({ flow: { pause } }: { flow: Flow }) {
  const t = useT();
  return (
    <div className={classes.note} role="status">
      <IconPlayerPause size={16} aria-hidden />
      <p className={classes.noteText}>
        {pause ? <strong>{pause.by ? t('flows.paused_by', { name: pause.by }) : t('flows.paused_plain')} <RelativeTime at={pause.at} /></strong> : null}
        {pause?.reason ? t('flows.paused_why', { reason: pause.reason }) : '.'}{' '}
        {pause?.held ? t('flows.paused_held', { count: pause.held }) : t('flows.paused_note')}
      </p>
    </div>
  );
}

/** The frame of one flow: name, state, tabs; the open tab fills the rest. */
export function FlowPage() {
  const { flowId } = useParams({ from: '/flows/$flowId' });
  const { data: flow, error, refetch } = useFlow(flowId);
  const [aside, setAside] = useState<HTMLElement | null>(null);
  const [actions, setActions] = useState<HTMLElement | null>(null);
  const slots = useMemo(() => ({ aside, actions }), [aside, actions]);
  useTitle(flow?.name ?? '');
  if (!flow) return <Page>{error ? <ErrorState error={error} retry={() => void refetch()} /> : <PageSkeleton />}</Page>;
  return (
    <HeaderSlots value={slots}>
      <div className={classes.page}>
        <Header flow={flow} setAside={setAside} setActions={setActions} />
        {flow.state === 'paused' ? <PausedNote flow={flow} /> : null}
        <div className={classes.body}>
          <Outlet />
        </div>
      </div>
    </HeaderSlots>
  );
}
