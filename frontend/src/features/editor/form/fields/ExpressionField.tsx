import { ActionIcon, Input, Textarea, TextInput, Tooltip } from '@mantine/core';
import { useId, useRef } from 'react';
import type { ReactNode, Ref } from 'react';
import { flushSync } from 'react-dom';
import { useT } from '~/app/messages';
import { IconAbc, IconMathFunction } from '~/ui/icons';
import { flatPaths, withEvent } from '../../document/paths';
import type { PathNode } from '../../document/paths';
import { FeelInput } from '../feel/FeelInput';
import type { FeelHandle } from '../feel/FeelInput';
import { PathPicker } from '../feel/PathPicker';
import { Preview, useLiveValue } from '../feel/Preview';
import { asExpression, expressionOf, feelText, isExpression, literalText, readText, textWithPath, writeText } from '../feel/text';
import classes from '../Form.module.css';
import { FormContext, useForm } from '../FormContext';
import type { FormValues } from '../FormContext';
import { pathName } from '../schema';
import type { Field, Path } from '../schema';
import type { FieldProps } from '../SchemaField';
import { useFieldFrame } from './basics';

export interface FeelBoxProps {
  label: string;
  value: string;
  error?: boolean;
  /** Shows the sign that marks an expression among texts. */
  signed?: boolean;
  ref?: Ref<FeelHandle>;
  /** The field of the config; what the check finds in the expression is marked there. */
  path?: Path | undefined;
  onChange: (value: string) => void;
  children?: ReactNode;
}

/** One expression with its picker and its value. */
export function FeelBox({ label, value, error, signed, ref, path, onChange, children }: FeelBoxProps) {
  const form = useForm();
  const id = useId();
  const live = useLiveValue(value);
  const found = path ? form.faults?.get(pathName(path)) : undefined;
  const own = useRef<FeelHandle>(null);
  const hold = (handle: FeelHandle | null) => {
    own.current = handle;
    if (typeof ref === 'function') ref(handle);
    else if (ref) ref.current = handle;
  };
  return (
    <>
      <div className={classes.feel} data-error={error || undefined}>
        {signed ? <span className={classes.sign} aria-hidden>=</span> : <span className={classes.sign} aria-hidden><IconMathFunction size={16} /></span>}
        <FeelInput ref={hold} value={value} label={label} describedBy={id} onChange={onChange} fault={found && found.to <= value.length ? found : live.fault} />
        <div className={classes.tools}>
          {form.readOnly ? null : <PathPicker onPick={(node) => own.current?.insert(node.path)} />}
          {form.readOnly ? null : children}
        </div>
      </div>
      <Preview live={live} id={id} quiet={error} />
    </>
  );
}

/** FEEL as it stands. */
export function ExpressionField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled: _disabled, ...words } = frame;
  const change = (next: string) => form.set(path, next === '' && !required ? (field.nullable ? null : '') : next);
  const here = useNames(field);
  return (
    <FormContext value={here}>
      <Input.Wrapper {...words} labelElement="div">
        <FeelBox label={field.title} value={typeof value === 'string' ? value : ''} error={Boolean(frame.error)} onChange={change} path={path} />
      </Input.Wrapper>
    </FormContext>
  );
}

/** The form as a field sees it whose expression reads an event beside the run, or nothing else. */
export function useNames(field: Field): FormValues {
  const t = useT();
  const form = useForm();
  const names: unknown = field.schema['x-names'];
  if (!Array.isArray(names) || !names.includes('event')) return form;
  const sources = () => withEvent(form.sources(), t('editor.form.event'), field.schema['x-alone'] === true);
  return { ...form, sources, paths: () => flatPaths(sources()), names: ['event'] };
}

/** A text, or behind a switch (or a typed `=`) an expression. */
export function TemplateField({ field, path, value, required }: FieldProps) {
  const { form, frame } = useFieldFrame({ field, path, required });
  const { disabled: _disabled, ...words } = frame;
  const stored = typeof value === 'string' ? value : '';
  const first: unknown = Array.isArray(field.schema['examples']) ? field.schema['examples'][0] : undefined;
  return (
    <Input.Wrapper {...words} labelElement="div">
      <TemplateInput
        label={field.title}
        value={stored}
        long={field.long}
        error={Boolean(frame.error)}
        placeholder={typeof first === 'string' ? first : undefined}
        path={path}
        onChange={(next) => form.set(path, next === '' && !required && field.nullable ? null : next)}
      />
    </Input.Wrapper>
  );
}

interface InputProps {
  label: string;
  value: string;
  long?: boolean;
  error?: boolean;
  placeholder?: string | undefined;
  path?: Path | undefined;
  onChange: (stored: string) => void;
}

export function TemplateInput({ label, value, long, error, placeholder, path, onChange }: InputProps) {
  const t = useT();
  const form = useForm();
  const feel = useRef<FeelHandle>(null);
  const toExpression = (stored: string) => {
    // The other field must be there before it can take the focus.
    flushSync(() => onChange(stored));
    feel.current?.focus();
  };
  if (isExpression(value)) {
    const expression = expressionOf(value);
    return (
      <FeelBox ref={feel} signed label={label} value={expression} error={error} path={path} onChange={(next) => onChange(asExpression(next))}>
        <Tooltip label={t('editor.form.to_text')}>
          <ActionIcon aria-label={t('editor.form.to_text')} onClick={() => onChange(writeText(literalText(expression) ?? expression))}>
            <IconAbc size={16} aria-hidden />
          </ActionIcon>
        </Tooltip>
      </FeelBox>
    );
  }
  const text = readText(value);
  const change = (next: string) => (isExpression(next) && !isExpression(value) && !text.startsWith('=') ? toExpression(asExpression(expressionOf(next))) : onChange(writeText(next)));
  const tools = form.readOnly ? undefined : (
    <div className={classes.tools}>
      <PathPicker onPick={(node: PathNode) => toExpression(textWithPath(text, node))} />
      <Tooltip label={t('editor.form.to_expression')}>
        <ActionIcon aria-label={t('editor.form.to_expression')} onClick={() => toExpression(asExpression(text === '' ? '' : feelText(text)))}>
          <IconMathFunction size={16} aria-hidden />
        </ActionIcon>
      </Tooltip>
    </div>
  );
  const props = {
    'aria-label': label,
    error,
    placeholder,
    disabled: form.readOnly,
    value: text,
    onChange: (event: { currentTarget: { value: string } }) => change(event.currentTarget.value),
    onBlur: form.settle,
    rightSection: tools,
    rightSectionWidth: 68,
    rightSectionPointerEvents: 'all' as const,
  };
  return long ? <Textarea autosize minRows={3} maxRows={14} rightSectionProps={{ style: { alignItems: 'flex-start' } }} {...props} /> : <TextInput {...props} />;
}
