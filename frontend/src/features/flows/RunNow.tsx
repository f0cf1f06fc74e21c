import { Button } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconPlayerPlay } from '~/ui/icons';

// Forms from a schema are read only when one is opened.
const RunNowDialog = lazy(() => import('./RunNowDialog').then((module) => ({ default: module.RunNowDialog })));

export function RunNow({ flow }: { flow: Flow }) {
  const t = useT();
  const [opened, setOpened] = useState(false);
  return (
    <>
      <Button leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={() => setOpened(true)}>
        {t('flows.run')}
      </Button>
      {opened ? (
        <Suspense fallback={null}>
          <RunNowDialog flow={flow} onClose={() => setOpened(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
