import { Button } from '@mantine/core';
import { isFinal } from '~/api/types';
import type { FlowDocument, Run, WaitReason } from '~/api/types';
import { useT } from '~/app/messages';
import { IconAlertTriangle, IconHourglass } from '~/ui/icons';
import { useIntlTools } from '~/ui/time';
import classes from './RunNotice.module.css';
import { Wait } from './Wait';

/** That it makes no progress, or, where no step is shown that could say so, what it waits for. */
function Waiting({ run, shown, onShow }: { run: Run; shown: string | undefined; onShow: (step: string) => void }) {
  const t = useT();
  const { short, duration } = useIntlTools();
  const { stuck } = run;
  const reason: WaitReason | undefined = stuck?.cause ?? run.waiting_for[0];
  if (!reason || (!stuck && shown !== undefined)) return null;
  const more = run.waiting_for.filter((one) => one.step !== reason.step).length;
  return (
    <div className={classes.notice} data-tone="waiting" role="status">
      <IconHourglass size={16} aria-hidden />
      <p className={classes.text}>
        {stuck ? (
          <strong>{stuck.usual_s === null ? t('runs.stuck.since', { time: short(stuck.since) }) : t('runs.stuck.since_usual', { time: short(stuck.since), usual: duration(stuck.usual_s * 1000) })}</strong>
        ) : (
          <strong>{reason.title}</strong>
        )}{' '}
        {stuck && reason.title ? `${reason.title}: ` : null}
        <Wait reason={stuck ? { ...reason, since: null } : reason} />
        {more > 0 ? ` ${t('runs.wait.more', { count: more })}` : null}
      </p>
      {reason.step && reason.step !== shown ? <Button size="xs" onClick={() => onShow(reason.step)}>{t('runs.error_show')}</Button> : null}
    </div>
  );
}

/** Why the run failed or does not start, in one sentence, with the way on. */
export function RunNotice({ run, document, shown, onShow }: { run: Run; document: FlowDocument | undefined; shown: string | undefined; onShow: (step: string) => void }) {
  const t = useT();
  const held = run.waiting_for.find((reason) => !reason.step);
  if (held && !run.error) {
    return (
      <div className={classes.notice} data-tone="waiting" role="status">
        <IconHourglass size={16} aria-hidden />
        <p className={classes.text}><Wait reason={held} /></p>
      </div>
    );
  }
  if (run.replay?.stopped_at) {
    const at = run.replay.stopped_at;
    return (
      <div className={classes.notice} data-tone="waiting" role="status">
        <IconHourglass size={16} aria-hidden />
        <p className={classes.text}>{t('runs.replay.stopped_at', { step: document?.steps[at]?.title ?? at })}</p>
      </div>
    );
  }
  if (!run.error) return isFinal(run.status) ? null : <Waiting run={run} shown={shown} onShow={onShow} />;
  const { step, message } = run.error;
  const title = step ? (document?.steps[step]?.title ?? step) : undefined;
  return (
    <div className={classes.notice} role="alert">
      <IconAlertTriangle size={16} aria-hidden />
      <p className={classes.text}>
        <strong>{title ? t('runs.error', { step: title }) : t('runs.error_plain')}</strong> {message}
      </p>
      {step && step !== shown ? (
        <Button size="xs" onClick={() => onShow(step)}>
          {t('runs.error_show')}
        </Button>
      ) : null}
    </div>
  );
}
