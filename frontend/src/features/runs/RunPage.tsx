import { ActionIcon, Badge, Button, Drawer, Tooltip } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useFlow } from '~/api/flows';
import { useRun, useRunAt } from '~/api/runs';
import { useRunDocument } from '~/api/testing';
import type { Run } from '~/api/types';
import { useT } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { FlowCanvas } from '~/features/canvas/FlowCanvas';
import { Outline } from '~/features/canvas/Outline';
import { IconArrowLeft } from '~/ui/icons';
import { Short } from '~/ui/Mono';
import { Page, useTitle } from '~/ui/Page';
import { Duration, RelativeTime } from '~/ui/RelativeTime';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { StatusBadge, useStatusLabel } from '~/ui/StatusBadge';
import { useIntlTools } from '~/ui/time';
import { breakpoints } from '~/ui/tokens';
import { AskedOf } from './AskedOf';
import { CancelRun } from './CancelRun';
import { PauseRun } from './PauseRun';
import { ReplayRun } from './ReplayRun';
import { RunHistory } from './RunHistory';
import { cardStates, stepOfInterest, takenLinks } from './runPicture';
import { StartedBy } from './RunList';
import { RunNotice } from './RunNotice';
import classes from './RunPage.module.css';
import { SidePanel } from './SidePanel';

function Header({ run }: { run: Run }) {
  const t = useT();
  return (
    <header className={classes.header}>
      <Tooltip label={t('runs.back')}>
        <ActionIcon component={Link} to="/runs/" aria-label={t('runs.back')}>
          <IconArrowLeft size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <h1 className={classes.name}>
        <Link to="/flows/$flowId/" params={{ flowId: run.flow.id }} title={t('runs.open_flow')}>{run.flow.name}</Link>
      </h1>
      <StatusBadge status={run.status} />
      {run.version === null ? <Badge>{t('runs.test')}</Badge> : null}
      <dl className={classes.facts}>
        <Fact label={t('runs.column.started')}><RelativeTime at={run.started_at ?? run.created_at} /></Fact>
        <Fact label={t(run.finished_at ? 'runs.column.duration' : 'runs.so_far')}><Duration from={run.started_at} to={run.finished_at} ms={run.finished_at ? run.duration_ms : null} /></Fact>
        <Fact label={t('runs.column.by')}><StartedBy run={run} /></Fact>
        <Fact label={t('runs.column.version')}>{run.version === null ? t('runs.test.of_draft') : <Version flow={run.flow.id} number={run.version} />}</Fact>
        <Fact label={t('runs.column.run')}><Short value={run.id} copy={t('runs.id')} length={13} /></Fact>
      </dl>
      <HeaderActions run={run} />
    </header>
  );
}

/** The version the run is shown on; where another one is active by now, what differs is a click away. */
function Version({ flow, number }: { flow: string; number: number }) {
  const t = useT();
  const active = useFlow(flow).data?.active_version;
  return (
    <>
      <Link to="/flows/$flowId/" params={{ flowId: flow }} search={{ version: String(number) }} title={t('versions.of_run', { number })}>{t('flows.version', { number })}</Link>
      {typeof active === 'number' && active !== number ? (
        <> <Link to="/flows/$flowId/compare/" params={{ flowId: flow }} search={{ from: String(number), to: 'active' }}>{t('versions.compare_current', { number: active })}</Link></>
      ) : null}
    </>
  );
}

function HeaderActions({ run }: { run: Run }) {
  const t = useT();
  const search = useSearch({ from: '/runs/$runId' });
  const navigate = useNavigate({ from: '/runs/$runId' });
  const document = useRunDocument(run).data;
  return (
    <div className={classes.actions}>
      {search.at || !run.started_at ? null : (
        <Button onClick={() => void navigate({ search: { ...search, at: '1' }, replace: true })}>{t('runs.history.show')}</Button>
      )}
      {run.version === null ? null : <ReplayRun run={run} document={document} step={search.step} />}
      <PauseRun run={run} />
      <CancelRun run={run} />
    </div>
  );
}

