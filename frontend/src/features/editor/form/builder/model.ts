/** A form as people put it together: questions in an order, some asked under a condition. Kept as JSON Schema. */
import type { MessageId } from '~/app/messages';
import { orderOf, rulesOf, withRules } from '~/ui/schemaForm/conditions';
import type { Rule } from '~/ui/schemaForm/conditions';
import { FEEL_WORDS } from '../../document/paths';
import { isRecord } from '../schema';
import type { Schema } from '../schema';
import { freeName } from '../values';

export const KINDS = {
  text: 'editor.kind.text', long: 'editor.kind.long', number: 'editor.kind.number', whole: 'editor.kind.whole', amount: 'editor.kind.amount', date: 'editor.kind.date',
  choice: 'editor.kind.choice', several: 'editor.kind.several', boolean: 'editor.kind.boolean', person: 'editor.kind.person', texts: 'editor.kind.texts', table: 'editor.kind.table', files: 'editor.kind.files',
} satisfies Record<string, MessageId>;
export type QuestionKind = keyof typeof KINDS;
/** What a column of a table can be. */
export const COLUMN_KINDS: QuestionKind[] = ['text', 'number', 'whole', 'date', 'choice', 'boolean'];

/** What the server fills in for each file that is attached. */
const FILE = {
  type: 'object',
  properties: { id: { type: 'string' }, name: { type: 'string' }, type: { type: 'string' }, size: { type: 'integer' }, sha256: { type: 'string' } },
  required: ['id', 'name', 'type', 'size', 'sha256'],
  additionalProperties: false,
};
const SHAPES: Record<QuestionKind, Schema> = {
  text: { type: 'string' },
  long: { type: 'string', 'x-widget': 'text' },
  number: { type: 'number' },
  whole: { type: 'integer' },
  amount: { type: 'number', 'x-widget': 'amount', multipleOf: 0.01 },
  date: { type: 'string', format: 'date' },
  choice: { type: 'string', enum: [] },
  several: { type: 'array', items: { type: 'string', enum: [] }, uniqueItems: true },
  boolean: { type: 'boolean' },
  person: { type: 'string', 'x-widget': 'person' },
  texts: { type: 'array', items: { type: 'string' } },
  table: { type: 'array', items: { type: 'object', properties: {}, additionalProperties: false } },
  files: { type: 'array', 'x-widget': 'files', items: FILE },
};

const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
const names = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);

export function kindOf(schema: Schema): QuestionKind {
  const item = record(schema['items']);
  if (Array.isArray(schema['enum'])) return 'choice';
  if (schema['x-widget'] === 'files') return 'files';
  if (schema['type'] === 'array') return Array.isArray(item['enum']) ? 'several' : item['type'] === 'object' ? 'table' : 'texts';
  if (schema['type'] === 'boolean') return 'boolean';
  if (schema['type'] === 'integer') return 'whole';
  if (schema['type'] === 'number') return schema['x-widget'] === 'amount' ? 'amount' : 'number';
  if (schema['format'] === 'date') return 'date';
  return schema['x-widget'] === 'person' ? 'person' : schema['x-widget'] === 'text' ? 'long' : 'text';
}

/** Another kind of question with the same words; choices stay choices. */
export function ofKind(kind: QuestionKind, before: Schema): Schema {
  const kept = Object.fromEntries(['title', 'description'].filter((word) => word in before).map((word) => [word, before[word]]));
  const shape = structuredClone(SHAPES[kind]);
  const choices = choicesOf(before);
  if (kind === 'choice') shape['enum'] = choices;
  if (kind === 'several') shape['items'] = { type: 'string', enum: choices };
  return { ...kept, ...shape };
}

export const choicesOf = (schema: Schema): string[] => names(schema['enum'] ?? record(schema['items'])['enum']);

export const withChoices = (schema: Schema, choices: string[]): Schema =>
  kindOf(schema) === 'several' ? { ...schema, items: { ...record(schema['items']), enum: choices } } : { ...schema, enum: choices };

export interface Question {
  name: string;
  schema: Schema;
  required: boolean;
  rule: Rule | undefined;
}

export function questionsOf(form: Schema): Question[] {
  const rules = rulesOf(form);
  const needed = names(form['required']);
  return orderOf(form).map((name) => {
    const rule = rules.get(name);
    return { name, schema: record(record(form['properties'])[name]), required: rule ? rule.needed : needed.includes(name), rule };
  });
}

