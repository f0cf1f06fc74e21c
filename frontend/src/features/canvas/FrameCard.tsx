import type { ReactNode } from 'react';
import { useT } from '~/app/messages';
import { lookOf } from '~/ui/StatusBadge';
import classes from './FrameCard.module.css';
import { FRAME_BAR } from './graph';
import type { StepNodeData } from './graph';
import { CardMarks } from './StepCard';
import { StepIcon } from './StepIcon';

interface Props {
  data: StepNodeData;
  selected?: boolean;
  /** Something is carried over it and would land inside. */
  target?: boolean;
  /** What stands where its first step will be. */
  empty?: ReactNode;
  children?: ReactNode;
}

/** A step that contains others, as a frame around them: its bar is what a card is elsewhere. */
export function FrameCard({ data, selected, target, empty, children }: Props) {
  const t = useT();
  const { run, frame } = data;
  const tone = run && run.status !== 'skipped' ? lookOf(run.status).tone : undefined;
  const said = run?.items ?? data.summary;
  return (
    <div
      className={classes.frame}
      data-selected={selected || undefined}
      data-target={target || undefined}
      data-tone={tone}
      data-skipped={run?.status === 'skipped' || undefined}
      data-unknown={data.unknown || undefined}
    >
      <div className={`${classes.bar} ${FRAME_BAR}`}>
        <StepIcon icon={data.icon} tint={data.tint} />
        <div className={classes.words}>
          <span className={classes.title}>{data.title}</span>
          {said ? <span className={classes.line} data-items={run?.items ? true : undefined}>{said}</span> : null}
        </div>
        {run?.attempts && !run.items ? <span className={classes.count}>{run.attempts}</span> : null}
        {frame && frame.count > 0 ? <span className={classes.count}>{t('canvas.inside', { count: frame.count })}</span> : null}
      </div>
      {frame?.count === 0 ? <div className={classes.empty}>{empty ?? t('canvas.nothing_inside')}</div> : null}
      <CardMarks run={run} findings={data.findings} />
      {children}
    </div>
  );
}