/** Where it belongs: the run it is a part of, those it started, the one it does again. */
function Family({ run }: { run: Run }) {
  const t = useT();
  const count = run.children?.length ?? 0;
  if (!run.parent && count === 0 && !run.replay_of) return null;
  return (
    <nav className={classes.family} aria-label={t('runs.family')}>
      {run.parent ? <Parent id={run.parent} /> : null}
      {count > 0 ? <Link to="/runs/" search={{ parent: run.id }}>{t('runs.children', { count })}</Link> : null}
      {run.replay_of ? <Link to="/runs/$runId/" params={{ runId: run.replay_of }}>{t('runs.replay.of')}</Link> : null}
    </nav>
  );
}

/** The way up: nothing where the run that started this one is not for the person. */
function Parent({ id }: { id: string }) {
  const t = useT();
  const flow = useRun(id).data?.flow.name;
  return flow === undefined ? null : <Link to="/runs/$runId/" params={{ runId: id }}>{t('runs.parent', { flow })}</Link>;
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** One run on the picture of its version, with what went in and out of each step beside it. */
export function RunPage() {
  const t = useT();
  const { runId } = useParams({ from: '/runs/$runId' });
  const run = useRun(runId);
  useTitle(run.data ? t('runs.page_title', { flow: run.data.flow.name }) : t('runs.title'));
  if (!run.data) return <Page>{run.error ? <ErrorState error={run.error} retry={() => void run.refetch()} /> : <PageSkeleton />}</Page>;
  return (
    <div className={classes.page}>
      <Header run={run.data} />
      <Family run={run.data} />
      <AskedOf run={run.data} />
      <RunBody run={run.data} />
    </div>
  );
}

/** The run with steps, links and status of an earlier moment in place of today's. */
function useMoment(run: Run, at: number | undefined): Run {
  const then = useRunAt(run.id, at).data;
  return useMemo(
    () => (at === undefined || !then ? run : { ...run, status: then.status, error: then.error, steps: then.steps, links: then.links, waiting_for: [] }),
    [run, at, then],
  );
}

function RunBody({ run: now }: { run: Run }) {
  const t = useT();
  const types = useLookup();
  const status = useStatusLabel();
  const { duration } = useIntlTools();
  const search = useSearch({ from: '/runs/$runId' });
  const navigate = useNavigate({ from: '/runs/$runId' });
  const at = search.at && Number(search.at) > 0 ? Math.floor(Number(search.at)) : undefined;
  const run = useMoment(now, at);
  const drawn = useRunDocument(run);
  const small = useMediaQuery(`(max-width: ${breakpoints.tablet}px)`);
  const document = drawn.data;
  // eslint-disable-next-line react-hooks/exhaustive-deps -- words change only with the language
  const states = useMemo(() => (document ? cardStates(document, run, { t, status, duration }) : {}), [document, run]);
  const taken = useMemo(() => (document ? takenLinks(document, run, types) : {}), [document, run, types]);
  const selected = search.step ?? (small ? undefined : stepOfInterest(run));
  const select = (step: string | undefined) => void navigate({ search: { ...search, step }, replace: true });
  const panel = document ? (
    <SidePanel run={run} document={document} step={selected} tab={search.tab} onTab={(tab) => void navigate({ search: { ...search, tab }, replace: true })} />
  ) : null;

  return (
    <>
      {at === undefined ? null : (
        <RunHistory runId={run.id} document={document} at={at} onAt={(seq) => void navigate({ search: { ...search, at: seq === undefined ? undefined : String(seq) }, replace: true })} />
      )}
      <RunNotice run={run} document={document} shown={selected} onShow={select} />
      <div className={classes.body}>
        <div className={classes.picture}>
          {document && small ? (
            <div className={classes.outline}>
              <Outline document={document} types={types} selected={selected} onSelect={select} runs={states} />
            </div>
          ) : document ? (
            <FlowCanvas document={document} types={types} selected={selected} onSelect={select} runs={states} taken={taken} />
          ) : drawn.error ? (
            <ErrorState error={drawn.error} retry={drawn.retry} />
          ) : (
            <PageSkeleton />
          )}
        </div>
        {small ? (
          <Drawer opened={selected !== undefined} onClose={() => select(undefined)} position="bottom" size="85%" title={t('runs.panel')} closeButtonProps={{ 'aria-label': t('runs.panel.close') }}>
            {panel}
          </Drawer>
        ) : (
          <aside className={classes.side} aria-label={t('runs.panel')}>{panel}</aside>
        )}
      </div>
    </>
  );
}
