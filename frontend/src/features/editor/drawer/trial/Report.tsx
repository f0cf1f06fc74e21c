import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTestReport } from '~/api/testing';
import { isFinal } from '~/api/types';
import { useT } from '~/app/messages';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { StatusBadge } from '~/ui/StatusBadge';
import { useIntlTools } from '~/ui/time';
import { useTrial } from '../../trial';
import { say } from '../../view';
import { StepsTold } from './StepsTold';
import { useLeaving } from './useLeaving';
import classes from './Trial.module.css';

/** What a test did, as it goes on: what was sent, what would have been, and each step's values. */
export function Report({ flowId, run }: { flowId: string; run: string }) {
  const t = useT();
  const { exact } = useIntlTools();
  const { data, error, refetch } = useTestReport(run);
  const leaving = useLeaving();
  const over = data !== undefined && isFinal(data.status);
  const would = leaving(data?.leaves.filter((one) => !one.sent) ?? []);
  const sent = leaving(data?.leaves.filter((one) => one.sent) ?? []);
  const sums = [sent === '' ? t('testing.report.sent_nothing') : t('testing.report.sent', { what: sent }), would === '' ? '' : t('testing.report.would', { what: would })].filter(Boolean).join(' ');
  const top = useRef<HTMLElement>(null);
  const shown = data !== undefined;
  useEffect(() => {
    // What was pressed is gone: whoever goes by keyboard or ear goes on here.
    top.current?.focus({ preventScroll: true });
    document.getElementById('editor-drawer')?.scrollTo?.({ top: 0 });
  }, [shown]);
  useEffect(() => {
    if (over) say(sums);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- said once, when it is over
  }, [over, flowId]);
  if (error && !data) return <ErrorState bare error={error} retry={() => void refetch()} />;
  if (!data) return <ListSkeleton rows={3} />;
  return (
    <section ref={top} tabIndex={-1} className={classes.part} aria-label={t('testing.report')}>
      <div className={classes.line}>
        <StatusBadge status={data.status} />
        <strong className={classes.sum}>{sums}</strong>
        <Link className={classes.link} to="/runs/$runId/" params={{ runId: run }}>{t('testing.show_run')}</Link>
        <Button size="xs" onClick={() => useTrial.setState({ run: null })}>{t('testing.again')}</Button>
      </div>
      {data.skipped_to ? <p className={classes.lead}>{t('testing.report.skipped', { time: exact(data.skipped_to) })}</p> : null}
      {over && !data.reaches ? <p className={classes.warn}>{t('testing.report.misses')}</p> : null}
      {data.error ? <p className={classes.warn} role="alert">{data.error.message}</p> : null}
      <StepsTold steps={data.steps} />
    </section>
  );
}
