import { Button } from '@mantine/core';
import { useState } from 'react';
import { useRight } from '~/api/me';
import { useSteerCount, useSteerRuns } from '~/api/runs';
import type { RunAction, RunFilter, RunSelection } from '~/api/runs';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone } from '~/ui/notify';
import classes from './RunList.module.css';

const ACTIONS: RunAction[] = ['pause', 'resume', 'cancel'];
const WORDS: Record<RunAction, MessageId> = { pause: 'runs.bulk.pause', resume: 'runs.bulk.resume', cancel: 'runs.bulk.cancel' };
const TITLES: Record<RunAction, MessageId> = {
  pause: 'runs.bulk.pause.title', resume: 'runs.bulk.resume.title', cancel: 'runs.bulk.cancel.title',
};

interface Props {
  /** Runs that were chosen one by one; without any, all that the filter finds are meant. */
  chosen: string[];
  filter: RunFilter;
  onDone: () => void;
}

/** Pause, let go on or cancel many runs: says how many it concerns, and asks why. */
export function BulkBar({ chosen, filter, onDone }: Props) {
  const t = useT();
  const operates = useRight('run.operate');
  const cancels = useRight('run.cancel');
  const [action, setAction] = useState<RunAction>();
  const set = Object.fromEntries(Object.entries(filter).filter(([, value]) => value));
  const selection: RunSelection = chosen.length > 0 ? { ids: chosen } : Object.keys(set).length > 0 ? { filter: set } : { all: true };
  const count = useSteerCount(action, selection);
  const steer = useSteerRuns();
  const may = ACTIONS.filter((one) => (one === 'cancel' ? cancels : operates));
  if (may.length === 0) return null;
  const close = () => {
    steer.reset();
    setAction(undefined);
  };
  const found = count.data?.count;
  return (
    <div className={classes.bulk}>
      <span>{chosen.length > 0 ? t('runs.bulk.chosen', { count: chosen.length }) : t('runs.bulk.filter')}</span>
      {may.map((one) => <Button key={one} size="xs" onClick={() => setAction(one)}>{t(WORDS[one])}</Button>)}
      {action ? (
        <ConfirmDialog
          opened
          title={t(TITLES[action])}
          confirm={t('runs.bulk.confirm', { count: found ?? 0 })}
          danger={action === 'cancel'}
          reason="required"
          busy={steer.isPending || found === undefined}
          error={steer.error ?? count.error}
          onConfirm={(reason) => steer.mutate({ action, selection, reason }, { onSuccess: (done) => { close(); onDone(); notifyDone(t('runs.bulk.done', { count: done.count })); } })}
          onClose={close}
        >
          {found === undefined ? t('runs.bulk.counting') : t('runs.bulk.count', { count: found })}
        </ConfirmDialog>
      ) : null}
    </div>
  );
}
