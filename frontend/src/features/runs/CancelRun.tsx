import { Button } from '@mantine/core';
import { useState } from 'react';
import { useRight } from '~/api/me';
import { useCancelRun } from '~/api/runs';
import { isFinal } from '~/api/types';
import type { Run } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone } from '~/ui/notify';

/** Stops a run, with a reason that goes into the trail. */
export function CancelRun({ run }: { run: Run }) {
  const t = useT();
  const may = useRight('run.cancel', 'run.operate');
  const cancel = useCancelRun(run.id);
  const [asking, setAsking] = useState(false);
  if (!may || isFinal(run.status) || run.status === 'cancelling') return null;
  const close = () => {
    cancel.reset();
    setAsking(false);
  };
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t('runs.cancel')}</Button>
      <ConfirmDialog
        opened={asking}
        title={t('runs.cancel.title')}
        confirm={t('runs.cancel')}
        danger
        reason="required"
        busy={cancel.isPending}
        error={cancel.error}
        onConfirm={(reason) => cancel.mutate(reason, { onSuccess: () => { close(); notifyDone(t('runs.cancel.keep')); } })}
        onClose={close}
      >
        {t('runs.cancel.text')}
      </ConfirmDialog>
    </>
  );
}
