import { Button } from '@mantine/core';
import type { FlowDocument, Run } from '~/api/types';
import { useT } from '~/app/messages';
import { IconAlertTriangle } from '~/ui/icons';
import classes from './RunNotice.module.css';

/** Why the run failed, in one sentence, with the way to the step. */
export function RunNotice({ run, document, shown, onShow }: { run: Run; document: FlowDocument | undefined; shown: string | undefined; onShow: (step: string) => void }) {
  const t = useT();
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
