import { Input, SegmentedControl } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useT } from '~/app/messages';
import { FeelBox, useNames } from '../fields/ExpressionField';
import { loadFeel } from '../feel/FeelInput';
import { Preview, useLiveValue } from '../feel/Preview';
import { expressionOf } from '../feel/text';
import { FormContext, useForm } from '../FormContext';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from '../fields/basics';
import classes from './Conditions.module.css';
import { ConditionGroup } from './ConditionGroup';
import type { Group } from './model';
import { ALWAYS, writeCondition } from './write';

type Read = (text: string) => Group | null;
let reader: Read | null = null;
/** The grammar comes with the editor of expressions, in the same part of the program. */
const loadReader = async (): Promise<Read> => {
  const [{ readCondition }] = await Promise.all([import('./read'), loadFeel()]);
  return (reader ??= readCondition);
};

/** Which of the two views is wanted, for all conditions until it is changed again. */
let wanted: 'choose' | 'feel' = 'choose';

/** A condition, put together by choosing or written as FEEL: two views of one expression. */
export function ConditionField({ field, path, value, required }: FieldProps) {
  const t = useT();
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled: _disabled, ...words } = frame;
  const here = useNames(field);
  const [read, setRead] = useState<Read | null>(() => reader);
  const [view, setView] = useState(wanted);
  // What is being put together also holds what is not complete, which no expression says.
  const [own, setOwn] = useState<Group | null>(null);
  const stored = typeof value === 'string' ? value : '';
  const text = expressionOf(stored).trim();

  useEffect(() => {
    if (read) return;
    let gone = false;
    void loadReader().then((ready) => { if (!gone) setRead(() => ready); });
    return () => { gone = true; };
  }, [read]);

  const empty = field.nullable || !required ? '' : ALWAYS;
  const write = (group: Group) => {
    const written = writeCondition(group);
    return written === ALWAYS && group.parts.length === 0 ? empty : written;
  };
  const change = (next: string) => form.set(path, next === '' && !required ? (field.nullable ? null : '') : next);
  const group = own !== null && write(own) === text ? own : read ? read(text) : null;
  const isTooMuch = read !== null && group === null;
  const shown = view === 'choose' && group !== null ? 'choose' : 'feel';
  const choose = (next: 'choose' | 'feel') => {
    wanted = next;
    setView(next);
    setOwn(null);
  };
  const put = (next: Group) => {
    setOwn(next);
    change(write(next));
  };

  return (
    <FormContext value={here}>
      <Input.Wrapper {...words} labelElement="div">
        <div className={classes.views}>
          <SegmentedControl
            size="xs"
            aria-label={t('editor.condition.view', { title: field.title })}
            value={shown}
            onChange={(next) => choose(next)}
            data={[{ value: 'choose', label: t('editor.condition.choose'), disabled: isTooMuch }, { value: 'feel', label: t('editor.condition.feel') }]}
          />
        </div>
        {shown === 'choose' && group ? (
          <>
            <ConditionGroup group={group} name={field.title} depth={0} onChange={put} />
            <Written text={text} />
          </>
        ) : (
          <>
            <FeelBox label={field.title} value={stored} error={Boolean(frame.error)} onChange={change} path={path} />
            {isTooMuch && view === 'choose' && !frame.error ? <p className={classes.note}>{t('editor.condition.too_much')}</p> : null}
          </>
        )}
      </Input.Wrapper>
    </FormContext>
  );
}

/** What the choices come to, and what that gives with the sample. */
function Written({ text }: { text: string }) {
  const t = useT();
  const form = useForm();
  const live = useLiveValue(text);
  const id = `written-${form.owner}`;
  if (text === '' || text === ALWAYS) return <p className={classes.note}>{t('editor.condition.always')}</p>;
  return (
    <>
      <code className={classes.written}>{text}</code>
      <Preview live={live} id={id} />
    </>
  );
}

