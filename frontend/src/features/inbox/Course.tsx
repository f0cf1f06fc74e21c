import { Tooltip } from '@mantine/core';
import type { Task, TaskItem } from '~/api/types';
import { useT } from '~/app/messages';
import { IconAlertCircle } from '~/ui/icons';
import { useIntlTools } from '~/ui/time';
import list from './InboxPage.module.css';
import classes from './TaskPane.module.css';

/** What has happened in the time of a task, and what will while nobody answers. */
export function Course({ task }: { task: Task }) {
  const t = useT();
  const { short, exact } = useIntlTools();
  const stops = task.course ?? [];
  if (stops.length === 0) return null;
  return (
    <section>
      <h3 className={classes.heading}>{t(task.status === 'open' ? 'inbox.course' : 'inbox.course_done')}</h3>
      <dl className={classes.facts}>
        {stops.map((stop, index) => (
          <div key={index}>
            <dt><Tooltip label={exact(stop.at)}><time dateTime={stop.at}>{short(stop.at)}</time></Tooltip></dt>
            <dd>{stop.words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Marks a task that has become urgent; a word beside the icon. */
export function Urgent({ task }: { task: TaskItem }) {
  const t = useT();
  if (task.urgency !== 'urgent' || task.status !== 'open') return null;
  return <span className={list.urgent}><IconAlertCircle size={14} aria-hidden />{t('inbox.urgent')}</span>;
}

/** What happens to a task first, in a line of the list. */
export function Next({ task }: { task: TaskItem }) {
  const t = useT();
  const { short } = useIntlTools();
  if (!task.next || task.status !== 'open') return null;
  return <span className={list.next}>{t('inbox.next', { time: short(task.next.at), words: task.next.words })}</span>;
}
