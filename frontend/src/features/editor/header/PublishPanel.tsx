import { Button, Textarea } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { newKey } from '~/api/client';
import { isProblem } from '~/api/problem';
import type { Finding, Flow } from '~/api/types';
import { useT } from '~/app/messages';
import { notifyDone } from '~/ui/notify';
import { ProblemText } from '~/ui/ProblemText';
import { usePublish } from '../api';
import type { Autosave } from '../autosave';
import { useSave } from '../autosave';
import { useComparison } from '../compare/api';
import { FindingRow } from '../drawer/FindingRow';
import { isError, useFindings } from '../findings';
import { useView } from '../view';
import classes from './Header.module.css';
import { useChoice, WhatChanged } from './WhatChanged';

const close = () => useView.setState({ publishing: false });

/** Beside the flow, so that what is published can be seen: what changed, by whom, what is risky about it, and why. */
export function PublishPanel({ flow, autosave }: { flow: Flow; autosave: Autosave }) {
  const t = useT();
  const publish = usePublish(flow.id);
  const saving = useSave((save) => save.status);
  const revision = useSave((save) => save.revision);
  const found = useComparison(flow.id, 'active', 'draft', saving === 'saved' ? revision : -1);
  const choice = useChoice(found.data);
  const errors = useFindings((state) => state.findings).filter(isError);
  const [note, setNote] = useState('');
  const [unsaved, setUnsaved] = useState(false);
  const [isMissing, setMissing] = useState(false);
  const why = useRef<HTMLTextAreaElement>(null);
  // A second press of the same intent is the same publication.
  const key = useRef(newKey());
  useReturnOfFocus();
  // What is compared is what is saved.
  useEffect(() => void autosave.flush(), [autosave]);

  const refused: Finding[] = isProblem(publish.error, 422) && Array.isArray(publish.error.fields['findings']) ? (publish.error.fields['findings'] as Finding[]) : [];
  const submit = async () => {
    // Who reads the version, or the trail, in a year wants to know why.
    if (note.trim() === '') {
      setMissing(true);
      why.current?.focus();
      return;
    }
    const saved = await autosave.flush();
    setUnsaved(!saved);
    if (!saved) return;
    publish.mutate(
      { note: note.trim(), key: key.current, revision: useSave.getState().revision, ...(choice.part ? { part: choice.part } : {}) },
      {
        onSuccess: (version) => {
          notifyDone(choice.part ? t('versions.published_part', { number: version.number, count: choice.left }) : t('editor.published', { number: version.number }));
          close();
        },
        onError: () => {
          key.current = newKey();
          void found.refetch();
        },
      },
    );
  };
  const shown = refused.length > 0 ? refused : choice.part ? [] : errors;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape closes it from anywhere inside
    <section className={`${classes.panel} ${classes.wide}`} aria-labelledby="publish-title" onKeyDown={(event) => { if (event.key === 'Escape') close(); }}>
      <h2 id="publish-title">{flow.active_version === null ? t('editor.publish.first') : t('editor.publish.next', { number: flow.active_version + 1 })}</h2>
      <p>{t('editor.publish.text')}</p>
      <Textarea
        ref={why}
        autoFocus
        required
        label={t('editor.publish.note')}
        description={t('editor.publish.note_help')}
        error={isMissing ? t('editor.publish.note_missing') : undefined}
        autosize
        minRows={2}
        maxLength={2000}
        value={note}
        onChange={(event) => { setNote(event.currentTarget.value); setMissing(false); }}
        onKeyDown={(event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit(); }}
      />
      <div className={classes.buttons}>
        <Button variant="filled" disabled={choice.isEmpty} loading={publish.isPending || saving === 'saving'} onClick={() => void submit()}>{choice.part ? t('versions.publish_part', { count: choice.part.changes.length }) : t('editor.publish')}</Button>
        <Button onClick={close}>{t('app.cancel')}</Button>
      </div>
      {unsaved ? <p role="alert">{t('editor.publish.unsaved')}</p> : null}
      {publish.error && refused.length === 0 ? <ProblemText error={publish.error} /> : null}
      {shown.length > 0 ? (
        <div role={refused.length > 0 ? 'alert' : undefined}>
          <p>{t('editor.publish.errors', { count: shown.length })}</p>
          <ul className={classes.findings}>
            {shown.map((finding, at) => <FindingRow key={`${finding.code}${at}`} finding={finding} />)}
          </ul>
        </div>
      ) : null}
      <WhatChanged flow={flow} found={found} choice={choice} />
    </section>
  );
}

/** The focus goes back to where it was when the panel opened. */
function useReturnOfFocus() {
  const before = useRef<Element | null>(null);
  useEffect(() => {
    before.current = document.activeElement;
    return () => {
      if (before.current instanceof HTMLElement) before.current.focus();
    };
  }, []);
}
