import { Link } from '@tanstack/react-router';
import type { KeyboardEvent } from 'react';
import { nameOf } from '~/api/types';
import type { TaskItem } from '~/api/types';
import type { TaskView } from '~/api/tasks';
import { useT } from '~/app/messages';
import { More } from '~/ui/More';
import type { MoreOf } from '~/ui/More';
import { RelativeTime } from '~/ui/RelativeTime';
import classes from './InboxPage.module.css';
import { Next, Urgent } from './Course';
import { TimeLeft } from './TimeLeft';
import { outcomeDone } from './words';

interface Props {
  tasks: TaskItem[];
  chosen: string | undefined;
  view: TaskView;
  more: MoreOf;
  onOpen: (id: string) => void;
}

/** Arrow keys go through the list; the task beside it follows. */
export function TaskList({ tasks, chosen, view, more, onOpen }: Props) {
  const t = useT();
  const onKeyDown = (event: KeyboardEvent<HTMLUListElement>) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    const links = [...event.currentTarget.querySelectorAll<HTMLAnchorElement>('a')];
    const next = links[links.indexOf(document.activeElement as HTMLAnchorElement) + step];
    const task = next ? tasks[links.indexOf(next)] : undefined;
    if (step === 0 || !next || !task) return;
    event.preventDefault();
    next.focus();
    onOpen(task.id);
  };
  return (
    <>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- keys on links inside */}
      <ul className={classes.tasks} onKeyDown={onKeyDown}>
        {tasks.map((task) => (
          <li key={task.id}>
            <Link to="/inbox/" search={{ task: task.id, ...(view === 'done' ? { state: 'done' } : {}) }} className={classes.task} data-chosen={task.id === chosen || undefined} aria-current={task.id === chosen || undefined}>
              <span className={classes.name}>{task.title}</span>
              <span className={classes.meta}>
                <span>{task.stands_in_for ? t('inbox.for', { name: task.stands_in_for }) : task.requester ? t('inbox.from', { name: task.requester.name }) : task.flow.name}</span>
                {view === 'open' ? <TimeLeft due={task.due} /> : <Ending task={task} />}
                <Urgent task={task} />
              </span>
              <Next task={task} />
            </Link>
          </li>
        ))}
      </ul>
      <div className={classes.more}><More of={more} /></div>
    </>
  );
}

function Ending({ task }: { task: TaskItem }) {
  const t = useT();
  const who = nameOf(task.decided_by);
  const outcome = task.status === 'timed_out' ? t('inbox.overdue') : task.outcome_word || outcomeDone(task.status, t);
  return (
    <span>
      {who ? t('inbox.decided_by', { outcome, name: who }) : outcome} <RelativeTime at={task.decided_at} />
    </span>
  );
}
