import { ActionIcon, Tooltip } from '@mantine/core';
import { useMe } from '~/api/me';
import type { Flow } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { IconAlertTriangle, IconArrowBackUp, IconArrowForwardUp, IconCloudCheck, IconCloudOff, IconCloudUpload, IconEye } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import { useActions } from '../actions';
import { useSave } from '../autosave';
import type { Autosave, SaveStatus } from '../autosave';
import { isOwn } from '../ConflictBar';
import { useEditor } from '../store';
import classes from './Header.module.css';
import { People } from './People';

const LOOK: Record<SaveStatus, { text: MessageId; icon: Icon; bad?: boolean }> = {
  saved: { text: 'editor.save.saved', icon: IconCloudCheck },
  unsaved: { text: 'editor.save.unsaved', icon: IconCloudUpload },
  saving: { text: 'editor.save.saving', icon: IconCloudUpload },
  offline: { text: 'editor.save.offline', icon: IconCloudOff, bad: true },
  conflict: { text: 'editor.save.conflict', icon: IconAlertTriangle, bad: true },
  refused: { text: 'editor.save.refused', icon: IconAlertTriangle, bad: true },
  signed_out: { text: 'editor.save.signed_out', icon: IconCloudOff, bad: true },
  other_person: { text: 'editor.save.refused', icon: IconCloudOff, bad: true },
};

/** Whether the work is on the server; undo and redo by name beside it. */
export function SaveStateMark({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
  const t = useT();
  const actions = useActions();
  const readOnly = useEditor((editor) => editor.readOnly);
  const undo = useEditor((editor) => editor.past.at(-1)?.label);
  const redo = useEditor((editor) => editor.future[0]?.label);
  const status = useSave((save) => save.status);
  const me = useMe();
  const own = useSave((save) => isOwn(save.problem?.fields['updated_by'], me.id));
  if (readOnly) {
    return (
      <span className={classes.state}>
        <IconEye size={16} aria-hidden />
        <span>{t('editor.read_only')}</span>
        <People flowId={flow.id} />
      </span>
    );
  }
  const { text, icon: Glyph, bad } = LOOK[status];
  const undoLabel = undo === undefined ? t('editor.undo_nothing') : t('editor.undo', { label: undo });
  const redoLabel = redo === undefined ? t('editor.redo_nothing') : t('editor.redo', { label: redo });
  return (
    <span className={classes.group}>
      <span className={classes.state} role="status" data-state={status} data-bad={bad || undefined}>
        <Glyph size={16} aria-hidden />
        <span className={classes.words}>{t(own && status === 'conflict' ? 'editor.save.conflict_own' : text)}</span>
      </span>
      {status === 'offline' || status === 'signed_out' ? (
        <button type="button" className={classes.retry} onClick={() => autosave.wake()}>{t('app.try_again')}</button>
      ) : null}
      <Tooltip label={undoLabel}>
        <ActionIcon aria-label={undoLabel} data-disabled={undo === undefined || undefined} aria-disabled={undo === undefined} onClick={() => actions.undo()}>
          <IconArrowBackUp size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={redoLabel}>
        <ActionIcon aria-label={redoLabel} data-disabled={redo === undefined || undefined} aria-disabled={redo === undefined} onClick={() => actions.redo()}>
          <IconArrowForwardUp size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
      <People flowId={flow.id} />
    </span>
  );
}
