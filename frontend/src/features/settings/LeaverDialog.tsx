import { Button, Modal, Textarea } from '@mantine/core';
import { useState } from 'react';
import { useBelongings, useRehome } from '~/api/people';
import type { Belongings } from '~/api/people';
import type { Member } from '~/api/types';
import { useT } from '~/app/messages';
import { ChoosePerson } from '~/ui/ChoosePerson';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { ErrorState, ListSkeleton } from '~/ui/States';
import classes from './Settings.module.css';

/** Somebody leaves: all that is theirs is shown, then handed on and their way in ended at once. */
export function LeaverDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const t = useT();
  const [to, setTo] = useState('');
  const [reason, setReason] = useState('');
  const { data, error, refetch } = useBelongings(member.id, to);
  const rehome = useRehome(member.id);
  const name = member.name || member.email;
  const apply = () => rehome.mutate({ to, reason }, { onSuccess: () => { notifyDone(t('settings.leaver.done', { name })); onClose(); } });
  return (
    <Modal opened onClose={onClose} size="lg" title={t('settings.leaver.title', { name })} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <div className={classes.form}>
        <p className={classes.text}>{t('settings.leaver.text', { name })}</p>
        <ChoosePerson label={t('settings.leaver.to')} value={to} onChange={setTo} but={[member.email]} />
        {data ? <Everything of={data} /> : error ? <ErrorState bare error={error} retry={() => void refetch()} /> : <ListSkeleton rows={5} />}
        <Textarea required autosize minRows={2} maxLength={1000} label={t('app.reason')} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <ProblemText error={rehome.error} />
        <div className={classes.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button variant="filled" color="red" loading={rehome.isPending} disabled={!data || !to || !reason.trim()} onClick={apply}>{t('settings.leaver.apply')}</Button>
        </div>
      </div>
    </Modal>
  );
}

function Everything({ of }: { of: Belongings }) {
  const t = useT();
  const kept = of.tasks.filter((task) => task.problem);
  const parts: [label: string, items: string[]][] = [
    [t('settings.leaver.flows'), of.flows.map((flow) => (flow.is_scheduled ? t('settings.leaver.scheduled', { name: flow.name }) : flow.name))],
    [t('settings.leaver.tasks'), of.tasks.filter((task) => !task.problem).map((task) => task.title)],
    [t('settings.leaver.tasks_kept'), kept.map((task) => `${task.title}: ${task.problem}`)],
    [t('settings.leaver.grants'), of.grants.map((grant) => grant.name)],
    [t('settings.leaver.leads'), of.manager_of],
    [t('settings.leaver.deputy'), of.deputy_of],
    [t('settings.leaver.teams'), of.teams],
    [t('settings.leaver.tokens'), of.tokens],
    [t('settings.leaver.delegations'), of.delegations > 0 ? [String(of.delegations)] : []],
  ];
  const shown = parts.filter(([, items]) => items.length > 0);
  if (shown.length === 0) return <p className={classes.text} role="status">{t('settings.leaver.nothing')}</p>;
  return (
    <dl className={classes.things}>
      {shown.map(([label, items]) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd><ul className={classes.plainList}>{items.map((item, index) => <li key={index}>{item}</li>)}</ul></dd>
        </div>
      ))}
    </dl>
  );
}
