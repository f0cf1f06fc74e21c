import { Button, SegmentedControl, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { newKey } from '~/api/client';
import { isProblem } from '~/api/problem';
import { fetchPlan, useSamples, useStartTest } from '~/api/testing';
import type { TestAsked, TestKind, TestPlan } from '~/api/testing';
import { flowKeys } from '~/api/flows';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconPlayerPlay } from '~/ui/icons';
import { ProblemText } from '~/ui/ProblemText';
import { ListSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import { useChosenSample } from '../../api';
import { useSave } from '../../autosave';
import type { Autosave } from '../../autosave';
import { useEditor } from '../../store';
import { useTrial } from '../../trial';
import { say } from '../../view';
import { Report } from './Report';
import { StepsTold } from './StepsTold';
import { useLeaving } from './useLeaving';
import classes from './Trial.module.css';

/** Try the draft out: says which steps will run and what would leave, then runs exactly those. */
export function Trial({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
  const t = useT();
  const run = useTrial((trial) => trial.run);
  const may = flow.rights.includes('run') && flow.state !== 'archived';
  if (!may) return <p className={classes.none}>{t('testing.no_right')}</p>;
  return (
    <div className={classes.trial}>
      <Choice flowId={flow.id} />
      {run ? <Report flowId={flow.id} run={run} /> : <Planned flow={flow} autosave={autosave} />}
    </div>
  );
}

/** What is tried: all of it, up to a step, or one alone; and with which sample. */
function Choice({ flowId }: { flowId: string }) {
  const t = useT();
  const { short } = useIntlTools();
  const { kind, step } = useTrial();
  const steps = useEditor(({ document }) => document.steps);
  const samples = useSamples(flowId).data?.results ?? [];
  const chosen = useChosenSample(flowId);
  const set = (change: { kind?: TestKind; step?: string; sample?: string | null }) => useTrial.setState({ ...change, ports: {}, outputs: {}, live: [], run: null });
  return (
    <div className={classes.choice}>
      <SegmentedControl
        aria-label={t('testing.what')}
        value={kind}
        onChange={(value) => set({ kind: value })}
        data={[
          { value: 'dry', label: t('testing.kind.dry') },
          { value: 'to', label: t('testing.kind.to') },
          { value: 'only', label: t('testing.kind.only') },
        ]}
      />
      {kind === 'dry' ? null : (
        <Select
          aria-label={t('testing.step')}
          placeholder={t('testing.step')}
          searchable
          allowDeselect={false}
          value={step || null}
          onChange={(value) => set({ step: value ?? '' })}
          data={Object.entries(steps).map(([id, one]) => ({ value: id, label: one.title || id }))}
        />
      )}
      <Select
        aria-label={t('testing.sample')}
        placeholder={t('testing.sample.none')}
        allowDeselect={false}
        value={chosen}
        onChange={(value) => set({ sample: value })}
        data={samples.map((one) => ({ value: one.id, label: `${one.name || t('testing.sample.of', { type: one.type })}, ${short(one.at)}` }))}
      />
    </div>
  );
}

/** By step, the way out and the output that were chosen for it. */
const answersOf = (ports: Record<string, string>, outputs: Record<string, unknown>): TestAsked['answers'] =>
  Object.fromEntries([...new Set([...Object.keys(ports), ...Object.keys(outputs)])].map((id) => [id, { ...(ports[id] === undefined ? {} : { port: ports[id] }), ...(id in outputs ? { output: outputs[id] } : {}) }]));

/** Saves first, so that what is tried is what is seen; then asks what would run. */
function usePlan(flow: Flow, autosave: Autosave) {
  const { kind, step, ports, outputs, live } = useTrial();
  const sample = useChosenSample(flow.id);
  const change = useEditor((editor) => editor.change);
  const readOnly = useEditor((editor) => editor.readOnly);
  const asked = useMemo<TestAsked>(
    () => ({ kind, step: kind === 'dry' ? '' : step, sample, answers: answersOf(ports, outputs), live }),
    [kind, step, sample, ports, outputs, live],
  );
  const plan = useQuery({
    queryKey: [...flowKeys.one(flow.id), 'plan', asked, change],
    queryFn: async ({ signal }): Promise<TestPlan | null> => {
      if (!readOnly && !(await autosave.flush())) return null;
      return fetchPlan(flow.id, asked, signal);
    },
    enabled: kind === 'dry' || step !== '',
    retry: false,
    gcTime: 0,
    placeholderData: (before) => before,
  });
  return { asked, plan };
}

function Planned({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
  const t = useT();
  const { asked, plan } = usePlan(flow, autosave);
  const start = useStartTest(flow.id);
  const leaving = useLeaving();
  const status = useSave((save) => save.status);
  const [key, setKey] = useState(newKey);
  const data = plan.data;
  const count = data?.steps.length ?? 0;
  useEffect(() => {
    if (data) say(t('testing.plan.count', { count: data.steps.length }));
    // eslint-disable-next-line react-hooks/exhaustive-deps -- said once for each plan
  }, [data]);
  if (asked.kind !== 'dry' && asked.step === '') return <p className={classes.none}>{t('testing.choose_step')}</p>;
  if (plan.error) return <div className={classes.part}><ProblemText error={plan.error} /></div>;
  if (plan.isPending) return <ListSkeleton rows={3} />;
  if (!data) return <p className={classes.none} role="alert">{t(status === 'conflict' ? 'editor.save.conflict' : 'editor.publish.unsaved')}</p>;
  const submit = () =>
    start.mutate({ asked, announced: data.steps.map((one) => one.id), key }, {
      onSuccess: ({ id }) => useTrial.setState({ run: id }),
      onError: (error) => {
        setKey(newKey());
        if (isProblem(error, 409)) void plan.refetch();
      },
    });
  const sent = data.leaves.filter((one) => one.sent);
  const kept = data.leaves.filter((one) => !one.sent);
  return (
    <section className={classes.part} aria-label={t('testing.plan')} aria-busy={plan.isFetching}>
      <p className={classes.lead}>
        <strong>{t('testing.plan.count', { count })}</strong>{' '}
        {sent.length > 0 ? t('testing.plan.sends', { what: leaving(sent) }) : t('testing.plan.sends_nothing')}{' '}
        {kept.length > 0 ? t('testing.plan.answers', { what: leaving(kept) }) : null}
        {data.stand_ins.length > 0 ? ` ${t('testing.plan.stand_ins', { steps: data.stand_ins.map((one) => one.title).join(', ') })}` : null}
      </p>
      {data.reaches ? null : <p className={classes.warn}>{t('testing.plan.misses')}</p>}
      {data.missing.length > 0 ? <p className={classes.warn}>{t('testing.plan.missing', { steps: data.missing.map((one) => one.title).join(', ') })}</p> : null}
      {data.error ? <p className={classes.warn}>{t('testing.plan.fails', { reason: data.error.message })}</p> : null}
      <StepsTold steps={data.steps} choosing={asked.kind !== 'dry' ? 'send' : 'answer'} />
      <div className={classes.foot}>
        <Button variant="filled" color={sent.length > 0 ? 'danger' : undefined} leftSection={<IconPlayerPlay size={16} aria-hidden />} loading={start.isPending} disabled={count === 0 || plan.isFetching} onClick={submit}>
          {asked.kind === 'dry' ? t('testing.start.dry') : sent.length > 0 ? t('testing.start.send', { count, what: leaving(sent) }) : t('testing.start', { count })}
        </Button>
        <ProblemText error={start.error} />
      </div>
    </section>
  );
}
