import { Button, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { useMe } from '~/api/me';
import { useTaskAct } from '~/api/people';
import type { Task } from '~/api/types';
import { useT } from '~/app/messages';
import form from '~/features/settings/Settings.module.css';
import { ChoosePerson } from '~/ui/ChoosePerson';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { RelativeTime } from '~/ui/RelativeTime';
import classes from './TaskPane.module.css';

/** Whose it is: take it, give it back, hand it over; and a rule that two people set aside. */
export function TaskActions({ task }: { task: Task }) {
  const t = useT();
  const act = useTaskAct(task.id);
  const [open, setOpen] = useState<'hand' | 'ask' | undefined>();
  const close = () => { act.reset(); setOpen(undefined); };
  const asked = task.exceptions ?? [];
  return (
    <>
      {task.claimed_by ? <p className={classes.note}>{t('inbox.taken_by', { name: task.claimed_by })}</p> : null}
      {asked.length > 0 ? (
        <section>
          <h3 className={classes.heading}>{t('inbox.exception')}</h3>
          <ul className={classes.thens}>
            {asked.map((one) => (
              <li key={one.id}>
                {t(one.allowed_by ? 'inbox.exception.allowed' : 'inbox.exception.asked', { name: one.by, other: one.allowed_by })} <RelativeTime at={one.asked_at} />
                <p className={classes.plain}>{t('inbox.one_comment', { comment: one.reason })}</p>
                {one.may_allow ? <Button loading={act.isPending} onClick={() => act.mutate({ act: `exceptions/${one.id}/allow` })}>{t('inbox.exception.allow')}</Button> : null}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      {open === undefined ? <ProblemText error={act.error} /> : null}
      <div className={classes.actions}>
        {task.may_claim ? <Button loading={act.isPending} onClick={() => act.mutate({ act: 'claim' })}>{t('inbox.take')}</Button> : null}
        {task.may_release ? <Button loading={act.isPending} onClick={() => act.mutate({ act: 'release' })}>{t('inbox.give_back')}</Button> : null}
        {task.may_hand_over ? <Button onClick={() => setOpen('hand')}>{t('inbox.hand_over')}</Button> : null}
        {task.may_ask_exception ? <Button onClick={() => setOpen('ask')}>{t('inbox.exception.ask')}</Button> : null}
      </div>
      {open === 'hand' ? <HandOver task={task} onClose={close} /> : null}
      {open === 'ask' ? (
        <ConfirmDialog
          opened
          reason="required"
          title={t('inbox.exception.ask')}
          confirm={t('inbox.exception.send')}
          busy={act.isPending}
          error={act.error}
          onClose={close}
          onConfirm={(reason) => act.mutate({ act: 'exceptions', body: { reason } }, { onSuccess: close })}
        >
          {t('inbox.exception.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}

function HandOver({ task, onClose }: { task: Task; onClose: () => void }) {
  const t = useT();
  const me = useMe();
  const act = useTaskAct(task.id);
  const [to, setTo] = useState('');
  const [reason, setReason] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    act.mutate({ act: 'hand-over', body: { to, reason } }, { onSuccess: () => { notifyDone(t('inbox.handed_over')); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={t('inbox.hand_over')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={form.form}>
        <p className={form.text}>{t('inbox.hand_over.text')}</p>
        <ChoosePerson label={t('inbox.hand_over.to')} value={to} onChange={setTo} but={[me.email]} />
        <Textarea required autosize minRows={2} maxLength={2000} label={t('app.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <ProblemText error={act.error} />
        <div className={form.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={act.isPending} disabled={!to || !reason.trim()}>{t('inbox.hand_over')}</Button>
        </div>
      </form>
    </Modal>
  );
}
