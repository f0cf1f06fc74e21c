import { useCallback, useEffect, useState } from 'react';
import { ExactNumber } from '~/api/exact';
import { saveTaskDraft } from '~/api/tasks';
import type { Task } from '~/api/types';
import { given } from '~/ui/schemaForm/answers';
import type { Schema } from '~/ui/schemaForm/answers';
import { onlyAsked } from '~/ui/schemaForm/conditions';
import { faultsOf } from '~/ui/schemaForm/faults';
import type { Fault } from '~/ui/schemaForm/faults';
import { useDraft } from '~/ui/schemaForm/useDraft';

/** Numbers as a form field has them. */
function plain(value: unknown): unknown {
  if (value instanceof ExactNumber) return Number(value.source);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}

export interface Filled {
  schema: Schema;
  value: unknown;
  change: (value: unknown) => void;
  faults: Fault[];
  /** What the server said of an answer. */
  refuse: (error: unknown) => void;
  /** What is sent with an answer that needs the form; empty for others. */
  withAnswer: (outcome: string) => { form_hash?: string; answers?: unknown };
  draft: ReturnType<typeof useDraft>;
}

const NONE: Fault[] = [];

/** What is filled in at a task: as the person typed it, else as they left it, else as it is beforehand. */
export function useFilled(task: Task): Filled {
  const form = task.form;
  const hash = form?.form_hash ?? '';
  const [schema] = useState(() => plain(form?.form ?? {}) as Schema);
  const [value, setValue] = useState<unknown>(() => plain(form?.draft?.answers ?? form?.initial ?? {}));
  const [faults, setFaults] = useState<Fault[]>(NONE);
  const save = useCallback(async (answers: unknown) => {
    await saveTaskDraft(task.id, hash, answers);
    return {};
  }, [task.id, hash]);
  const draft = useDraft(save, null);
  useEffect(() => {
    if (faults.length > 0) document.querySelector<HTMLElement>('[data-task-form] [aria-invalid="true"]')?.focus();
  }, [faults]);
  return {
    schema,
    value,
    change: (next) => {
      setValue(next);
      draft.keep(onlyAsked(schema, next));
    },
    faults,
    refuse: (error) => setFaults(faultsOf(error)),
    withAnswer: (outcome) => (form?.needed_for.includes(outcome) ? { form_hash: hash, answers: onlyAsked(schema, given(value)) } : {}),
    draft,
  };
}
