import { Textarea } from '@mantine/core';
import { useEffect, useImperativeHandle, useRef, useState } from 'react';
import type { Ref } from 'react';
import classes from '../Form.module.css';
import { useForm } from '../FormContext';
import type * as FeelModule from './editor';
import type { FeelEditor } from './editor';

type Load = typeof FeelModule;
let loaded: Load | null = null;
/** The editor of expressions is large; it is read when a flow is opened, and fields work before it is there. */
export const loadFeel = async (): Promise<Load> => (loaded ??= await import('./editor'));

export interface FeelHandle {
  insert: (text: string) => void;
  focus: () => void;
}

interface Props {
  ref?: Ref<FeelHandle>;
  value: string;
  label: string;
  describedBy: string;
  onChange: (value: string) => void;
  fault: { from: number; to: number; message: string } | null;
}

/** A field for an expression, with colours and completion. */
export function FeelInput({ ref, value, label, describedBy, onChange, fault }: Props) {
  const form = useForm();
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<FeelEditor | null>(null);
  const plain = useRef<HTMLTextAreaElement>(null);
  const [module, setModule] = useState<Load | null>(loaded);
  const latest = useRef({ onChange, paths: form.paths, settle: form.settle });
  useEffect(() => {
    latest.current = { onChange, paths: form.paths, settle: form.settle };
  });

  useEffect(() => {
    if (module) return;
    let gone = false;
    // Who is typing already goes on in the plain field.
    void loadFeel().then((ready) => {
      if (!gone && document.activeElement !== plain.current) setModule(ready);
    });
    return () => {
      gone = true;
    };
  }, [module]);

  useEffect(() => {
    if (!module || !host.current) return;
    const made = module.createFeelEditor({
      parent: host.current,
      value,
      label,
      describedBy,
      readOnly: form.readOnly,
      paths: () => latest.current.paths(),
      onChange: (next) => latest.current.onChange(next),
      onBlur: () => latest.current.settle(),
    });
    editor.current = made;
    return () => {
      made.destroy();
      editor.current = null;
    };
    // The value is brought in by the effect below; a new editor is made only with new code or a new field.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [module, label, describedBy]);

  useEffect(() => editor.current?.setValue(value), [value]);
  useEffect(() => editor.current?.setReadOnly(form.readOnly), [form.readOnly]);
  useEffect(() => editor.current?.mark(fault), [fault]);

  useImperativeHandle(ref, () => ({
    insert: (text) => (editor.current ? editor.current.insert(text) : onChange(value + text)),
    focus: () => (editor.current ? editor.current.focus() : plain.current?.focus()),
  }));

  if (module) return <div ref={host} className={classes.code} />;
  return (
    <Textarea
      ref={plain}
      variant="unstyled"
      className={classes.code}
      aria-label={label}
      aria-describedby={describedBy}
      autosize
      readOnly={form.readOnly}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
      onBlur={form.settle}
    />
  );
}
