import { Button } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { sampleKeys, useListen, useListener } from '~/api/testing';
import type { Listener } from '~/api/testing';
import { useT } from '~/app/messages';
import { IconBroadcast } from '~/ui/icons';
import { CopyButton } from '~/ui/CopyButton';
import { ProblemText } from '~/ui/ProblemText';
import { say } from '../../view';
import classes from './Samples.module.css';

/** Gives the draft an address for ten minutes; what arrives there becomes a sample. */
export function Listen({ flowId }: { flowId: string }) {
  const t = useT();
  const client = useQueryClient();
  const found = useListener(flowId, true);
  const listen = useListen(flowId);
  const listener = found.data?.listener ?? null;
  const heard = listener?.heard ?? 0;
  useEffect(() => {
    if (heard === 0) return;
    say(t('testing.listen.heard', { count: heard }));
    void client.invalidateQueries({ queryKey: sampleKeys.list(flowId) });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- said once for each call that arrives
  }, [heard]);
  if (!listener) {
    return (
      <>
        <Button size="xs" leftSection={<IconBroadcast size={16} aria-hidden />} loading={listen.isPending} onClick={() => listen.mutate(true)}>{t('testing.listen')}</Button>
        <ProblemText error={listen.error} />
      </>
    );
  }
  return <Listening listener={listener} busy={listen.isPending} stop={() => listen.mutate(false)} />;
}

function Listening({ listener, busy, stop }: { listener: Listener; busy: boolean; stop: () => void }) {
  const t = useT();
  const left = useMinutesLeft(listener.until);
  return (
    <div className={classes.sub} role="group" aria-label={t('testing.listen.on')}>
      <p className={classes.lead}><strong>{t('testing.listen.on')}</strong> {t('testing.listen.text', { minutes: left })}</p>
      <Copied text={listener.url} what={t('editor.address')} />
      {listener.curl ? <Copied text={listener.curl} what={t('editor.curl')} /> : null}
      <p className={classes.lead} role="status">
        {t('testing.listen.heard', { count: listener.heard })}
        {listener.refused > 0 ? ` ${t('testing.listen.refused', { count: listener.refused, reason: listener.said })}` : null}
      </p>
      <div className={classes.buttons}><Button size="xs" loading={busy} onClick={stop}>{t('testing.listen.stop')}</Button></div>
    </div>
  );
}

function Copied({ text, what }: { text: string; what: string }) {
  return (
    <div className={classes.code}>
      <code>{text}</code>
      <CopyButton value={text} what={what} />
    </div>
  );
}

function useMinutesLeft(until: string): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return Math.max(0, Math.ceil((new Date(until).getTime() - now) / 60_000));
}
