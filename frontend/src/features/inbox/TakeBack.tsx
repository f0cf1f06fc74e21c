import { Button } from '@mantine/core';
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
  const gone = task.taken_back ?? [];
  if (gone.length === 0 && !task.may_take_back) return null;
  return (
    <section>
      <ul className={classes.thens}>
        {gone.map((one, index) => <li key={index}>{t('inbox.taken_back', { name: one.by, outcome: one.word })} <RelativeTime at={one.at} /></li>)}
      </ul>
      <ProblemText error={act.error} />
      {task.may_take_back ? (
        <>
          <p className={classes.none}>{t('inbox.take_back.text')}</p>
          <Button loading={act.isPending} onClick={() => act.mutate({ act: 'take-back' }, { onSuccess: () => notifyDone(t('inbox.take_back.done')) })}>{t('inbox.take_back')}</Button>
        </>
      ) : null}
    </section>
  );
}
