import { Button } from '@mantine/core';
import { useFlow } from '~/api/flows';
import { useT } from '~/app/messages';
import { IconPlayerPlay, IconPlayerTrackNext } from '~/ui/icons';
import classes from './SidePanel.module.css';
import { tryOut } from './trial';

/** Run this step alone, or up to it; what that does is said before anything runs. */
export function TryStep({ flowId, id }: { flowId: string; id: string }) {
  const t = useT();
  const flow = useFlow(flowId).data;
  if (!flow?.rights.includes('run') || flow.state === 'archived') return null;
  return (
    <div className={classes.try}>
      <Button size="xs" leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={() => tryOut('only', id)}>{t('testing.only_this')}</Button>
      <Button size="xs" leftSection={<IconPlayerTrackNext size={16} aria-hidden />} onClick={() => tryOut('to', id)}>{t('testing.to_here')}</Button>
    </div>
  );
}
