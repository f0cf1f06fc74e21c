import { Button } from '@mantine/core';
import { useState } from 'react';
import { useRight } from '~/api/me';
import { usePauseRun, useResumeRun } from '~/api/runs';
import { isFinal } from '~/api/types';
import type { Run } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone } from '~/ui/notify';

/** Holds a run where it is, or lets it go on. */
export function PauseRun({ run }: { run: Run }) {
  const t = useT();
  const may = useRight('run.operate');
  const pause = usePauseRun(run.id);
  const resume = useResumeRun(run.id);
  const [asking, setAsking] = useState(false);
  if (!may || isFinal(run.status)) return null;
  if (run.status === 'paused') return <Button loading={resume.isPending} onClick={() => resume.mutate()}>{t('runs.resume')}</Button>;
  const close = () => {
    pause.reset();
    setAsking(false);
  };
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t('runs.pause')}</Button>
      <ConfirmDialog
        opened={asking}
        title={t('runs.pause.title')}
        confirm={t('runs.pause')}
        reason="optional"
        busy={pause.isPending}
        error={pause.error}
        onConfirm={(reason) => pause.mutate(reason, { onSuccess: () => { close(); notifyDone(t('runs.pause.done')); } })}
        onClose={close}
      >
        {t('runs.pause.text')}
      </ConfirmDialog>
    </>
  );
}
