import { Button } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { TASK_VIEWS, useTask, useTasks } from '~/api/tasks';
import type { TaskFilter, TaskView } from '~/api/tasks';
import type { TaskItem } from '~/api/types';
import { useT } from '~/app/messages';
import { SearchBox } from '~/ui/Filter';
import { IconInbox, IconKeyboard, IconSearch } from '~/ui/icons';
import { useTitle } from '~/ui/Page';
import { EmptyState, ErrorState, ListSkeleton } from '~/ui/States';
import { breakpoints } from '~/ui/tokens';
import { BulkBar } from './Bulk';
import { Filters } from './Filters';
import classes from './InboxPage.module.css';
import { useLetterKeys } from './keys';
import { KeysDialog } from './KeysDialog';
import { QuestionsForMe } from './Questions';
import { mayJoin, TaskList } from './TaskList';
import { TaskPane } from './TaskPane';
import { Views } from './Views';
import views from './Views.module.css';

/** What waits for the person, beside the task that is open. One at a time on a phone. */
export function InboxPage() {
  const t = useT();
  const { task: wanted, state, view: named, ...narrow } = useSearch({ from: '/inbox' });
  const navigate = useNavigate({ from: '/inbox' });
  const phone = useMediaQuery(`(max-width: ${breakpoints.tablet - 1}px)`);
  const view: TaskView = TASK_VIEWS.find((one) => one === named) ?? (state === 'done' ? 'done' : 'all');
  const filter: TaskFilter = { view, ...narrow };
  const fields = { ...narrow, view: view === 'all' ? undefined : view };
  const list = useTasks(filter);
  const [many, setMany] = useState<TaskItem[]>([]);
  const [help, setHelp] = useState(false);
  const box = useRef<HTMLElement>(null);
  useTitle(t('inbox.title'));
  // Beside the list there is room for a task at once; on a phone the list comes first.
  const opened = wanted ?? (phone ? undefined : list.items?.[0]?.id);
  const answers = useTask(opened).data?.answers ?? [];
  const open = (task: string | undefined) => void navigate({ search: { ...fields, task } });
  const show = (next: TaskFilter) => {
    setMany([]);
    void navigate({ search: { ...next, view: next.view === 'all' ? undefined : next.view } });
  };
  // What a filter brings is shown in the search box, too.
  const [taken, setTaken] = useState(0);
  const take = (next: TaskFilter) => {
    setTaken(taken + 1);
    show(next);
  };
  const isNarrow = Object.values(narrow).some(Boolean);
  const empty = list.items?.length === 0 && !wanted;
  const blank = <Empty view={view} isNarrow={isNarrow} onAll={() => take({})} />;
  const choose = (task: TaskItem) => setMany(many.some((one) => one.id === task.id) ? many.filter((one) => one.id !== task.id) : [...many, task]);

  const walk = (step: number) => {
    const links = [...(box.current?.querySelectorAll<HTMLAnchorElement>('a[data-task]') ?? [])];
    const focused = links.findIndex((one) => one === document.activeElement);
    const at = focused >= 0 ? focused : links.findIndex((one) => one.dataset['task'] === opened);
    const next = links[Math.max(0, Math.min(links.length - 1, at + step))];
    if (!next) return;
    next.focus();
    // On a phone the list is hidden by the task: Enter opens, unless one is open already.
    if (!phone || wanted) open(next.dataset['task']);
  };
  useLetterKeys((key) => {
    if (key === 'j' || key === 'k') walk(key === 'j' ? 1 : -1);
    else if (key === '/') box.current?.querySelector<HTMLInputElement>('input[type="search"]')?.focus();
    else if (key === '?') setHelp(true);
    else if (key === 'x') {
      const focused = (document.activeElement as HTMLElement | null)?.dataset['task'] ?? opened;
      const task = list.items?.find((one) => one.id === focused);
      if (task && mayJoin(task, many)) choose(task);
    } else return false;
    return true;
  });

  return (
    <div className={classes.page} data-open={wanted ? true : undefined}>
      <section ref={box} className={classes.list} aria-label={t('inbox.list')}>
        <div className={classes.head}>
          <div className={classes.first}>
            <h1 className={classes.title}>{t('inbox.title')}</h1>
            <Button className={classes.keys} variant="subtle" color="gray" size="xs" leftSection={<IconKeyboard size={16} aria-hidden />} onClick={() => setHelp(true)}>{t('inbox.keys.short')}</Button>
          </div>
          <Views view={view} />
          <div className={views.tools}>
            <SearchBox key={taken} label={t('inbox.search')} value={narrow.search} onChange={(search) => show({ ...filter, search })} />
            <Filters filter={filter} onChoose={take} />
          </div>
        </div>
        <QuestionsForMe />
        {list.items ? (
          list.items.length > 0 ? (
            <TaskList tasks={list.items} opened={opened} isDone={view === 'done'} search={fields} chosen={many} more={list} onOpen={open} onChoose={choose} />
          ) : phone || wanted || isNarrow ? (
            blank
          ) : null
        ) : list.error ? (
          <ErrorState bare error={list.error} retry={() => void list.refetch()} />
        ) : (
          <ListSkeleton />
        )}
        {many.length > 0 ? <BulkBar tasks={many} onClear={() => setMany([])} /> : null}
      </section>
      <section className={classes.pane} aria-label={t('inbox.task')}>
        {opened ? (
          <TaskPane key={opened} id={opened} onBack={() => open(undefined)} />
        ) : (
          <div className={classes.blank}>{empty && !isNarrow ? blank : list.items ? <EmptyState bare title={t('inbox.choose')} /> : null}</div>
        )}
      </section>
      <KeysDialog opened={help} answers={answers} onClose={() => setHelp(false)} />
    </div>
  );
}

function Empty({ view, isNarrow, onAll }: { view: TaskView; isNarrow: boolean; onAll: () => void }) {
  const t = useT();
  if (isNarrow || !['all', 'done'].includes(view)) {
    return (
      <EmptyState bare icon={isNarrow ? IconSearch : IconInbox} title={t(isNarrow ? 'inbox.none.title' : 'inbox.none.view')} action={<Button onClick={onAll}>{t('inbox.none.all')}</Button>}>
        {isNarrow ? t('inbox.none.text') : null}
      </EmptyState>
    );
  }
  return (
    <EmptyState bare icon={IconInbox} title={t(view === 'all' ? 'inbox.empty.title' : 'inbox.done.title')}>
      {t(view === 'all' ? 'inbox.empty.text' : 'inbox.done.text')}
    </EmptyState>
  );
}
