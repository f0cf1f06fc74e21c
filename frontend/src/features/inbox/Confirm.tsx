import { Button, Modal, Textarea } from '@mantine/core';
import { useRef } from 'react';
import type { KeyboardEvent } from 'react';
import type { TaskAnswer } from '~/api/types';
import { useT } from '~/app/messages';
import form from '~/features/settings/Settings.module.css';
import { ProblemText } from '~/ui/ProblemText';
import { toneOf } from './words';
import classes from './TaskPane.module.css';

interface Props {
  title: string;
  answer: TaskAnswer;
  comment: string;
  /** Whether an answer against it came without a word, which is asked about once. */
  asking: boolean;
  error: unknown;
  busy: boolean;
  onComment: (text: string) => void;
  onConfirm: () => void;
  onClose: () => void;
}

/** Asks before an answer that was chosen by a key: what it does, a comment, and then the button. */
export function Confirm({ title, answer, comment, asking, error, busy, onComment, onConfirm, onClose }: Props) {
  const t = useT();
  const field = useRef<HTMLTextAreaElement>(null);
  const confirm = () => {
    field.current?.focus();
    onConfirm();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.repeat) confirm();
  };
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <div className={form.form}>
        {answer.then ? <p className={form.text}>{answer.then}</p> : null}
        {asking ? <p className={classes.conflict} role="alert">{t('inbox.unsaid.title_own')} {t('inbox.unsaid.text_own')}</p> : null}
        <Textarea ref={field} data-autofocus label={t('inbox.comment')} description={t('inbox.confirm.hint')} autosize minRows={2} maxRows={6} maxLength={5000} value={comment} onChange={(event) => onComment(event.currentTarget.value)} onKeyDown={onKeyDown} />
        <ProblemText error={error} />
        <div className={form.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button {...toneOf(answer)} loading={busy} onClick={confirm}>{answer.label}</Button>
        </div>
      </div>
    </Modal>
  );
}
