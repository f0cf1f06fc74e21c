import { Button, Modal, Textarea } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { newKey } from '~/api/client';
import { parseExact } from '~/api/exact';
import { useVersion } from '~/api/flows';
import { useStartRun } from '~/api/runs';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { SchemaForm } from '~/ui/schemaForm/SchemaForm';
import classes from './Flows.module.css';

type Schema = Record<string, unknown>;

/** The form of a flow that is started by hand; any other flow is given the data its trigger would bring. */
export function RunNowDialog({ flow, onClose }: { flow: Flow; onClose: () => void }) {
  const t = useT();
  const go = useNavigate();
  const version = useVersion(flow.id, flow.active_version ?? undefined);
  const start = useStartRun(flow.id);
  const [key] = useState(newKey);
  const [value, setValue] = useState<unknown>({});
  const trigger = version.data?.document.trigger;
  const form = trigger?.type === 'manual' ? (trigger.config['form'] as Schema | undefined) : undefined;
  const run = (input: unknown) =>
    start.mutate(
      { input, key },
      { onSuccess: ({ id }) => { notifyDone(t('flows.run.started')); void go({ to: '/runs/$runId/', params: { runId: id } }); } },
    );
  const foot = (
    <>
      <ProblemText error={start.error} />
      <div className={classes.buttons}>
        <Button onClick={onClose}>{t('app.cancel')}</Button>
        <Button type="submit" variant="filled" loading={start.isPending}>{t('flows.run.action')}</Button>
      </div>
    </>
  );
  return (
    <Modal opened onClose={onClose} title={t('flows.run.title', { name: flow.name })} size="lg" closeButtonProps={{ 'aria-label': t('app.close') }}>
      <div className={classes.form}>
        <p className={classes.lead}>{t('flows.run.text', { number: flow.active_version })}</p>
        {form ? (
          <SchemaForm schema={form} value={value} onChange={setValue} onSubmit={run}><div className={classes.foot}>{foot}</div></SchemaForm>
        ) : version.data ? (
          <RawInput onSubmit={run}>{foot}</RawInput>
        ) : version.error ? (
          <ErrorState bare error={version.error} retry={() => void version.refetch()} />
        ) : (
          <PageSkeleton />
        )}
      </div>
    </Modal>
  );
}

function RawInput({ onSubmit, children }: { onSubmit: (input: unknown) => void; children: React.ReactNode }) {
  const t = useT();
  const [text, setText] = useState('{}');
  const [problem, setProblem] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      onSubmit(parseExact(text, 'written'));
    } catch (error) {
      setProblem(t('flows.run.bad_input', { reason: error instanceof Error ? error.message : '' }));
    }
  };
  return (
    <form onSubmit={submit} className={classes.form}>
      <Textarea data-autofocus label={t('flows.run.input')} description={t('flows.run.input_hint')} autosize minRows={6} maxRows={18} spellCheck={false} classNames={{ input: classes.code }} value={text} error={problem} onChange={(event) => { setText(event.currentTarget.value); setProblem(''); }} />
      {children}
    </form>
  );
}
