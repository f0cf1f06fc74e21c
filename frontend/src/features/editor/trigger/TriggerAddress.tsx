import { useMe } from '~/api/me';
import { useT } from '~/app/messages';
import { CopyButton } from '~/ui/CopyButton';
import { useTriggerInfo } from '../api';
import classes from '../SidePanel.module.css';
import { useEditor } from '../store';
import { ScheduleTimes } from './ScheduleTimes';

/**
 * Where to send a signal: the full address, a line to try it with, and whether it listens. The
 * address follows what is typed; what the server answers is about the published version.
 */
export function TriggerAddress({ flowId }: { flowId: string }) {
  const t = useT();
  const me = useMe();
  const { data } = useTriggerInfo(flowId);
  const trigger = useEditor(({ document }) => document.trigger);
  const path = typeof trigger.config['path'] === 'string' ? trigger.config['path'] : '';
  const live = data?.enabled === true && data.type === trigger.type && (trigger.type !== 'webhook' || data.path === path);

  if (trigger.type === 'schedule') {
    return <ScheduleTimes config={trigger.config} live={live} fires={live ? (data?.fires ?? []) : []} />;
  }
  if (trigger.type === 'event') return <p className={classes.note}>{t('editor.by_event')}</p>;
  if (trigger.type === 'form') {
    const address = live ? data.url : undefined;
    return (
      <>
        <p className={classes.note}>{address ? t('editor.address.form') : t('editor.address.form_after')}</p>
        {address ? <Code text={address} what={t('editor.address')} /> : null}
      </>
    );
  }
  if (trigger.type !== 'webhook') return <p className={classes.note}>{t('editor.by_hand')}</p>;
  if (path === '') return <p className={classes.note}>{t('editor.address.none')}</p>;

  const url = live && data.url ? data.url : `${window.location.origin}/hooks/${me.workspace.slug}/${path}`;
  const curl = live && data.curl ? data.curl : `curl -X POST ${url} -H 'Content-Type: application/json' -d '{}'`;
  return (
    <>
      <p className={classes.note}>{live ? t('editor.address.live') : t('editor.address.after_publish')}</p>
      <Code text={url} what={t('editor.address')} />
      <Code text={curl} what={t('editor.curl')} />
    </>
  );
}

function Code({ text, what }: { text: string; what: string }) {
  return (
    <div className={classes.code}>
      <code>{text}</code>
      <CopyButton value={text} what={what} />
    </div>
  );
}
