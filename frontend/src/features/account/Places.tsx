import { Button, Modal, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { FormEvent, ReactNode } from 'react';
import { useMe } from '~/api/me';
import { useAddBrowser, useRemoveBrowser, useRemoveOwnChat, useSetOwnChat, useTestWay } from '~/api/notices';
import type { Told, Way } from '~/api/notices';
import { useT } from '~/app/messages';
import settings from '~/features/settings/Settings.module.css';
import { notifyDone, notifyProblem } from '~/ui/notify';
import { Panel } from '~/ui/Page';
import { ProblemText, problemSentence } from '~/ui/ProblemText';
import { browserName } from './Sessions';
import { pushTrouble, subscribe } from './push';
import classes from './Ways.module.css';

function Place({ name, text, children }: { name: string; text: string; children: ReactNode }) {
  return (
    <li className={classes.place}>
      <span className={classes.name}><strong>{name}</strong><small>{text}</small></span>
      <span className={classes.acts}>{children}</span>
    </li>
  );
}

/** Where the person is told, each with a test. */
export function Places({ told }: { told: Told }) {
  const t = useT();
  const me = useMe();
  const test = useTestWay();
  const removeBrowser = useRemoveBrowser();
  const removeChat = useRemoveOwnChat();
  const [asks, setAsks] = useState(false);
  const fails = { onError: (error: unknown) => notifyProblem(problemSentence(error, t)) };
  const tryOut = (way: Way) => (
    <Button size="xs" loading={test.isPending && test.variables === way} aria-label={t('notices.test_one', { way: t(`notices.way.${way}`) })} onClick={() => test.mutate(way, { onSuccess: () => notifyDone(t('notices.tested')), ...fails })}>
      {t('notices.test')}
    </Button>
  );
  return (
    <Panel title={t('notices.places')} description={t('notices.places.text')}>
      <ul className={classes.places}>
        <Place name={t('notices.way.mail')} text={me.email}>{tryOut('mail')}</Place>
        <Place name={t('notices.way.app')} text={t('notices.app.text')}>{tryOut('app')}</Place>
        <Place name={t('notices.way.push')} text={t('notices.push.text')}>
          {told.browsers.length > 0 ? tryOut('push') : null}
          <ThisBrowser told={told} />
        </Place>
        {told.browsers.map((row) => (
          <Place key={row.id} name={browserName(row.user_agent, t)} text={t('notices.push.through', { host: row.host })}>
            <Button size="xs" variant="subtle" aria-label={t('notices.push.remove_one', { name: browserName(row.user_agent, t) })} onClick={() => removeBrowser.mutate(row.id, fails)}>{t('notices.remove')}</Button>
          </Place>
        ))}
        <Place name={t('notices.way.chat')} text={told.chat ? t('notices.chat.at', { host: told.chat.host }) : t('notices.chat.text')}>
          {told.chat ? tryOut('chat') : null}
          <Button size="xs" onClick={() => setAsks(true)}>{told.chat ? t('notices.chat.change') : t('notices.chat.add')}</Button>
          {told.chat ? <Button size="xs" variant="subtle" aria-label={t('notices.chat.remove')} onClick={() => removeChat.mutate(undefined, fails)}>{t('notices.remove')}</Button> : null}
        </Place>
      </ul>
      {asks ? <ChatAddress onClose={() => setAsks(false)} /> : null}
    </Panel>
  );
}

/** Lets this browser show messages, or says why it cannot. */
function ThisBrowser({ told }: { told: Told }) {
  const t = useT();
  const add = useAddBrowser();
  const [busy, setBusy] = useState(false);
  const trouble = pushTrouble();
  if (trouble) return <span className={settings.text}>{t(`notices.push.${trouble}`)}</span>;
  const begin = async () => {
    setBusy(true);
    try {
      const made = await subscribe(told.push_key);
      if (made) await add.mutateAsync(made);
      notifyDone(t(made ? 'notices.push.added' : 'notices.push.not_allowed'));
    } catch (error) {
      // Without the vendor's service behind the browser there is nothing to subscribe to.
      notifyProblem(error instanceof DOMException ? t('notices.push.no_service') : problemSentence(error, t));
    } finally {
      setBusy(false);
    }
  };
  return <Button size="xs" loading={busy} onClick={() => void begin()}>{t('notices.push.add')}</Button>;
}

function ChatAddress({ onClose }: { onClose: () => void }) {
  const t = useT();
  const save = useSetOwnChat();
  const [url, setUrl] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(url.trim(), { onSuccess: () => { notifyDone(t('notices.saved')); onClose(); } });
  };
  return (
    <Modal opened onClose={onClose} title={t('notices.chat.add')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <form onSubmit={submit} className={settings.form}>
        <TextInput data-autofocus required maxLength={2000} autoComplete="off" spellCheck={false} label={t('notices.chat.address')} description={t('notices.chat.address_hint')} value={url} onChange={(event) => setUrl(event.currentTarget.value)} />
        <ProblemText error={save.error} />
        <div className={settings.buttons}>
          <Button onClick={onClose}>{t('app.cancel')}</Button>
          <Button type="submit" variant="filled" loading={save.isPending} disabled={url.trim() === ''}>{t('app.save')}</Button>
        </div>
      </form>
    </Modal>
  );
}
