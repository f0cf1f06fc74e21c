import { Button, TextInput, Textarea } from '@mantine/core';
import { useState } from 'react';
import { newKey } from '~/api/client';
import { useKeepSample } from '~/api/testing';
import { useT } from '~/app/messages';
import { IconPlus } from '~/ui/icons';
import { problemSentence } from '~/ui/ProblemText';
import { useTrial } from '../../trial';
import classes from './Samples.module.css';

/** A sample out of a text; the server says where it cannot be read. */
export function PasteSample({ flowId }: { flowId: string }) {
  const t = useT();
  const keep = useKeepSample(flowId);
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const [name, setName] = useState('');
  const close = () => {
    setOpen(false);
    setText('');
    setName('');
    keep.reset();
  };
  const submit = () =>
    keep.mutate({ text, name, key: newKey() }, {
      onSuccess: (made) => {
        useTrial.setState({ sample: made.id });
        close();
      },
    });
  if (!open) return <Button size="xs" leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setOpen(true)}>{t('testing.paste')}</Button>;
  return (
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions -- Escape closes it from anywhere inside
    <div className={classes.sub} onKeyDown={(event) => { if (event.key === 'Escape') { event.stopPropagation(); close(); } }}>
      <TextInput label={t('testing.paste.name')} maxLength={150} value={name} onChange={(event) => setName(event.currentTarget.value)} />
      <Textarea
        data-autofocus
        autoFocus
        label={t('testing.paste.text')}
        description={t('testing.paste.hint')}
        autosize
        minRows={4}
        maxRows={12}
        spellCheck={false}
        classNames={{ input: classes.mono }}
        value={text}
        error={keep.error ? problemSentence(keep.error, t) : undefined}
        onChange={(event) => { setText(event.currentTarget.value); keep.reset(); }}
      />
      <div className={classes.buttons}>
        <Button variant="filled" loading={keep.isPending} disabled={text.trim() === ''} onClick={submit}>{t('testing.paste.keep')}</Button>
        <Button onClick={close}>{t('app.cancel')}</Button>
      </div>
    </div>
  );
}
