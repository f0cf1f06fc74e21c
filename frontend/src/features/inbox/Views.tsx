import { Link } from '@tanstack/react-router';
import { TASK_VIEWS, useTaskCounts } from '~/api/tasks';
import type { TaskView } from '~/api/tasks';
import { useT } from '~/app/messages';
import classes from './Views.module.css';

/** The views with their numbers. Who stands in for nobody, and is late with nothing, need not read of it. */
export function Views({ view }: { view: TaskView }) {
  const t = useT();
  const counts = useTaskCounts().data ?? {};
  const shown = TASK_VIEWS.filter((one) => !['delegated', 'overdue'].includes(one) || one === view || (counts[one] ?? 0) > 0);
  return (
    <nav className={classes.views} aria-label={t('inbox.view')}>
      {shown.map((one) => (
        <Link key={one} to="/inbox/" search={one === 'all' ? {} : { view: one }} className={classes.view} data-chosen={one === view || undefined} aria-current={one === view ? 'page' : undefined}>
          {t(`inbox.view.${one}`)}
          {counts[one] ? <span className={classes.count}>{t('inbox.view.count', { count: counts[one], more: counts[one] > 999 ? 'yes' : 'no' })}</span> : null}
        </Link>
      ))}
    </nav>
  );
}
