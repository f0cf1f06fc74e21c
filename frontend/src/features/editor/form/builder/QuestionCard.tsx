import { ActionIcon, Checkbox, Select, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import { IconArrowDown, IconArrowUp, IconGripVertical, IconTrash } from '~/ui/icons';
import { answersOf } from '../../document/answers';
import form from '../Form.module.css';
import { useForm } from '../FormContext';
import classes from './Builder.module.css';
import { Columns } from './Columns';
import { Limits } from './Limits';
import { choicesOf, KINDS, kindOf, ofKind, titleOf, withChoices } from './model';
import type { Question, QuestionKind } from './model';
import { ShownWhen } from './ShownWhen';

interface Props {
  question: Question;
  /** Those that stand before it: its condition can read them. */
  before: Question[];
  isLast: boolean;
  takesFiles: boolean;
  isDragged: boolean;
  taken: (name: string) => boolean;
  /** Whether a column of its table keeps its name. */
  isColumnFixed: (column: string) => boolean;
  onChange: (part: Partial<Question>) => void;
  onRename: (to: string) => void;
  onMove: (by: number) => void;
  onRemove: () => void;
  onDrag: (name: string | null) => void;
  onDrop: () => void;
}

/** One question: its words, its kind, what it takes, when it is asked, and where it stands. */
export function QuestionCard({ question, before, isLast, takesFiles, isDragged, taken, isColumnFixed, onChange, onRename, onMove, onRemove, onDrag, onDrop }: Props) {
  const t = useT();
  const { readOnly, settle, owner } = useForm();
  const { name, schema, required } = question;
  const kind = kindOf(schema);
  const title = titleOf(schema, name);
  const write = (part: Record<string, unknown>) => onChange({ schema: { ...schema, ...part } });
  const kinds = (Object.keys(KINDS) as QuestionKind[]).filter((one) => takesFiles || one !== 'files' || kind === 'files');
  return (
    <div
      className={form.row}
      role="group"
      aria-label={title}
      data-dragged={isDragged || undefined}
      onDragOver={(event) => { event.preventDefault(); event.dataTransfer.dropEffect = 'move'; }}
      onDrop={(event) => { event.preventDefault(); onDrop(); }}
    >
      <div className={form.rowHead}>
        <span className={classes.head}>
          {readOnly ? null : (
            <span className={classes.grip} draggable onDragStart={(event) => { event.dataTransfer.effectAllowed = 'move'; onDrag(name); }} onDragEnd={() => onDrag(null)}>
              <IconGripVertical size={16} aria-hidden />
            </span>
          )}
          <code>{`${answersOf(owner)}.${name}`}</code>
        </span>
        {readOnly ? null : (
          <span className={form.actions}>
            <ActionIcon size="sm" disabled={before.length === 0} aria-label={t('editor.question.up', { title })} onClick={() => onMove(-1)}><IconArrowUp size={16} aria-hidden /></ActionIcon>
            <ActionIcon size="sm" disabled={isLast} aria-label={t('editor.question.down', { title })} onClick={() => onMove(1)}><IconArrowDown size={16} aria-hidden /></ActionIcon>
            <ActionIcon size="sm" aria-label={t('editor.form.remove_name', { name })} onClick={onRemove}><IconTrash size={16} aria-hidden /></ActionIcon>
          </span>
        )}
      </div>
      <div className={form.rows}>
        <TextInput label={t('editor.question.title')} disabled={readOnly} value={title} onChange={(event) => write({ title: event.currentTarget.value })} onBlur={settle} />
        <TextInput label={t('editor.question.help')} disabled={readOnly} value={typeof schema['description'] === 'string' ? schema['description'] : ''} onChange={(event) => write({ description: event.currentTarget.value || undefined })} onBlur={settle} />
        <Select
          label={t('editor.question.type')}
          disabled={readOnly}
          allowDeselect={false}
          data={kinds.map((one) => ({ value: one, label: t(KINDS[one]) }))}
          value={kind}
          onChange={(next) => { onChange({ schema: ofKind((next ?? 'text'), schema) }); settle(); }}
        />
        {kind === 'choice' || kind === 'several' ? (
          <TagsInput label={t('editor.question.choices')} placeholder={t('editor.form.tags')} disabled={readOnly} acceptValueOnBlur value={choicesOf(schema)} onChange={(choices) => onChange({ schema: withChoices(schema, choices) })} onBlur={settle} />
        ) : null}
        {kind === 'table' ? <Columns schema={schema} title={title} isFixed={isColumnFixed} onChange={(next) => onChange({ schema: next })} /> : null}
        <Limits kind={kind} schema={schema} onChange={(next) => onChange({ schema: next })} />
        <Checkbox label={t('editor.question.required')} disabled={readOnly} checked={required} onChange={(event) => onChange({ required: event.currentTarget.checked })} />
        {before.length > 0 ? <ShownWhen question={question} before={before} onChange={(rule) => onChange({ rule })} /> : null}
        <FieldName name={name} readOnly={readOnly} taken={taken} onRename={onRename} onSettle={settle} />
      </div>
    </div>
  );
}

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** What expressions read it by; taken over only where it is one of its own. */
function FieldName({ name, readOnly, taken, onRename, onSettle }: { name: string; readOnly: boolean; taken: (name: string) => boolean; onRename: (to: string) => void; onSettle: () => void }) {
  const t = useT();
  const [typed, setTyped] = useState<string | null>(null);
  const next = typed ?? name;
  const problem = next === name ? undefined : !NAME.test(next) ? t('editor.question.name_form') : taken(next) ? t('editor.form.name_taken') : undefined;
  return (
    <TextInput
      className={form.name}
      label={t('editor.question.name')}
      disabled={readOnly}
      error={problem}
      value={next}
      onChange={(event) => setTyped(event.currentTarget.value)}
      onBlur={() => {
        if (next !== name && problem === undefined) onRename(next);
        setTyped(null);
        onSettle();
      }}
    />
  );
}
