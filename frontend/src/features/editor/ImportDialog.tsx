import { Button, FileButton, Modal, Textarea } from '@mantine/core';
import { useMemo, useState } from 'react';
import { useT } from '~/app/messages';
import type { MessageId } from '~/app/messages';
import { useLookup } from '~/features/canvas/catalogue';
import { IconFileImport } from '~/ui/icons';
import { useActions } from './actions';
import { readFlow, unknownTypes } from './document/exchange';
import type { ImportRefusal } from './document/exchange';
import classes from './ImportDialog.module.css';
import { useEditor } from './store';
import { useView } from './view';

const REFUSED: Record<ImportRefusal, MessageId> = { too_large: 'editor.import.too_large', not_json: 'editor.import.not_json', not_a_flow: 'editor.import.not_a_flow' };
/** Beyond this no file is a flow; it is not even opened. */
const MOST_BYTES = 8_000_000;

const close = () => useView.setState({ importing: false });

/** Puts a flow that was saved elsewhere, pasted or from a file, in the place of this one. */
export function ImportDialog() {
  const t = useT();
  const opened = useView((view) => view.importing);
  return (
    <Modal opened={opened} onClose={close} size="lg" title={t('editor.import')} closeButtonProps={{ 'aria-label': t('app.close') }}>
      {opened ? <ImportForm /> : null}
    </Modal>
  );
}

function ImportForm() {
  const t = useT();
  const types = useLookup();
  const actions = useActions();
  const here = useEditor(({ document }) => Object.keys(document.steps).length);
  const [text, setText] = useState('');
  const [refused, setRefused] = useState<ImportRefusal | null>(null);
  const found = useMemo(() => (text.trim() === '' ? null : readFlow(text)), [text]);
  const flow = typeof found === 'string' ? null : found;
  const why = refused ?? (typeof found === 'string' ? found : null);
  const unknown = flow ? unknownTypes(flow, types) : [];
  const open = async (file: File | null) => {
    if (!file) return;
    setRefused(file.size > MOST_BYTES ? 'too_large' : null);
    setText(file.size > MOST_BYTES ? '' : await file.text());
  };
  const submit = () => {
    if (!flow) return;
    actions.importFlow(flow);
    close();
  };
  return (
    <form className={classes.form} onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <Textarea
        data-autofocus
        label={t('editor.import.text')}
        description={t('editor.import.help')}
        autosize={false}
        rows={8}
        spellCheck={false}
        classNames={{ input: classes.text }}
        value={text}
        error={why === null ? undefined : t(REFUSED[why])}
        onChange={(event) => { setText(event.currentTarget.value); setRefused(null); }}
      />
      <FileButton accept="application/json,.json" onChange={(file) => void open(file)}>
        {(props) => <Button {...props} leftSection={<IconFileImport size={16} aria-hidden />}>{t('editor.import.file')}</Button>}
      </FileButton>
      <div role="status" className={classes.found}>
        {flow ? (
          <>
            <p><strong>{flow.name || t('editor.import.unnamed')}</strong>{` · ${t('editor.import.steps', { count: Object.keys(flow.steps).length })}`}</p>
            {unknown.length > 0 ? <p>{t('editor.import.unknown', { count: unknown.length, kinds: unknown.slice(0, 12).map((kind) => kind.slice(0, 60)).join(', ') })}</p> : null}
            {here > 0 ? <p>{t('editor.import.replaces', { count: here })}</p> : null}
          </>
        ) : null}
      </div>
      <div className={classes.buttons}>
        <Button onClick={close}>{t('app.cancel')}</Button>
        <Button type="submit" variant="filled" disabled={!flow}>{t('editor.import.action')}</Button>
      </div>
    </form>
  );
}
