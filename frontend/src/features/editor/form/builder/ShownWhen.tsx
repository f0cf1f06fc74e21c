import { Checkbox, Input } from '@mantine/core';
import { useState } from 'react';
import { useT } from '~/app/messages';
import type { PathNode, PathSource } from '../../document/paths';
import { ConditionGroup } from '../conditions/ConditionGroup';
import { newCompare } from '../conditions/model';
import type { Group } from '../conditions/model';
import { FormContext, useForm } from '../FormContext';
import { OPERATORS, readCondition, writeCondition } from './condition';
import { kindOf, titleOf } from './model';
import type { Question } from './model';

const TYPES: Partial<Record<string, PathNode['type']>> = { number: 'number', whole: 'number', amount: 'number', boolean: 'boolean', date: 'date', table: 'list', files: 'list', texts: 'list', several: 'list' };

const nodeOf = ({ name, schema }: Question): PathNode => ({ path: name, name, type: TYPES[kindOf(schema)] ?? 'text', hasSample: false, meaning: titleOf(schema, name), children: [] });

/** Whether a question is asked always, or only where a condition on earlier answers holds. */
export function ShownWhen({ question, before, onChange }: { question: Question; before: Question[]; onChange: (rule: Question['rule']) => void }) {
  const t = useT();
  const form = useForm();
  // What is being put together also holds what is not complete, which no schema says.
  const [own, setOwn] = useState<Group | null>(null);
  const stored = question.rule?.when;
  const read = readCondition(stored);
  const isOwn = own !== null && JSON.stringify(writeCondition(own) ?? undefined) === JSON.stringify(stored);
  const group = isOwn ? own : read;
  const isOn = stored !== undefined || own !== null;
  const change = (next: Group) => {
    setOwn(next);
    const when = writeCondition(next);
    onChange(when ? { when, needed: question.required } : undefined);
  };
  const turn = (on: boolean) => {
    setOwn(on ? { kind: 'group', join: 'and', parts: [newCompare()] } : null);
    if (!on) onChange(undefined);
    form.settle();
  };
  const source: PathSource = { id: 'form', title: t('editor.question.before'), icon: '', tint: 'signal', nodes: before.map(nodeOf) };
  const titled = titleOf(question.schema, question.name);
  return (
    <div>
      <Checkbox label={t('editor.question.when')} disabled={form.readOnly} checked={isOn} onChange={(event) => turn(event.currentTarget.checked)} />
      {!isOn ? null : group === null ? <Input.Description mt={6}>{t('editor.question.when_own')}</Input.Description> : (
        <FormContext.Provider value={{ ...form, operators: OPERATORS, sources: () => [source], paths: () => source.nodes }}>
          <ConditionGroup group={group} name={titled} depth={0} onChange={change} />
          {own !== null && stored === undefined ? <Input.Description mt={6}>{t('editor.question.when_open')}</Input.Description> : null}
        </FormContext.Provider>
      )}
    </div>
  );
}
