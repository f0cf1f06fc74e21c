import { Checkbox } from '@mantine/core';
import { useState } from 'react';
import { useJournal } from '~/api/runs';
import type { FlowDocument, JournalRow, Run } from '~/api/types';
import { useT } from '~/app/messages';
import { More } from '~/ui/More';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import { Values } from '~/ui/Values';
import classes from './SidePanel.module.css';

/** `effect_succeeded`, `EffectSucceeded` and `effect.succeeded` all read "Effect succeeded". */
export function eventWords(type: string): string {
  const words = type.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/[._-]+/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Row({ row, title }: { row: JournalRow; title: string | undefined }) {
  const t = useT();
  const { intl, exact } = useIntlTools();
  const clock = intl.formatTime(row.at, { hour: '2-digit', minute: '2-digit', second: '2-digit', fractionalSecondDigits: 3, hourCycle: 'h23' });
  return (
    <li>
      <details>
        <summary>
          <span className={classes.seq}>{row.seq}</span>
          <span className={classes.what}>
            {eventWords(row.type)}
            {title ? <span>{title}</span> : null}
          </span>
          <time className={classes.when} dateTime={row.at} title={exact(row.at)}>{clock}</time>
        </summary>
        <div className={classes.data}>
          <Values label={t('runs.journal.row', { seq: row.seq })} value={row.data} />
        </div>
      </details>
    </li>
  );
}

/** Everything that was written down about the run, in order. */
export function Journal({ run, document, step }: { run: Run; document: FlowDocument; step: string | undefined }) {
  const t = useT();
  const list = useJournal(run.id, true);
  const [only, setOnly] = useState(false);
  if (list.error) return <ErrorState bare error={list.error} retry={() => void list.refetch()} />;
  if (!list.items) return <ListSkeleton />;
  const rows = only && step ? list.items.filter((row) => row.step === step) : list.items;
  return (
    <>
      {step ? (
        <div className={classes.panel}>
          <Checkbox label={t('runs.journal.filter')} checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} />
        </div>
      ) : null}
      {rows.length === 0 ? <EmptyState bare title={t('runs.journal.empty')} /> : null}
      <ol className={classes.journal}>
        {rows.map((row) => (
          <Row key={row.seq} row={row} title={row.step ? (document.steps[row.step]?.title ?? row.step) : undefined} />
        ))}
      </ol>
      <div className={classes.more}><More of={list} /></div>
    </>
  );
}
