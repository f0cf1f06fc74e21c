import { Button, SegmentedControl, Textarea } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconCopy, IconTrash } from '~/ui/icons';
import { useActions } from './actions';
import { NOTE_WIDTHS, notesOf, widthOf } from './document/notes';
import type { NoteWidth } from './document/notes';
import classes from './SidePanel.module.css';
import { useEditor } from './store';

/** What a note on the canvas says, and how wide it is. */
export function NotePanel({ id }: { id: string }) {
  const t = useT();
  const actions = useActions();
  const note = useEditor(({ document }) => notesOf(document)[id]);
  const readOnly = useEditor((editor) => editor.readOnly);
  if (!note) return null;
  const width = (Object.keys(NOTE_WIDTHS) as NoteWidth[]).find((name) => NOTE_WIDTHS[name] === widthOf(note)) ?? '';
  return (
    <>
      <div className={classes.head}><div className={classes.kind}><h2>{t('editor.note')}</h2></div></div>
      <Textarea
        data-first
        data-of-document
        label={t('editor.note.text')}
        description={t('editor.note.help')}
        autosize
        minRows={4}
        maxRows={20}
        maxLength={4000}
        disabled={readOnly}
        value={note.text}
        onChange={(event) => actions.setNote(id, { text: event.currentTarget.value })}
        onBlur={() => useEditor.getState().settle()}
      />
      <h3 className={classes.section} id="note-width">{t('editor.note.width')}</h3>
      <SegmentedControl
        aria-labelledby="note-width"
        disabled={readOnly}
        value={width}
        data={[{ value: 'small', label: t('editor.note.small') }, { value: 'medium', label: t('editor.note.medium') }, { value: 'large', label: t('editor.note.large') }]}
        onChange={(name) => { actions.setNote(id, { width: NOTE_WIDTHS[name as NoteWidth] }); useEditor.getState().settle(); }}
      />
      {readOnly ? null : (
        <div className={classes.buttons} style={{ marginTop: 16 }}>
          <Button leftSection={<IconCopy size={16} aria-hidden />} onClick={() => actions.duplicate([id])}>{t('editor.duplicate')}</Button>
          <Button leftSection={<IconTrash size={16} aria-hidden />} onClick={() => actions.remove([id])}>{t('editor.delete')}</Button>
        </div>
      )}
    </>
  );
}
