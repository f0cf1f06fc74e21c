import { Button, Radio } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { newKey } from '~/api/client';
import { useListener, useSendTest } from '~/api/testing';
import type { SampleItem, SentTest } from '~/api/testing';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { ProblemText } from '~/ui/ProblemText';
import classes from './Samples.module.css';

/** Sends a sample as its sender would, and says beforehand what that starts. */
export function SendSample({ flow, sample, onClose }: { flow: Flow; sample: SampleItem; onClose: () => void }) {
  const t = useT();
  const send = useSendTest(flow.id);
  const mayListen = flow.rights.includes('edit');
  const listens = Boolean(useListener(flow.id, mayListen).data?.listener);
  const published = flow.active_version !== null;
  const [to, setTo] = useState<'flow' | 'draft'>(listens || !published ? 'draft' : 'flow');
  const [key, setKey] = useState(newKey);
  const submit = () => send.mutate({ sample: sample.id, to, key }, { onSettled: () => setKey(newKey()) });
  return (
    <div className={classes.sub} role="group" aria-label={t('testing.send')}>
      <Radio.Group value={to} onChange={(value) => setTo(value)} label={t('testing.send.where')}>
        <div className={classes.radios}>
          <Radio value="flow" disabled={!published} label={t(published ? 'testing.send.flow' : 'testing.send.unpublished', { number: flow.active_version })} />
          <Radio value="draft" disabled={!listens} label={t(listens ? 'testing.send.draft' : 'testing.send.deaf')} />
        </div>
      </Radio.Group>
      <div className={classes.buttons}>
        <Button variant="filled" loading={send.isPending} disabled={to === 'flow' ? !published : !listens} onClick={submit}>{t(to === 'flow' ? 'testing.send.start' : 'testing.send.now')}</Button>
        <Button onClick={onClose}>{t('app.close')}</Button>
      </div>
      <ProblemText error={send.error} />
      {send.data ? <Answer sent={send.data} /> : null}
    </div>
  );
}

function Answer({ sent }: { sent: SentTest }) {
  const t = useT();
  const said = (sent.answer as { detail?: string } | null)?.detail;
  if (sent.run) return <p role="status" className={classes.said}>{t(sent.status === 200 ? 'testing.send.came_before' : 'testing.send.started')} <Link to="/runs/$runId/" params={{ runId: sent.run }}>{t('testing.show_run')}</Link></p>;
  if (sent.sample) return <p role="status" className={classes.said}>{t('testing.send.arrived')}</p>;
  return <p role="alert" className={classes.said}>{t('testing.send.refused', { reason: said ?? '' })}</p>;
}
