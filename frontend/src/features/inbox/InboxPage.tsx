import { SegmentedControl } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTasks } from '~/api/tasks';
import type { TaskView } from '~/api/tasks';
import { useT } from '~/app/messages';
import { IconInbox } from '~/ui/icons';
import { useTitle } from '~/ui/Page';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { breakpoints } from '~/ui/tokens';
import classes from './InboxPage.module.css';
import { QuestionsForMe } from './Questions';
import { TaskList } from './TaskList';
import { TaskPane } from './TaskPane';

/** What waits for the person, beside the task that is open. One at a time on a phone. */
export function InboxPage() {
  const t = useT();
  const search = useSearch({ from: '/inbox' });
  const navigate = useNavigate({ from: '/inbox' });
  const phone = useMediaQuery(`(max-width: ${breakpoints.tablet - 1}px)`);
  const view: TaskView = search.state === 'done' ? 'done' : 'open';
  const list = useTasks(view);
  useTitle(t('inbox.title'));
  // Beside the list there is room for a task at once; on a phone the list comes first.
  const chosen = search.task ?? (phone ? undefined : list.items?.[0]?.id);
  const open = (task: string | undefined) => void navigate({ search: { ...search, task } });
  const empty = list.items?.length === 0 && !search.task;

  return (
    <div className={classes.page} data-open={search.task ? true : undefined}>
      <section className={classes.list} aria-label={t('inbox.list')}>
        <div className={classes.head}>
          <h1 className={classes.title}>{t('inbox.title')}</h1>
          <SegmentedControl
            aria-label={t('inbox.view')}
            value={view}
            onChange={(next) => void navigate({ search: next === 'done' ? { state: 'done' } : {} })}
            data={[
              { value: 'open', label: t('inbox.view.open') },
              { value: 'done', label: t('inbox.view.done') },
            ]}
          />
        </div>
        <QuestionsForMe />
        {list.items ? (
          list.items.length > 0 ? (
            <TaskList tasks={list.items} chosen={chosen} view={view} more={list} onOpen={open} />
          ) : phone || search.task ? (
            <Empty view={view} />
          ) : null
        ) : list.error ? (
          <ErrorState bare error={list.error} retry={() => void list.refetch()} />
        ) : (
          <ListSkeleton />
        )}
      </section>
      <section className={classes.pane} aria-label={t('inbox.view')}>
        {chosen ? (
          <TaskPane key={chosen} id={chosen} onBack={() => open(undefined)} />
        ) : (
          <div className={classes.blank}>{empty ? <Empty view={view} /> : list.items ? <EmptyState bare title={t('inbox.choose')} /> : null}</div>
        )}
      </section>
    </div>
  );
}

function Empty({ view }: { view: TaskView }) {
  const t = useT();
  return (
    <EmptyState bare icon={IconInbox} title={t(view === 'open' ? 'inbox.empty.title' : 'inbox.done.title')}>
      {t(view === 'open' ? 'inbox.empty.text' : 'inbox.done.text')}
    </EmptyState>
  );
}
