import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { ReactNode } from 'react';
import type { TaskDecision } from '~/api/changes';
import { useRight } from '~/api/me';
import { useTask } from '~/api/tasks';
import { nameOf } from '~/api/types';
import type { Task } from '~/api/types';
import { useT } from '~/app/messages';
import { IconArrowLeft, IconCircleCheck, IconClock, IconHourglass } from '~/ui/icons';
import { RelativeTime } from '~/ui/RelativeTime';
import { ErrorState, PageSkeleton } from '~/ui/States';
import { useIntlTools } from '~/ui/time';
import { Before } from './Before';
import { Anew, Changed } from './Changed';
import { Course, Urgent } from './Course';
import { Decision } from './Decision';
import { FactValue } from './FactValue';
import { Markdown } from './Markdown';
import { Questions } from './Questions';
import { Returned } from './Returned';
import { TakeBack } from './TakeBack';
import classes from './TaskPane.module.css';
import { TaskActions } from './TaskActions';
import { TimeLeft } from './TimeLeft';
import { useFilled } from './useFilled';
import type { Filled } from './useFilled';

// Forms are loaded where there is one.
const TaskForm = lazy(() => import('./TaskForm').then((found) => ({ default: found.TaskForm })));

/** One task: what is asked, by whom, until when, on which facts, and what each answer does. */
export function TaskPane({ id, onBack }: { id: string; onBack: () => void }) {
  const { data: task, error, refetch } = useTask(id);
  // A form that comes or goes is filled in anew.
  if (task) return <Opened key={`${id} ${task.form ? 'form' : ''}`} task={task} refresh={() => void refetch()} onBack={onBack} />;
  return (
    <Framed onBack={onBack}>
      {error ? <ErrorState bare error={error} retry={() => void refetch()} /> : <PageSkeleton />}
    </Framed>
  );
}

function Opened({ task, refresh, onBack }: { task: Task; refresh: () => void; onBack: () => void }) {
  const filled = useFilled(task);
  return (
    <Framed title={task.title} onBack={onBack} below={task.status === 'open' && !task.settles_at ? <Decision task={task} filled={filled} refresh={refresh} /> : null}>
      <TaskSheet task={task} filled={filled} />
    </Framed>
  );
}

function Framed({ title, onBack, children, below }: { title?: string; onBack: () => void; children: ReactNode; below?: ReactNode }) {
  const t = useT();
  return (
    <article className={classes.pane}>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long facts scroll by keyboard */}
      <div className={classes.scroll} tabIndex={0} role="region" aria-label={title ?? t('inbox.title')}>
        <div className={classes.sheet}>
          <Button className={classes.back} variant="subtle" color="gray" leftSection={<IconArrowLeft size={16} aria-hidden />} onClick={onBack}>
            {t('inbox.back')}
          </Button>
          {children}
        </div>
      </div>
      {below}
    </article>
  );
}

function TaskSheet({ task, filled }: { task: Task; filled: Filled }) {
  const t = useT();
  const seesRuns = useRight('run.view');
  return (
    <>
      <header>
        <h2 className={classes.title}>{task.title}</h2>
        {task.stage_name ? <p className={classes.plain}>{task.stage_name}</p> : null}
        <dl className={classes.about}>
          {task.amount ? <div className={classes.amount}><dt>{task.amount.label}</dt><dd><FactValue value={task.amount.value} /></dd></div> : null}
          {task.kind === 'exception' ? null : <div><dt>{t('inbox.asked_by')}</dt><dd>{task.requester?.name ?? t('inbox.from_nobody')}</dd></div>}
          <div><dt>{t('inbox.asked')}</dt><dd><RelativeTime at={task.opened_at} /></dd></div>
          {task.status === 'open' && !task.settles_at ? <div><dt>{t('inbox.due')}</dt><dd><TimeLeft due={task.due} plain /> <Urgent task={task} /></dd></div> : null}
          {task.respond_by ? <div><dt>{t('inbox.respond_by')}</dt><dd><RelativeTime at={task.respond_by} /></dd></div> : null}
          <div>
            <dt>{t('inbox.flow')}</dt>
            <dd>{seesRuns && task.run ? <Link to="/runs/$runId/" params={{ runId: task.run }} title={t('inbox.open_run')}>{task.flow.name}</Link> : task.flow.name}</dd>
          </div>
        </dl>
        {task.why ? <p className={classes.why}>{task.why}</p> : null}
      </header>
      <Closed task={task} />
      <Held task={task} />
      {task.details ? <section><h3 className={classes.heading}>{t('inbox.details')}</h3><Markdown text={task.details} /></section> : null}
      <Changed task={task} />
      <section>
        <h3 className={classes.heading}>{t('inbox.facts')}</h3>
        {task.facts.length > 0 ? (
          <dl className={classes.facts}>
            {task.facts.map((fact, index) => (
              <div key={index}><dt>{fact.label}</dt><dd><FactValue value={fact.value} /></dd></div>
            ))}
          </dl>
        ) : (
          <p className={classes.none}>{t('inbox.facts_none')}</p>
        )}
      </section>
      {task.form ? <Suspense fallback={<PageSkeleton />}><TaskForm task={task} filled={filled} /></Suspense> : null}
      {task.status === 'open' ? (
        <section>
          <h3 className={classes.heading}>{t(task.kind === 'fill_in' ? 'inbox.then' : task.settles_at ? 'inbox.consequences_held' : 'inbox.consequences')}</h3>
          <dl className={classes.facts}>
            {task.answers.filter((answer) => answer.then).map((answer) => <div key={answer.outcome}><dt>{answer.label}</dt><dd>{answer.then}</dd></div>)}
            {task.undo ? <div><dt>{t('inbox.once_decided')}</dt><dd>{task.undo}</dd></div> : null}
            {task.without_answer && !task.settles_at ? <div><dt>{t('inbox.no_answer')}</dt><dd>{task.without_answer}</dd></div> : null}
          </dl>
        </section>
      ) : null}
      <Course task={task} />
      <section>
        <h3 className={classes.heading}>{t(task.kind === 'fill_in' ? 'inbox.who_fills' : 'inbox.who')}</h3>
        <p className={classes.plain}>{t('inbox.who_list', { names: task.assignees.join(', '), rule: task.rule })}</p>
      </section>
      <Returned task={task} />
      <Questions task={task} />
      <Answers task={task} />
      <TakeBack task={task} />
      <Before before={task.similar ?? []} />
      <TaskActions task={task} />
    </>
  );
}

