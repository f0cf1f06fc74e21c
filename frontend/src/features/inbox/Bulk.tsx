import { Button, Modal, Textarea } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { newKey } from '~/api/client';
import { useBulkDecide, useBulkPreview } from '~/api/tasks';
import type { BulkLine } from '~/api/tasks';
import type { TaskAnswer, TaskItem } from '~/api/types';
import { useT } from '~/app/messages';
import { ProblemText } from '~/ui/ProblemText';
import { ErrorState, ListSkeleton } from '~/ui/States';
import classes from './Bulk.module.css';
import { FactValue } from './FactValue';
import { toneOf } from './words';

type Answer = Omit<TaskAnswer, 'then'>;

/** Below the list while tasks are chosen: what they can all be answered. */
export function BulkBar({ tasks, onClear }: { tasks: TaskItem[]; onClear: () => void }) {
  const t = useT();
  const [answer, setAnswer] = useState<Answer | undefined>();
  const bulk = tasks[0]?.bulk;
  if (!bulk) return null;
  return (
    <div className={classes.bar} role="region" aria-label={t('inbox.bulk')}>
      <span role="status">{t('inbox.bulk.chosen', { count: tasks.length, most: bulk.most })}</span>
      {bulk.answers.map((one) => (
        <Button key={one.outcome} size="xs" {...toneOf({ ...one, then: '' })} onClick={() => setAnswer(one)}>{t('inbox.bulk.answer', { answer: one.label, count: tasks.length })}</Button>
      ))}
      <Button size="xs" variant="subtle" color="gray" onClick={onClear}>{t('inbox.bulk.clear')}</Button>
      {answer ? <BulkDialog tasks={tasks} answer={answer} onClose={(done) => { setAnswer(undefined); if (done) onClear(); }} /> : null}
    </div>
  );
}

/** What will happen to each, one comment, and then what happened to each. */
function BulkDialog({ tasks, answer, onClose }: { tasks: TaskItem[]; answer: Answer; onClose: (done: boolean) => void }) {
  const t = useT();
  const [id] = useState(newKey);
  const preview = useBulkPreview(tasks.map((one) => one.id), answer.outcome);
  const decide = useBulkDecide();
  const [comment, setComment] = useState('');
  const [unsaid, setUnsaid] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const done = decide.data !== undefined;
  const lines = decide.data ? merged(preview.data?.results ?? [], decide.data.results) : preview.data?.results;
  const ready = lines?.filter((one) => !one.problem) ?? [];

  const send = () => {
    if (answer.side === 'against' && !comment.trim() && !unsaid) {
      setUnsaid(true);
      field.current?.focus();
      return;
    }
    decide.mutate({ id, outcome: answer.outcome, comment: comment.trim(), items: ready.map(({ task, seen }) => ({ task, seen })) });
  };
  return (
    <Modal opened size="lg" onClose={() => onClose(done)} title={t('inbox.bulk.title', { answer: answer.label, count: tasks.length })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      {lines ? (
        <div className={classes.body}>
          <p role="status">{done ? t('inbox.bulk.answered', { count: ready.length }) : t('inbox.bulk.text', { count: ready.length })}</p>
          <ul className={classes.lines}>{lines.map((one) => <Line key={one.task} line={one} done={done} />)}</ul>
          {done ? null : (
            <>
              {unsaid && !comment.trim() ? <p role="alert" className={classes.unsaid}><strong>{t('inbox.unsaid.title_own')}</strong> {t('inbox.unsaid.text_own')}</p> : null}
              <Textarea ref={field} data-autofocus label={t('inbox.bulk.comment')} description={t('inbox.comment_hint')} autosize minRows={1} maxRows={6} maxLength={5000} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
            </>
          )}
          <ProblemText error={decide.error} />
          <div className={classes.buttons}>
            {done ? <Button variant="filled" onClick={() => onClose(true)}>{t('app.close')}</Button> : (
              <>
                <Button onClick={() => onClose(false)}>{t('app.cancel')}</Button>
                {ready.length > 0 ? <Button {...toneOf({ ...answer, then: '' })} loading={decide.isPending} onClick={send}>{t('inbox.bulk.answer', { answer: answer.label, count: ready.length })}</Button> : null}
              </>
            )}
          </div>
        </div>
      ) : preview.error ? <ErrorState bare error={preview.error} retry={() => void preview.refetch()} /> : <ListSkeleton />}
    </Modal>
  );
}

/** What was sent has a result of its own; what was left out before stays as it was said then. */
function merged(before: BulkLine[], results: BulkLine[]): BulkLine[] {
  const found = new Map(results.map((one) => [one.task, one.problem]));
  return before.map((one) => ({ ...one, problem: found.get(one.task) ?? one.problem }));
}

function Line({ line, done }: { line: BulkLine; done: boolean }) {
  const t = useT();
  return (
    <li data-problem={line.problem ? true : undefined}>
      <Link to="/inbox/" search={{ task: line.task }}>{line.title || t('inbox.bulk.not_yours')}</Link>
      <span className={classes.about}>
        {line.requester ? <span>{t('inbox.from', { name: line.requester })}</span> : null}
        {line.amount ? <span>{t('inbox.bulk.amount', { label: line.amount.label })} <FactValue value={line.amount.value} /></span> : null}
      </span>
      {line.problem ? <span className={classes.problem}>{t(done ? 'inbox.bulk.was_not' : 'inbox.bulk.will_not', { why: line.problem })}</span> : done ? <span className={classes.about}>{t('inbox.bulk.is')}</span> : <span className={classes.about}>{line.then}</span>}
    </li>
  );
}
