import { Modal, Switch } from '@mantine/core';
import type { TaskAnswer } from '~/api/types';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import classes from '~/features/editor/KeysDialog.module.css';
import { setLetters, useLetters } from '~/features/editor/shortcuts';
import { lettersOf } from './keys';

const KEYS: [keys: string, text: MessageId][] = [
  ['J  K', 'inbox.key.next'],
  ['↑ ↓', 'inbox.key.arrows'],
  ['Enter', 'inbox.key.open'],
  ['X', 'inbox.key.choose'],
  ['/', 'inbox.key.search'],
];

/** All keys of the inbox; an answer's letter asks before anything is decided. */
export function KeysDialog({ opened, answers, onClose }: { opened: boolean; answers: TaskAnswer[]; onClose: () => void }) {
  const t = useT();
  const on = useLetters();
  const letters = lettersOf(answers);
  return (
    <Modal opened={opened} onClose={onClose} title={t('inbox.keys')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      <dl className={classes.keys}>
        {KEYS.map(([keys, text]) => (
          <div key={keys}><dt><kbd>{keys}</kbd></dt><dd>{t(text)}</dd></div>
        ))}
        {answers.filter((one) => letters[one.outcome]).map((one) => (
          <div key={one.outcome}><dt><kbd>{letters[one.outcome]!.toUpperCase()}</kbd></dt><dd>{t('inbox.key.answer', { answer: one.label })}</dd></div>
        ))}
        <div><dt><kbd>?</kbd></dt><dd>{t('inbox.key.help')}</dd></div>
      </dl>
      <Switch label={t('editor.key.letters')} description={t('inbox.key.letters_help')} checked={on} onChange={(event) => setLetters(event.currentTarget.checked)} />
    </Modal>
  );
}
