import { Button } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useMe } from '~/api/me';
import { nameOf } from '~/api/types';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { IconAlertTriangle } from '~/ui/icons';
import { ProblemText } from '~/ui/ProblemText';
import { saveAsCopy } from './api';
import { useSave } from './autosave';
import classes from './Editor.module.css';
import { useEditor } from './store';

/** Whether the save that came first was this person's own, from another tab or device. */
export const isOwn = (by: unknown, id: string): boolean => typeof by === 'object' && by !== null && (by as { id?: unknown }).id === id;

/** Somebody else saved: says who, and lets the person choose. Neither choice loses the other's work. */
export function ConflictBar({ flow, reload }: { flow: Flow; reload: () => Promise<void> }) {
  const t = useT();
  const go = useNavigate();
  const me = useMe();
  const status = useSave((save) => save.status);
  const problem = useSave((save) => save.problem);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<unknown>(null);
  if (status !== 'conflict' && status !== 'refused') return null;
  if (status === 'refused') {
    return (
      <div className={classes.bar} role="alert">
        <IconAlertTriangle size={16} aria-hidden />
        <p>{[t('editor.save.refused_text'), problem?.message].filter(Boolean).join(' ')}</p>
      </div>
    );
  }
  const by = problem?.fields['updated_by'];
  const own = isOwn(by, me.id);
  const who = nameOf(by as string | { name: string } | null | undefined) || t('editor.conflict.somebody');
  const act = (what: () => Promise<void>) => {
    setBusy(true);
    setFailed(null);
    what().catch(setFailed).finally(() => setBusy(false));
  };
  const keep = async () => {
    const copy = await saveAsCopy(useEditor.getState().document, t('editor.conflict.copy_name', { name: flow.name }));
    // The copy holds everything; nothing of this page is left unsaved.
    useSave.setState({ savedChange: useEditor.getState().change });
    await go({ to: '/flows/$flowId/', params: { flowId: copy.id } });
  };
  return (
    <div className={classes.bar} role="alert">
      <IconAlertTriangle size={16} aria-hidden />
      <p>{own ? t('editor.conflict.own') : t('editor.conflict.text', { who })}</p>
      <Button size="xs" loading={busy} onClick={() => act(keep)}>{t('editor.conflict.copy')}</Button>
      <Button size="xs" loading={busy} onClick={() => act(reload)}>{t(own ? 'editor.conflict.reload_own' : 'editor.conflict.reload')}</Button>
      <ProblemText error={failed} />
    </div>
  );
}
