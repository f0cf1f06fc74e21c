import { Button } from '@mantine/core';
import { useState } from 'react';
import { useMe } from '~/api/me';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconAlertTriangle, IconCloudOff, IconInfoCircle } from '~/ui/icons';
import { LinkButton } from '~/ui/LinkButton';
import { useIntlTools } from '~/ui/time';
import { useSave } from './autosave';
import type { Autosave, SaveStatus } from './autosave';
import classes from './Editor.module.css';
import { keepInBrowser } from './merge/keep';
import type { KeptWork } from './merge/keep';
import { merge, merged } from './merge/merge';
import { replaceWith } from './merge/replace';
import { useEditor } from './store';
import { say } from './view';

/** Whether the save that came first was this person's own, from another tab or device. */
export const isOwn = (by: unknown, id: string): boolean => typeof by === 'object' && by !== null && (by as { id?: unknown }).id === id;

/** What has to be known about saving beyond the word in the header: why not, what came in, what was left over. */
export function ConflictBar({ flow, autosave, leftover }: { flow: Flow; autosave: Autosave; leftover: KeptWork[] }) {
  const status = useSave((save) => save.status);
  return (
    <>
      <NotSaved status={status} autosave={autosave} />
      <Incoming flow={flow} />
      {leftover.map((work) => <Leftover key={work.tab} work={work} />)}
    </>
  );
}

function NotSaved({ status, autosave }: { status: SaveStatus; autosave: Autosave }) {
  const t = useT();
  const me = useMe();
  const problem = useSave((save) => save.problem);
  const isKept = useSave((save) => save.isKept);
  const kept = t(isKept ? 'versions.kept' : 'versions.not_kept');
  if (status === 'refused') {
    return (
      <div className={classes.bar} role="alert">
        <IconAlertTriangle size={16} aria-hidden />
        <p>{[t('editor.save.refused_text'), problem?.message].filter(Boolean).join(' ')}</p>
      </div>
    );
  }
  if (status === 'offline') {
    return (
      <div className={classes.bar} role="status">
        <IconCloudOff size={16} aria-hidden />
        <p>{t('versions.offline')} {kept}</p>
        <Button size="xs" onClick={() => autosave.wake()}>{t('app.try_again')}</Button>
      </div>
    );
  }
  if (status !== 'signed_out' && status !== 'other_person') return null;
  const here = encodeURIComponent(window.location.pathname + window.location.search);
  return (
    <div className={classes.bar} role="alert">
      <IconCloudOff size={16} aria-hidden />
      <p>{status === 'signed_out' ? t('versions.signed_out') : t('versions.other_person', { name: me.name })} {kept}</p>
      <Button size="xs" component="a" href={`/sign-in/?next=${here}`} target="_blank">{t('app.signed_out.action')}</Button>
      <Button size="xs" onClick={() => autosave.wake()}>{t('app.try_again')}</Button>
    </div>
  );
}

/** Somebody's work came in beside one's own: who, how much, and a way to see it. */
function Incoming({ flow }: { flow: Flow }) {
  const t = useT();
  const incoming = useSave((save) => save.incoming);
  if (!incoming) return null;
  const { who, count, from, to } = incoming;
  return (
    <div className={classes.bar} data-tone="info" role="status">
      <IconInfoCircle size={16} aria-hidden />
      <p>{t('versions.incoming', { who: who || t('editor.conflict.somebody'), count })}</p>
      <LinkButton size="xs" to="/flows/$flowId/compare/" params={{ flowId: flow.id }} search={{ from: `r${from}`, to: `r${to}` }}>{t('versions.incoming.look')}</LinkButton>
      <Button size="xs" onClick={() => useSave.setState({ incoming: null })}>{t('app.close')}</Button>
    </div>
  );
}

/** Work of a page that was closed before it could be saved: offered again. */
function Leftover({ work }: { work: KeptWork }) {
  const t = useT();
  const { short } = useIntlTools();
  const [done, setDone] = useState(false);
  if (done) return null;
  const forget = () => {
    setDone(true);
    void keepInBrowser().remove(work);
  };
  const bring = () => {
    const label = t('versions.leftover.edit');
    const take = (document: Parameters<typeof replaceWith>[0]) => {
      useEditor.getState().apply(label, replaceWith(document));
      useSave.setState({ merging: null });
      say(label);
      forget();
    };
    const found = merge(work.base, work.mine, useEditor.getState().document);
    if (found.conflicts.length === 0) return take(merged(found));
    useSave.setState({ merging: { found, who: '', theirs: t('versions.leftover.now'), decide: (choices) => { take(merged(found, choices)); return true; } } });
  };
  return (
    <div className={classes.bar} role="status">
      <IconAlertTriangle size={16} aria-hidden />
      <p>{t('versions.leftover', { time: short(new Date(work.at).toISOString()) })}</p>
      <Button size="xs" onClick={bring}>{t('versions.leftover.bring')}</Button>
      <Button size="xs" onClick={forget}>{t('versions.leftover.drop')}</Button>
    </div>
  );
}
