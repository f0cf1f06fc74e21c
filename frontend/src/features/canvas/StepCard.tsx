import type { ReactNode } from 'react';
import { IconArrowUpRight } from '~/ui/icons';
import type { Category } from '~/ui/tokens';
import { lookOf } from '~/ui/StatusBadge';
import { useT } from '~/app/messages';
import classes from './StepCard.module.css';
import { StepIcon } from './StepIcon';

export interface CardContent {
  title: string;
  summary: string;
  icon: string | undefined;
  tint: Category;
  trigger?: boolean;
  outward?: boolean;
  /** The type is not in the catalogue; the card says so. */
  unknown?: boolean;
}

export interface CardRunState {
  status: string;
  statusLabel: string;
  /** Right of the title: how long it took. */
  duration?: string;
  /** Only said when it says something: more than one attempt or visit. */
  attempts?: string;
  /** How far a step that works through items is: "7 of 20 done, 1 failed". */
  items?: string;
}

interface Props extends CardContent {
  selected?: boolean;
  focused?: boolean;
  run?: CardRunState;
  findings?: { count: number; severity: 'error' | 'warning' | 'info' };
  children?: ReactNode;
}

/** A step as a card of 224 x 64: the same drawing in the editor, on a run and in a preview. */
export function StepCard({ title, summary, icon, tint, trigger, outward, unknown, selected, focused, run, findings, children }: Props) {
  const t = useT();
  const state = run ? lookOf(run.status) : undefined;
  return (
    <div
      className={classes.card}
      data-trigger={trigger || undefined}
      data-selected={selected || undefined}
      data-focused={focused || undefined}
      data-unknown={unknown || undefined}
      data-tone={run && run.status !== 'skipped' ? state?.tone : undefined}
      data-skipped={run?.status === 'skipped' || undefined}
    >
      <StepIcon icon={icon} tint={tint} />
      <div className={classes.words}>
        <div className={classes.head}>
          <span className={classes.title}>{title}</span>
          {outward ? <IconArrowUpRight size={14} className={classes.outward} role="img" aria-label={t('canvas.outward')} /> : null}
        </div>
        <div className={classes.summary}>
          {run?.attempts ? <span className={classes.attempts}>{run.attempts}</span> : null}
          <span className={classes.line}>{summary}</span>
        </div>
      </div>
      <CardMarks run={run} findings={findings} />
      {children}
    </div>
  );
}

type Far = Pick<Props, 'title' | 'icon' | 'tint' | 'trigger' | 'unknown' | 'selected' | 'run' | 'findings'>;

/** A card from afar: nothing but what can still be read there, so that a large flow moves easily. `isTiny`: too small for a picture. */
export function FarCard({ title, icon, tint, trigger, unknown, selected, run, findings, isTiny }: Far & { isTiny: boolean }) {
  return (
    <div
      className={classes.card}
      data-trigger={trigger || undefined}
      data-selected={selected || undefined}
      data-unknown={unknown || undefined}
      data-tone={run && run.status !== 'skipped' ? lookOf(run.status).tone : undefined}
      data-skipped={run?.status === 'skipped' || undefined}
      data-tiny={isTiny || undefined}
    >
      <StepIcon icon={icon} tint={tint} isBare={isTiny} />
      <span className={classes.title}>{title}</span>
      {run || findings ? <CardMarks run={run} findings={findings} /> : null}
    </div>
  );
}

/** At the corners of a card or a frame: how it went on a run, and how much the check found. */
export function CardMarks({ run, findings }: Pick<Props, 'run' | 'findings'>) {
  const t = useT();
  const state = run ? lookOf(run.status) : undefined;
  const State = state?.icon;
  return (
    <>
      {run && State && run.status !== 'skipped' ? (
        <span className={classes.state} data-tone={state?.tone} data-status={run.status}>
          <State size={14} role="img" aria-label={run.statusLabel} />
          {run.duration ? <span className={classes.duration}>{run.duration}</span> : null}
        </span>
      ) : null}
      {findings ? (
        <span className={classes.findings} data-severity={findings.severity}>
          <span aria-hidden>{findings.count}</span>
          <span className="sr-only">{t('canvas.findings', { count: findings.count })}</span>
        </span>
      ) : null}
    </>
  );
}
