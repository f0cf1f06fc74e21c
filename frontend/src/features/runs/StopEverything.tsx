import { Button } from '@mantine/core';
import { useState } from 'react';
import { useRight } from '~/api/me';
import { useStop, useStopEverything } from '~/api/stop';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';

/** The global stop: nothing starts and nothing is sent until somebody lets it go on. */
export function StopEverything() {
  const t = useT();
  const may = useRight('flow.pause');
  const now = useStop().data;
  const stop = useStopEverything();
  const [asking, setAsking] = useState(false);
  if (!may || !now || now.stopped) return null;
  const close = () => {
    stop.reset();
    setAsking(false);
  };
  return (
    <>
      <Button onClick={() => setAsking(true)}>{t('runs.stop')}</Button>
      <ConfirmDialog opened={asking} title={t('runs.stop.title')} confirm={t('runs.stop')} danger reason="required" busy={stop.isPending} error={stop.error} onConfirm={(reason) => stop.mutate(reason, { onSuccess: close })} onClose={close}>
        {t('runs.stop.text')}
      </ConfirmDialog>
    </>
  );
}
