import { Modal, Switch } from '@mantine/core';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import classes from './KeysDialog.module.css';
import { setLetters, useLetters } from './shortcuts';
import { useView } from './view';

const KEYS: [keys: string, text: MessageId][] = [
  ['Enter', 'editor.key.enter'],
  ['Esc', 'editor.key.escape'],
  ['← →', 'editor.key.along'],
  ['↑ ↓', 'editor.key.siblings'],
  ['Home End', 'editor.key.ends'],
  ['A  +', 'editor.key.add'],
  ['C', 'editor.key.connect'],
  ['P', 'editor.key.ports'],
  ['M', 'editor.key.put'],
  ['G', 'editor.key.group'],
  ['N', 'editor.key.note'],
  ['Z', 'editor.key.zoom'],
  ['I', 'editor.key.insert'],
  ['A … Z', 'editor.key.type'],
  ['Space', 'editor.key.choose'],
  ['Del', 'editor.key.delete'],
  ['Shift ← → ↑ ↓', 'editor.key.move'],
  ['Shift ↑ ↓', 'editor.key.many'],
  ['Ctrl K', 'editor.key.find'],
  ['Ctrl C  X  V', 'editor.key.clipboard'],
  ['Ctrl D', 'editor.key.duplicate'],
  ['Ctrl A', 'editor.key.all'],
  ['Ctrl Z', 'editor.key.undo'],
  ['Ctrl Shift Z', 'editor.key.redo'],
  ['?', 'editor.key.help'],
];

/** All keys of the editor; those of one letter can be switched off. */
export function KeysDialog() {
  const t = useT();
  const opened = useView((view) => view.help);
  const letters = useLetters();
  return (
    <Modal opened={opened} onClose={() => useView.setState({ help: false })} title={t('editor.keys')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <dl className={classes.keys}>
        {KEYS.map(([keys, text]) => (
          <div key={keys}>
            <dt><kbd>{keys}</kbd></dt>
            <dd>{t(text)}</dd>
          </div>
        ))}
      </dl>
      <Switch label={t('editor.key.letters')} description={t('editor.key.letters_help')} checked={letters} onChange={(event) => setLetters(event.currentTarget.checked)} />
    </Modal>
  );
}
