import { Button, Textarea } from '@mantine/core';
import { useRef, useState } from 'react';
import { isProblem } from '~/api/problem';
import { useDecide } from '~/api/tasks';
import type { Task, TaskAnswer } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { Confirm } from './Confirm';
import { lettersOf, useLetterKeys } from './keys';
import classes from './TaskPane.module.css';
import type { Filled } from './useFilled';
import { outcomeDone, toneOf } from './words';

/**
 * Comment and answers, fixed at the bottom. What is sent names the facts that are on the screen; if
 * they have changed meanwhile, nothing is decided and the person is shown the task anew.
 */
export function Decision({ task, filled, refresh }: { task: Task; filled?: Filled; refresh: () => void }) {
  const t = useT();
  const decide = useDecide(task.id);
  const [comment, setComment] = useState('');
  // The facts that this person has before them, also while a newer task arrives by itself.
  const [seen, setSeen] = useState(task.seen);
  const [heard, setHeard] = useState(task.heard ?? 0);
  const changed = seen !== task.seen || heard !== (task.heard ?? 0) || isProblem(decide.error, 409);

  // One tap on a phone must not refuse somebody without a word.
  const [unsaid, setUnsaid] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);

  // A letter asks; it decides nothing by itself.
  const [asked, setAsked] = useState<TaskAnswer | undefined>();
  const answer = ({ outcome, side, label }: TaskAnswer) => {
    if (side === 'against' && task.kind !== 'exception' && !comment.trim() && !unsaid) {
      setUnsaid(true);
      field.current?.focus();
      return;
    }
    decide.mutate(
      { outcome, comment: comment.trim(), seen, heard, ...filled?.withAnswer(outcome) },
      {
        onSuccess: () => {
          filled?.draft.drop();
          notifyDone(t('inbox.done_note', { outcome: outcomeDone(outcome, t, label) }));
        },
        onError: (error) => {
          if (isProblem(error, 'answers_refused')) setAsked(undefined);
          filled?.refuse(error);
        },
      },
    );
  };
  const showNow = () => {
    decide.reset();
    setSeen(task.seen);
    setHeard(task.heard ?? 0);
    refresh();
  };
  const letters = lettersOf(task.answers);
  useLetterKeys((key) => {
    const found = task.may_decide && !changed && !decide.isPending ? task.answers.find((one) => letters[one.outcome] === key) : undefined;
    if (found) setAsked(found);
    return found !== undefined;
  });
  const isPlain = task.outcomes.includes('rejected');
  const asking = unsaid && !changed && !comment.trim();
  if (!task.may_decide) {
    return <div className={classes.bar}><p className={classes.none}>{task.why_not || t('inbox.why_not')}</p></div>;
  }
  return (
    <div className={classes.bar}>
      <div className={classes.form}>
        {changed ? (
          <div className={classes.conflict} role="alert">
            <p>
              <strong>{t('inbox.conflict.title')}</strong>
              {isProblem(decide.error, 409) ? decide.error.message : ''} {comment ? t('inbox.conflict.kept') : ''}
            </p>
            <Button onClick={showNow}>{t('inbox.conflict.show')}</Button>
          </div>
        ) : (
          <ProblemText error={decide.error} />
        )}
        {asking ? (
          <div className={classes.conflict} role="alert">
            <p>
              <strong>{t(isPlain ? 'inbox.unsaid.title' : 'inbox.unsaid.title_own')}</strong>
              {t(isPlain ? 'inbox.unsaid.text' : 'inbox.unsaid.text_own')}
            </p>
          </div>
        ) : null}
        <Textarea ref={field} label={t('inbox.comment')} description={t('inbox.comment_hint')} autosize minRows={1} maxRows={6} maxLength={5000} value={comment} onChange={(event) => setComment(event.currentTarget.value)} />
        <div className={classes.buttons}>
          {task.answers.map((one) => (
            <Button
              key={one.outcome}
              {...toneOf(one)}
              loading={decide.isPending && decide.variables.outcome === one.outcome}
              disabled={changed || decide.isPending}
              aria-keyshortcuts={letters[one.outcome]}
              onClick={() => answer(one)}
            >
              {asking && one.outcome === 'rejected' ? t('inbox.unsaid.reject') : one.label}
            </Button>
          ))}
        </div>
      </div>
      {asked && !changed ? (
        <Confirm
          title={t('inbox.confirm', { answer: asked.label, title: task.title })}
          answer={asked}
          comment={comment}
          asking={asking}
          error={decide.error}
          busy={decide.isPending}
          onComment={setComment}
          onConfirm={() => answer(asked)}
          onClose={() => setAsked(undefined)}
        />
      ) : null}
    </div>
  );
}
