import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useState } from 'react';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconPlayerPlay } from '~/ui/icons';

// Forms from a schema are read only when one is opened.
const RunNowDialog = lazy(() => import('./RunNowDialog').then((module) => ({ default: module.RunNowDialog })));

export function RunNow({ flow }: { flow: Flow }) {
  const t = useT();
  const go = useNavigate();
  const [opened, setOpened] = useState(false);
  // What is asked by a form is asked on the page of requests, where files are attached and drafts are kept.
  if (flow.trigger?.type === 'form') {
    return (
      <Button leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={() => void go({ to: '/requests/new/$flowId/', params: { flowId: flow.id } })}>
        {t('flows.run')}
      </Button>
    );
  }
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
