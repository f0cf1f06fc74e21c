import { Button, Checkbox, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent } from 'react';
import { GROUPS, useChatDeliveries, useRemoveChat, useSetChat, useTestChat, useWorkspaceChat } from '~/api/notices';
import type { Group, WorkspaceChat } from '~/api/notices';
import { useT } from '~/app/messages';
import { Deliveries } from '~/features/account/Deliveries';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { Panel } from '~/ui/Page';
import { ProblemText, problemSentence } from '~/ui/ProblemText';
import { ErrorState, ListSkeleton } from '~/ui/States';
import { SectionHead } from './SectionHead';
import classes from './Settings.module.css';

/** The workspace's chat: where, what it is told of, and what became of it. */
export function ChatPage() {
  const t = useT();
  const chat = useWorkspaceChat();
  return (
    <>
      <SectionHead title={t('settings.chat')} text={t('settings.chat.text')} />
      {chat.data ? (
        <>
          <Form key={JSON.stringify(chat.data.chat)} chat={chat.data.chat} />
          {chat.data.chat ? <Log /> : null}
        </>
      ) : chat.error ? <ErrorState error={chat.error} retry={() => void chat.refetch()} /> : <ListSkeleton rows={4} />}
    </>
  );
}

function Log() {
  const t = useT();
  const log = useChatDeliveries();
  return (
    <>
      <SectionHead title={t('notices.log')} text={t('settings.chat.log_text')} />
      <Deliveries of={log} label={t('notices.log')} none={t('settings.chat.log_none')} />
    </>
  );
}

function Form({ chat }: { chat: WorkspaceChat | null }) {
  const t = useT();
  const save = useSetChat();
  const test = useTestChat();
  const remove = useRemoveChat();
  const [removing, setRemoving] = useState(false);
  const [url, setUrl] = useState('');
  const [titles, setTitles] = useState(chat?.with_titles ?? false);
  const [groups, setGroups] = useState<Group[]>(chat?.groups ?? ['tasks', 'limits']);
  const toggle = (group: Group) => setGroups((before) => (before.includes(group) ? before.filter((one) => one !== group) : [...before, group]));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const address = url.trim() === '' ? {} : { url: url.trim() };
    save.mutate({ ...address, with_titles: titles, groups }, { onSuccess: () => notifyDone(t('notices.saved')) });
  };
  return (
    <Panel title={chat ? t('notices.chat.at', { host: chat.host }) : t('settings.chat.none')}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput required={!chat} maxLength={2000} autoComplete="off" spellCheck={false} label={t('notices.chat.address')} description={chat ? t('settings.chat.keep') : t('notices.chat.address_hint')} value={url} onChange={(event) => setUrl(event.currentTarget.value)} />
        <fieldset className={classes.choices}>
          <legend>{t('settings.chat.groups')}</legend>
          {GROUPS.map((group) => <Checkbox key={group} label={t(`settings.chat.group.${group}`)} checked={groups.includes(group)} onChange={() => toggle(group)} />)}
        </fieldset>
        <Checkbox label={t('settings.chat.titles')} description={t('settings.chat.titles_hint')} checked={titles} onChange={(event) => setTitles(event.currentTarget.checked)} />
        <ProblemText error={save.error} />
        <div className={classes.buttons}>
          {chat ? <Button variant="subtle" onClick={() => setRemoving(true)}>{t('notices.remove')}</Button> : null}
          {chat ? <Button loading={test.isPending} onClick={() => test.mutate(undefined, { onSuccess: () => notifyDone(t('notices.tested')), onError: (error) => notifyProblem(problemSentence(error, t)) })}>{t('notices.test')}</Button> : null}
          <Button type="submit" variant="filled" loading={save.isPending} disabled={groups.length === 0 || (!chat && url.trim() === '')}>{t('app.save')}</Button>
        </div>
      </form>
      {removing ? (
        <ConfirmDialog opened danger title={t('settings.chat.remove.title')} confirm={t('notices.remove')} busy={remove.isPending} error={remove.error} onClose={() => setRemoving(false)} onConfirm={() => remove.mutate(undefined, { onSuccess: () => setRemoving(false) })}>
          {t('settings.chat.remove.text')}
        </ConfirmDialog>
      ) : null}
    </Panel>
  );
}