/** The form with these questions. Their order is written down once it is not the one they were made in. */
export function withQuestions(form: Schema, questions: readonly Question[]): Schema {
  const known = Object.keys(record(form['properties']));
  const before = questions.map((one) => one.name);
  const kept = known.filter((name) => before.includes(name));
  const made = [...kept, ...before.filter((name) => !kept.includes(name))];
  const isOrdered = 'x-order' in form || made.join('\n') !== before.join('\n');
  const next: Schema = {
    ...form,
    type: 'object',
    properties: Object.fromEntries(made.map((name) => [name, questions.find((one) => one.name === name)!.schema])),
    required: questions.filter((one) => one.required && !one.rule).map((one) => one.name),
  };
  if (isOrdered) next['x-order'] = before;
  return withRules(next, new Map(questions.flatMap((one) => (one.rule ? [[one.name, { when: one.rule.when, needed: one.required }] as const] : []))));
}

/** The questions with one at another place. One that depends on what now stands behind it is asked always. */
export function moved(questions: readonly Question[], from: number, to: number): Question[] {
  const next = [...questions];
  const [one] = next.splice(from, 1);
  if (!one) return next;
  next.splice(Math.max(0, Math.min(to, next.length)), 0, one);
  return settled(next);
}

/** Without conditions on questions that are gone or stand behind. */
export function settled(questions: readonly Question[]): Question[] {
  const before = new Set<string>();
  return questions.map((one) => {
    const lost = one.rule && readBy(one.rule.when).some((name) => !before.has(name));
    before.add(one.name);
    return lost ? { ...one, rule: undefined } : one;
  });
}

/** The questions with another name for one, also in conditions. */
export function renamed(questions: readonly Question[], from: string, to: string): Question[] {
  return questions.map((one) => ({
    ...one,
    name: one.name === from ? to : one.name,
    rule: one.rule ? { ...one.rule, when: renamedIn(one.rule.when, from, to) as Schema } : undefined,
  }));
}

/** The fields that a condition reads. */
export function readBy(when: unknown): string[] {
  if (Array.isArray(when)) return when.flatMap(readBy);
  if (!isRecord(when)) return [];
  return [...Object.keys(record(when['properties'])), ...names(when['required']), ...['allOf', 'anyOf', 'not'].flatMap((word) => readBy(when[word]))];
}

function renamedIn(when: unknown, from: string, to: string): unknown {
  if (Array.isArray(when)) return when.map((one) => renamedIn(one, from, to));
  if (!isRecord(when)) return when;
  return Object.fromEntries(
    Object.entries(when).map(([word, part]) => {
      if (word === 'properties') return [word, Object.fromEntries(Object.entries(record(part)).map(([name, schema]) => [name === from ? to : name, schema]))];
      if (word === 'required') return [word, names(part).map((name) => (name === from ? to : name))];
      return [word, ['allOf', 'anyOf', 'not'].includes(word) ? renamedIn(part, from, to) : part];
    }),
  );
}

/** A name out of words; one that an expression would take for a word of its own says what it is. */
export function slug(text: string): string {
  const plain = text.toLowerCase().replaceAll('ß', 'ss').normalize('NFKD').replace(/\p{M}/gu, '').replace(/[^a-z0-9]+/g, '_').replace(/^[^a-z]+/, '').slice(0, 56).replace(/_+$/, '') || 'field';
  return FEEL_WORDS.has(plain) ? `${plain}_value` : plain;
}
const isMadeOf = (name: string, title: string): boolean => name === slug(title) || (name.startsWith(`${slug(title)}_`) && /^\d+$/.test(name.slice(slug(title).length + 1)));

/** The name after the title was changed: a name that was made of it follows as long as it is free to. */
export function followed(one: Pick<Question, 'name' | 'schema'>, after: Schema, others: readonly string[], isFixed: (name: string) => boolean): string {
  const [before, now] = [one.schema['title'], after['title']];
  if (typeof before !== 'string' || typeof now !== 'string' || before === now || !isMadeOf(one.name, before) || isMadeOf(one.name, now) || isFixed(one.name)) return one.name;
  return freeName(Object.fromEntries(others.map((name) => [name, true])), slug(now));
}
export const titleOf = (schema: Schema, name: string): string => (typeof schema['title'] === 'string' ? schema['title'] : name);
