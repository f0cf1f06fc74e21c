import { Button, Input } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import { IconPlus } from '~/ui/icons';
import { FormPreview } from '../builder/FormPreview';
import { followed, moved, questionsOf, renamed, settled, slug, withQuestions } from '../builder/model';
import type { Question } from '../builder/model';
import { QuestionCard } from '../builder/QuestionCard';
import { useFixedNames } from '../builder/useFixedNames';
import classes from '../Form.module.css';
import { getAt, isRecord } from '../schema';
import type { Schema } from '../schema';
import type { FieldProps } from '../SchemaField';
import { freeName } from '../values';
import { useFieldFrame } from './basics';

const record = (value: unknown): Schema => (isRecord(value) ? value : {});

/** The questions that a form asks, and how it looks; kept as JSON Schema. */
export function FormBuilder({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled, ...words } = frame;
  const [dragged, setDragged] = useState<string | null>(null);
  const names = useFixedNames(form.flowId, form.owner, path);
  const questions = questionsOf(record(value));
  // Files belong to a request; who starts a flow by hand has none to attach.
  const takesFiles = 'open_to' in record(form.root['properties']);
  const isAtTask = 'initial' in record(form.root['properties']);
  const change = (next: (now: Question[]) => Question[]) => {
    const now = record(getAt(form.current(), path));
    form.set(path, withQuestions(now, next(questionsOf(now))));
  };
  const put = (name: string, part: Partial<Question>) =>
    change((all) => {
      const others = all.map((one) => one.name).filter((one) => one !== name);
      const before = all.find((one) => one.name === name);
      const to = before && part.schema ? followed(before, part.schema, others, names.isFixed) : name;
      const made = all.map((one) => (one.name === name ? { ...one, ...part } : one));
      return to === name ? made : renamed(made, name, to);
    });
  const rename = (from: string, to: string) => {
    const now = record(getAt(form.current(), path));
    const next = withQuestions(now, renamed(questionsOf(now), from, to));
    if (form.renameAnswer) form.renameAnswer(path, next, from, to);
    else form.set(path, next);
  };
  const move = (name: string, to: number) => { change((all) => moved(all, all.findIndex((one) => one.name === name), to)); form.settle(); };
  const add = () => {
    const title = t('editor.question.new');
    change((all) => [...all, { name: freeName(Object.fromEntries(all.map((one) => [one.name, true])), slug(title)), schema: { type: 'string', title }, required: false, rule: undefined }]);
    form.settle();
  };
  return (
    <Input.Wrapper {...words} labelElement="div">
      <div className={classes.rows}>
        {questions.map((one, at) => (
          <QuestionCard
            key={at}
            question={one}
            before={questions.slice(0, at)}
            isLast={at === questions.length - 1}
            takesFiles={takesFiles}
            isDragged={dragged === one.name}
            taken={(name) => questions.some((other) => other.name === name)}
            onChange={(part) => put(one.name, part)}
            isColumnFixed={(column) => names.isColumnFixed(one.name, column)}
            onRename={(to) => rename(one.name, to)}
            onMove={(by) => move(one.name, at + by)}
            onRemove={() => { change((all) => settled(all.filter((other) => other.name !== one.name))); form.settle(); }}
            onDrag={setDragged}
            onDrop={() => { if (dragged !== null && dragged !== one.name) move(dragged, at); setDragged(null); }}
          />
        ))}
      </div>
      {disabled ? null : (
        <Button size="xs" className={classes.add} leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>{t('editor.question.add')}</Button>
      )}
      {(takesFiles || isAtTask) && questions.length > 0 ? <FormPreview form={record(value)} /> : null}
    </Input.Wrapper>
  );
}
