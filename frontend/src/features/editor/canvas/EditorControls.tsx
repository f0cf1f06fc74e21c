import { ActionIcon, Tooltip } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import { IconFocusCentered, IconHierarchy, IconKeyboard, IconMap, IconNote } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import { useActions } from '../actions';
import { useEditor } from '../store';
import { focusForm } from '../panel';
import { onStage, useView } from '../view';

/** Beside zoom and fit: tidy up, map, keys. */
export function EditorControls({ map, onMap }: { map: boolean; onMap: () => void }) {
  const t = useT();
  const actions = useActions();
  const readOnly = useEditor((editor) => editor.readOnly);
  const selected = useView((view) => view.selected);
  const [tidying, setTidying] = useState(false);
  const tidy = () => {
    setTidying(true);
    void actions.tidy().finally(() => setTidying(false));
  };
  const button = (label: string, Glyph: Icon, act: () => void, more: { loading?: boolean; pressed?: boolean } = {}) => (
    <Tooltip label={label} position="top">
      <ActionIcon aria-label={label} aria-pressed={more.pressed} loading={more.loading} onClick={act} radius={0}>
        <Glyph size={16} aria-hidden />
      </ActionIcon>
    </Tooltip>
  );
  return (
    <>
      {selected.length > 0 ? button(t('editor.zoom_selected'), IconFocusCentered, () => onStage()?.fit?.(selected)) : null}
      {readOnly ? null : button(t('editor.note.add'), IconNote, () => { onStage()?.focus({ step: actions.addNote() }); focusForm(); })}
      {readOnly ? null : button(t('editor.tidy'), IconHierarchy, tidy, { loading: tidying })}
      {button(t('editor.map'), IconMap, onMap, { pressed: map })}
      {button(t('editor.keys'), IconKeyboard, () => useView.setState({ help: true }))}
    </>
  );
}
