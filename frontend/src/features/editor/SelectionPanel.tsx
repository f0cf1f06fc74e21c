import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { IconCopy, IconFocusCentered, IconLayoutAlignBottom, IconLayoutAlignCenter, IconLayoutAlignLeft, IconLayoutAlignMiddle, IconLayoutAlignRight, IconLayoutAlignTop, IconLayoutDistributeHorizontal, IconLayoutDistributeVertical, IconTrash, IconBoxMultiple, IconArrowBackUp, IconClipboardCopy } from '~/ui/icons';
import type { Icon } from '~/ui/icons';
import { useActions } from './actions';
import type { Alignment, Axis } from './document/arrange';
import { groupable } from './document/group';
import { contains } from './document/ports';
import classes from './SidePanel.module.css';
import { useEditor } from './store';
import { onStage, say, useView } from './view';

const ALIGN: [Alignment, MessageId, Icon][] = [
  ['left', 'editor.align.left', IconLayoutAlignLeft], ['centre', 'editor.align.centre', IconLayoutAlignCenter], ['right', 'editor.align.right', IconLayoutAlignRight],
  ['top', 'editor.align.top', IconLayoutAlignTop], ['middle', 'editor.align.middle', IconLayoutAlignMiddle], ['bottom', 'editor.align.bottom', IconLayoutAlignBottom],
];
const SPREAD: [Axis, MessageId, Icon][] = [['across', 'editor.spread.across', IconLayoutDistributeHorizontal], ['down', 'editor.spread.down', IconLayoutDistributeVertical]];

/** What can be done with several things at once. */
export function SelectionPanel() {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const selected = useView((view) => view.selected);
  const document = useEditor((editor) => editor.document);
  const readOnly = useEditor((editor) => editor.readOnly);
  const together = groupable(document, selected);
  const mayGroup = types.steps.some(contains) && together !== null;
  const ask = (kind: 'group' | 'put', element: HTMLElement) => {
    const box = element.getBoundingClientRect();
    useView.setState({ asking: { kind, ids: selected, x: box.left, y: box.bottom } });
  };
  const copy = () => {
    const text = actions.copyText(selected);
    if (text !== null) void navigator.clipboard.writeText(text).then(() => say(actions.copied(selected.length)));
  };
  const icon = (label: MessageId, Glyph: Icon, act: () => void) => (
    <Tooltip key={label} label={t(label)}>
      <ActionIcon variant="default" aria-label={t(label)} onClick={act}><Glyph size={16} aria-hidden /></ActionIcon>
    </Tooltip>
  );
  return (
    <>
      <div className={classes.head}><div className={classes.kind}><h2>{t('editor.selected', { count: selected.length })}</h2></div></div>
      <div className={classes.buttons}>
        {onStage()?.fit ? <Button leftSection={<IconFocusCentered size={16} aria-hidden />} onClick={() => onStage()?.fit?.(selected)}>{t('editor.zoom_selected')}</Button> : null}
        <Button data-first leftSection={<IconClipboardCopy size={16} aria-hidden />} onClick={copy}>{t('editor.copy')}</Button>
        {readOnly ? null : (
          <>
            <Button leftSection={<IconCopy size={16} aria-hidden />} onClick={() => actions.duplicate(selected)}>{t('editor.duplicate')}</Button>
            {mayGroup ? <Button leftSection={<IconBoxMultiple size={16} aria-hidden />} onClick={(event) => ask('group', event.currentTarget)}>{t('editor.group')}</Button> : null}
            <Button leftSection={<IconArrowBackUp size={16} aria-hidden />} onClick={(event) => ask('put', event.currentTarget)}>{t('editor.put')}</Button>
            <Button leftSection={<IconTrash size={16} aria-hidden />} onClick={() => actions.remove(selected)}>{t('editor.delete')}</Button>
          </>
        )}
      </div>
      {readOnly ? null : (
        <>
          <h3 className={classes.section}>{t('editor.align')}</h3>
          <div className={classes.buttons} role="group" aria-label={t('editor.align')}>
            {ALIGN.map(([how, label, glyph]) => icon(label, glyph, () => actions.align(selected, how)))}
            {SPREAD.map(([axis, label, glyph]) => icon(label, glyph, () => actions.spread(selected, axis)))}
          </div>
        </>
      )}
    </>
  );
}
