import { Button } from '@mantine/core';
import type { FlowDocument, Run } from '~/api/types';
import { useT } from '~/app/messages';
import { IconAlertTriangle, IconHourglass } from '~/ui/icons';
import classes from './RunNotice.module.css';
import { Wait } from './Wait';

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
  if (!run.error) return null;
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
