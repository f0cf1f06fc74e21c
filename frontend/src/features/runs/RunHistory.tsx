import { ActionIcon, Button, Slider, Tooltip } from '@mantine/core';
import { useRunAt } from '~/api/runs';
import type { FlowDocument, RunAt } from '~/api/types';
import { useT } from '~/app/messages';
import { IconChevronLeft, IconChevronRight } from '~/ui/icons';
import { StatusBadge } from '~/ui/StatusBadge';
import { useIntlTools } from '~/ui/time';
import { eventWords } from './Journal';
import classes from './RunHistory.module.css';

interface Props {
  runId: string;
  document: FlowDocument | undefined;
  at: number;
  onAt: (at: number | undefined) => void;
}

/** A line of time over the journal: the page shows the run as it was after the chosen entry. */
export function RunHistory({ runId, document, at, onAt }: Props) {
  const t = useT();
  const { exact } = useIntlTools();
  const then = useRunAt(runId, at).data;
  const last = then?.last_seq ?? at;
  const go = (seq: number) => onAt(Math.min(Math.max(1, seq), last));
  return (
    <section className={classes.bar} aria-label={t('runs.history.show')}>
      <Tooltip label={t('runs.history.back')}>
        <ActionIcon aria-label={t('runs.history.back')} disabled={at <= 1} onClick={() => go(at - 1)}><IconChevronLeft size={16} aria-hidden /></ActionIcon>
      </Tooltip>
      <Slider className={classes.slider} min={1} max={Math.max(2, last)} value={at} onChange={go} label={null} thumbLabel={t('runs.history.slider')} />
      <Tooltip label={t('runs.history.forward')}>
        <ActionIcon aria-label={t('runs.history.forward')} disabled={at >= last} onClick={() => go(at + 1)}><IconChevronRight size={16} aria-hidden /></ActionIcon>
      </Tooltip>
      {then ? (
        <div className={classes.words} role="status">
          <p className={classes.what}>
            <strong>{t('runs.history.after', { seq: then.seq, last })}</strong>
            <StatusBadge status={then.status} />
            <span>{[eventWords(then.type), then.step ? (document?.steps[then.step]?.title ?? then.step) : ''].filter(Boolean).join(' · ')}</span>
            <time className={classes.when} dateTime={then.at}>{exact(then.at)}</time>
          </p>
          <Waited then={then} />
        </div>
      ) : null}
      <Button size="xs" onClick={() => onAt(undefined)}>{t('runs.history.leave')}</Button>
    </section>
  );
}

function Waited({ then }: { then: RunAt }) {
  const t = useT();
  if (then.waiting_for.length === 0) return null;
  const names = then.waiting_for.map((one) => (one.missing.length > 0 ? `${one.title} (${one.missing.join(', ')})` : one.title));
  return <p className={classes.waited}>{t('runs.history.waits')}: {[...new Set(names)].slice(0, 5).join(', ')}</p>;
}
