import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTaskAct } from '~/api/people';
import type { Task } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import classes from './TaskPane.module.css';

/** Answers that were taken back, and one's own while that is possible. */
export function TakeBack({ task }: { task: Task }) {
  const t = useT();
  const act = useTaskAct(task.id);
  const [reason, setReason] = useState('');
  const gone = task.taken_back ?? [];
  if (gone.length === 0 && !task.may_take_back) return null;
  const takeBack = () =>
    act.mutate(
      { act: 'take-back', body: { reason: reason.trim() } },
      { onSuccess: () => { setReason(''); notifyDone(t('inbox.take_back.done')); } },
    );
  return (
    <section>
      <ul className={classes.thens}>
        {gone.map((one, index) => <li key={index}>{t('inbox.taken_back', { name: one.by, outcome: one.word })} <RelativeTime at={one.at} /></li>)}
      </ul>
      <ProblemText error={act.error} />
      {task.may_take_back ? (
        <>
          <TextInput label={t('inbox.take_back.reason')} description={t('inbox.take_back.text')} maxLength={5000} mb={12} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
          <Button loading={act.isPending} onClick={takeBack}>{t('inbox.take_back')}</Button>
        </>
      ) : null}
    </section>
  );
}
