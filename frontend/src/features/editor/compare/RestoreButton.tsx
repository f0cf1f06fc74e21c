import { Button } from '@mantine/core';
import { useState } from 'react';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { ConfirmDialog } from '~/ui/ConfirmDialog';
import { notifyDone } from '~/ui/notify';
import { useSave } from '../autosave';
import type { Autosave } from '../autosave';
import { useRestore } from './api';
import type { Restoring } from './api';

interface Props {
  flow: Flow;
  what: Restoring['what'];
  /** Of the open editor: what is there is saved first, and the change can be undone. */
  autosave: Autosave;
}

/** Makes the draft what a version or a revision says. What it said before stays as a revision. */
export function RestoreButton({ flow, what, autosave }: Props) {
  const t = useT();
  const restore = useRestore(flow.id);
  const [asking, setAsking] = useState(false);
  const [unsaved, setUnsaved] = useState<Error | null>(null);
  if (!flow.rights.includes('edit') || flow.state === 'archived') return null;
  const name = 'version' in what ? t('editor.versions.number', { number: what.version }) : t('versions.revision', { number: what.revision });
  const close = () => {
    restore.reset();
    setUnsaved(null);
    setAsking(false);
  };
  const confirm = async () => {
    if (!(await autosave.flush())) return setUnsaved(new Error());
    // Until it is done nothing is taken over: news of this very change would look like somebody else's.
    useSave.setState({ status: 'saving' });
    restore.mutate(
      { what, seen: useSave.getState().revision },
      {
        onSuccess: (made) => {
          autosave.accept(t('versions.restore.edit', { name }), made);
          notifyDone(t('versions.restored', { name }));
          close();
        },
        onError: () => useSave.setState({ status: 'saved' }),
      },
    );
  };
  return (
    <>
      <Button size="xs" onClick={() => setAsking(true)}>{t('versions.restore')}</Button>
      {asking ? (
        <ConfirmDialog opened title={t('versions.restore.title', { name })} confirm={t('versions.restore')} busy={restore.isPending} error={restore.error ?? unsaved} onConfirm={() => void confirm()} onClose={close}>
          {t('versions.restore.text')}
        </ConfirmDialog>
      ) : null}
    </>
  );
}