/** Who has answered what, and why they said so; what earlier stages said comes first. */
function Answers({ task }: { task: Task }) {
  const t = useT();
  const groups = [
    ...(task.earlier ?? []).map((stage) => ({ ...stage, name: t('inbox.stage_before', { name: stage.name }) })),
    { name: t('inbox.so_far'), decisions: task.decisions },
  ].filter((one) => one.decisions.length > 0);
  return groups.map((group) => (
    <section key={group.name}>
      <h3 className={classes.heading}>{group.name}</h3>
      <ul className={classes.thens}>
        {group.decisions.map((one, index) => <Answer key={index} given={one} />)}
      </ul>
    </section>
  ));
}

function Answer({ given }: { given: TaskDecision }) {
  const t = useT();
  return (
    <li>
      {t('inbox.one_answer', { name: given.on_behalf_of ? t('inbox.on_behalf_of', { name: given.by, other: given.on_behalf_of }) : given.by, outcome: given.word })} <RelativeTime at={given.at} />
      {given.stale ? <p className={classes.stale}><IconClock size={16} aria-hidden /> {t('inbox.stale')}</p> : null}
      {given.in_exception ? <p className={classes.plain}>{t('inbox.in_exception')}</p> : null}
      {given.comment ? <p className={classes.plain}>{t('inbox.one_comment', { comment: given.comment })}</p> : null}
      {given.filled_in && given.filled_in.length > 0 ? (
        <dl className={classes.facts}>
          {given.filled_in.map((one) => <div key={one.name}><dt dir="auto">{one.label}</dt><dd dir="auto"><FactValue value={one.value} /></dd></div>)}
        </dl>
      ) : null}
    </li>
  );
}

/** It is decided, and can still be taken back: as what, until when. */
function Held({ task }: { task: Task }) {
  const t = useT();
  const { short } = useIntlTools();
  if (!task.settles_at) return null;
  return (
    <div className={classes.conflict} role="status">
      <IconHourglass size={16} aria-hidden />
      <p>
        <strong>{t('inbox.held', { outcome: task.pending_word ?? '', time: short(task.settles_at) })}</strong>
        {t('inbox.held.text')}
      </p>
    </div>
  );
}

function Closed({ task }: { task: Task }) {
  const t = useT();
  if (task.status === 'open') return null;
  const who = nameOf(task.decided_by);
  const outcome = task.outcome_word;
  const side = task.answers.find((one) => one.outcome === task.outcome)?.side ?? undefined;
  return (
    <p className={classes.closed} data-status={task.status} data-side={side} role="status">
      {task.status === 'decided' ? <IconCircleCheck size={16} aria-hidden /> : <IconClock size={16} aria-hidden />}
      {task.status === 'decided'
        ? who ? t('inbox.decided_by', { outcome, name: who }) : t('inbox.decided_plain', { outcome })
        : t(task.superseded_at ? 'inbox.closed.anew' : task.status === 'timed_out' ? 'inbox.closed.timed_out' : 'inbox.closed.cancelled')}{' '}
      <RelativeTime at={task.decided_at} /> <Anew task={task} />
    </p>
  );
}
