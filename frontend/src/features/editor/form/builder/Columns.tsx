import { ActionIcon, Button, Checkbox, Input, Select, TagsInput, TextInput } from '@mantine/core';
import { useT } from '~/app/messages';
import { IconPlus, IconTrash } from '~/ui/icons';
import classes from '../Form.module.css';
import { useForm } from '../FormContext';
import { isRecord } from '../schema';
import type { Schema } from '../schema';
import { freeName } from '../values';
import { choicesOf, COLUMN_KINDS, followed, KINDS, kindOf, ofKind, questionsOf, slug, titleOf, withChoices, withQuestions } from './model';
import type { Question } from './model';

/** What each row of a table asks. */
export function Columns({ schema, title, isFixed, onChange }: { schema: Schema; title: string; isFixed: (column: string) => boolean; onChange: (schema: Schema) => void }) {
  const t = useT();
  const { readOnly, settle } = useForm();
  const item = isRecord(schema['items']) ? schema['items'] : {};
  const columns = questionsOf(item);
  const write = (next: Question[]) => onChange({ ...schema, items: withQuestions(item, next) });
  const put = (at: number, part: Partial<Question>) => {
    const others = columns.filter((_one, index) => index !== at).map((one) => one.name);
    write(columns.map((one, index) => (index === at ? { ...one, ...part, ...(part.schema ? { name: followed(one, part.schema, others, isFixed) } : {}) } : one)));
  };
  const add = () => {
    const shown = t('editor.question.new_column');
    write([...columns, { name: freeName(Object.fromEntries(columns.map((one) => [one.name, true])), slug(shown)), schema: { type: 'string', title: shown }, required: false, rule: undefined }]);
    settle();
  };
  return (
    <Input.Wrapper label={t('editor.question.columns')} labelElement="div">
      <div className={classes.rows} role="group" aria-label={t('editor.question.columns_of', { title })}>
        {columns.map((one, at) => {
          const shown = titleOf(one.schema, one.name);
          const kind = kindOf(one.schema);
          return (
            <div key={at} className={classes.rows} role="group" aria-label={shown}>
              <div className={classes.line}>
                <TextInput className={classes.grow} aria-label={t('editor.question.column_title', { title: shown })} disabled={readOnly} value={shown} onChange={(event) => put(at, { schema: { ...one.schema, title: event.currentTarget.value } })} onBlur={settle} />
                <Select
                  className={classes.side}
                  aria-label={t('editor.question.column_kind', { title: shown })}
                  disabled={readOnly}
                  allowDeselect={false}
                  data={COLUMN_KINDS.map((each) => ({ value: each, label: t(KINDS[each]) }))}
                  value={kind}
                  onChange={(next) => { put(at, { schema: ofKind((next ?? 'text'), one.schema) }); settle(); }}
                />
                {readOnly ? null : <ActionIcon aria-label={t('editor.form.remove_name', { name: shown })} onClick={() => { write(columns.filter((_one, index) => index !== at)); settle(); }}><IconTrash size={16} aria-hidden /></ActionIcon>}
              </div>
              {kind === 'choice' ? <TagsInput aria-label={t('editor.question.choices')} placeholder={t('editor.form.tags')} disabled={readOnly} acceptValueOnBlur value={choicesOf(one.schema)} onChange={(choices) => put(at, { schema: withChoices(one.schema, choices) })} onBlur={settle} /> : null}
              <Checkbox label={t('editor.question.required')} disabled={readOnly} checked={one.required} onChange={(event) => put(at, { required: event.currentTarget.checked })} />
            </div>
          );
        })}
        {readOnly ? null : <Button size="xs" className={classes.add} leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>{t('editor.question.add_column')}</Button>}
      </div>
    </Input.Wrapper>
  );
}
