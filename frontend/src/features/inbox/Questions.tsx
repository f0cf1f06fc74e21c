import { Button, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useMe } from '~/api/me';
import { useAnswer, useAsk, useQuestions, useTakeBack } from '~/api/questions';
import type { QuestionItem } from '~/api/questions';
import type { Task } from '~/api/types';
import { useT } from '~/app/messages';
import form from '~/features/settings/Settings.module.css';
import { ChoosePerson } from '~/ui/ChoosePerson';
import { More } from '~/ui/More';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import page from './InboxPage.module.css';
import own from './Questions.module.css';
import classes from './TaskPane.module.css';

/** What was asked about a task and what was answered; who decides asks for more here. */
export function Questions({ task }: { task: Task }) {
  const t = useT();
  const back = useTakeBack();
  const [asking, setAsking] = useState(false);
  const questions = task.questions ?? [];
  const mayAsk = task.may_decide;
  if (questions.length === 0 && !mayAsk) return null;
  return (
    <section>
      <h3 className={classes.heading}>{t('inbox.questions')}</h3>
      {task.paused_at ? <p className={classes.note}>{t('inbox.questions.stands_still')} <RelativeTime at={task.paused_at} /></p> : null}
      <ul className={classes.thens}>
        {questions.map((one) => (
          <li key={one.id}>
            {t('inbox.questions.asked', { name: one.by, other: one.of })} <RelativeTime at={one.asked_at} />
            <p className={classes.plain}>{t('inbox.one_comment', { comment: one.text })}</p>
            {one.answer ? (
              <p className={classes.plain}>{t('inbox.questions.answered', { name: one.of, text: one.answer })} <RelativeTime at={one.answered_at} /></p>
            ) : (
              <p className={classes.plain}>{one.state}</p>
            )}
            {one.may_take_back ? <Button size="xs" loading={back.isPending && back.variables === one.id} onClick={() => back.mutate(one.id)}>{t('inbox.questions.take_back')}</Button> : null}
          </li>
        ))}
      </ul>
      <ProblemText error={back.error} />
      {mayAsk ? <Button onClick={() => setAsking(true)}>{t('inbox.questions.ask')}</Button> : null}
      {asking ? <Ask task={task} onClose={() => setAsking(false)} /> : null}
    </section>
  );
}

function Ask({ task, onClose }: { task: Task; onClose: () => void }) {
  const t = useT();
  const me = useMe();
  const ask = useAsk(task.id);
  const [text, setText] = useState('');
  const [of, setOf] = useState('');
  const known = task.requester?.email !== undefined && task.requester.email !== me.email ? task.requester : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    ask.mutate({ text, of }, { onSuccess: () => { notifyDone(t('inbox.questions.sent')); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={t('inbox.questions.ask')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={form.form}>
        <p className={form.text}>{t('inbox.questions.text')}</p>
        <Textarea required autosize minRows={3} maxLength={5000} label={t('inbox.questions.question')} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <ChoosePerson
          label={t('inbox.questions.whom')}
          description={known ? t('inbox.questions.requester', { name: known.name }) : ''}
          value={of}
          onChange={setOf}
          but={[me.email]}
          required={!known}
        />
        <ProblemText error={ask.error} />
        <div className={form.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={ask.isPending} disabled={!text.trim() || (!of && !known)}>{t('inbox.questions.send')}</Button>
        </div>
      </form>
    </Modal>
  );
}

/** Above the list: what others wait for before they decide. Not there where nobody asks. */
export function QuestionsForMe() {
  const t = useT();
  const list = useQuestions();
  const [open, setOpen] = useState<QuestionItem | undefined>();
  if (!list.items?.length) return null;
  return (
    <section className={own.questions} aria-label={t('inbox.questions.for_me')}>
      <h2 className={own.subtitle}>{t('inbox.questions.for_me')}</h2>
      <ul className={own.list}>
        {list.items.map((one) => (
          <li key={one.id}>
            <button type="button" className={own.item} onClick={() => setOpen(one)}>
              <span className={page.name}>{one.title}</span>
              <span className={page.meta}><span>{t('inbox.questions.asks', { name: one.by })}</span> <RelativeTime at={one.asked_at} /></span>
            </button>
          </li>
        ))}
      </ul>
      <More of={list} />
      {open ? <Answer question={open} onClose={() => setOpen(undefined)} /> : null}
    </section>
  );
}

function Answer({ question, onClose }: { question: QuestionItem; onClose: () => void }) {
  const t = useT();
  const answer = useAnswer(question.id);
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    answer.mutate({ text }, { onSuccess: () => { notifyDone(t('inbox.questions.answer_sent')); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={question.title} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={form.form}>
        <p className={form.text}>{t('inbox.questions.asks', { name: question.by })} <RelativeTime at={question.asked_at} /></p>
        <p className={classes.plain}>{t('inbox.one_comment', { comment: question.text })}</p>
        <Textarea required data-autofocus autosize minRows={4} maxLength={5000} label={t('inbox.questions.answer')} description={t('inbox.questions.answer_hint')} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <ProblemText error={answer.error} />
        <div className={form.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={answer.isPending} disabled={!text.trim()}>{t('inbox.questions.answer_send')}</Button>
        </div>
      </form>
    </Modal>
  );
}
