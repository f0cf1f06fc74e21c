import { Checkbox } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { KeyboardEvent } from 'react';
import { nameOf } from '~/api/types';
import type { TaskItem } from '~/api/types';
import { useT } from '~/app/messages';
import { More } from '~/ui/More';
import type { MoreOf } from '~/ui/More';
import { RelativeTime } from '~/ui/RelativeTime';
import { useIntlTools } from '~/ui/time';
import classes from './InboxPage.module.css';
import { Next, Urgent } from './Course';
import { TimeLeft } from './TimeLeft';
import { outcomeDone } from './words';

interface Props {
  tasks: TaskItem[];
  /** The task beside the list. */
  opened: string | undefined;
  isDone: boolean;
  /** The fields of the address that stay when a task is opened. */
  search: Record<string, string | undefined>;
  /** Those to be answered together. */
  chosen: TaskItem[];
  more: MoreOf;
  onOpen: (id: string) => void;
  onChoose: (task: TaskItem) => void;
}

/** Arrow keys go through the list; the task beside it follows. */
export function TaskList({ tasks, opened, isDone, search, chosen, more, onOpen, onChoose }: Props) {
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
      <ul className={classes.tasks} data-boxes={tasks.some((one) => one.bulk) || undefined} onKeyDown={onKeyDown}>
        {tasks.map((task) => (
          <li key={task.id} data-chosen={task.id === opened || undefined}>
            {mayJoin(task, chosen) ? (
              <Checkbox className={classes.box} aria-label={t('inbox.bulk.choose', { title: task.title })} checked={chosen.some((one) => one.id === task.id)} onChange={() => onChoose(task)} />
            ) : <span className={classes.nobox} aria-hidden />}
            <Link to="/inbox/" search={{ ...search, task: task.id }} className={classes.task} data-task={task.id} aria-current={task.id === opened || undefined}>
              <span className={classes.name}>{task.title}</span>
              <span className={classes.meta}>
                <span>{task.stands_in_for ? t('inbox.for', { name: task.stands_in_for }) : task.requester ? t('inbox.from', { name: task.requester.name }) : task.flow.name}</span>
                {isDone ? <Ending task={task} /> : <TimeLeft due={task.due} />}
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

/** Whether a task can be answered together with those that are chosen; a chosen one can be let go. */
export function mayJoin(task: TaskItem, chosen: TaskItem[]): boolean {
  if (!task.bulk) return false;
  const first = chosen[0]?.bulk;
  if (!first || chosen.some((one) => one.id === task.id)) return true;
  return first.kind === task.bulk.kind && chosen.length < first.most;
}

function Ending({ task }: { task: TaskItem }) {
  const t = useT();
  const { short } = useIntlTools();
  const who = nameOf(task.decided_by);
  if (task.settles_at) return <span>{t('inbox.held', { outcome: task.pending_word ?? '', time: short(task.settles_at) })}</span>;
  const outcome = task.status === 'timed_out' ? t('inbox.overdue') : task.outcome_word || outcomeDone(task.status, t);
  return (
    <span>
      {who ? t('inbox.decided_by', { outcome, name: who }) : outcome} <RelativeTime at={task.decided_at} />
    </span>
  );
}
