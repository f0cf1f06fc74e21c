/** JSON Schemas as people put them together: names, each with a kind, and whether it must be there. */
import type { MessageId } from '~/app/messages';
import { isRecord } from '../form/schema';
import type { Schema } from '../form/schema';

export type Kind = 'text' | 'number' | 'whole' | 'boolean' | 'date' | 'moment' | 'choice' | 'list' | 'group' | 'anything' | 'own';

export const KINDS: Record<Kind, MessageId> = {
  text: 'editor.kind.text',
  number: 'editor.kind.number',
  whole: 'editor.kind.whole',
  boolean: 'editor.kind.boolean',
  date: 'editor.kind.date',
  moment: 'editor.kind.moment',
  choice: 'editor.kind.choice',
  list: 'editor.kind.list',
  group: 'editor.kind.fields',
  anything: 'editor.kind.anything',
  own: 'editor.kind.own',
};
/** What may be chosen; `own` is what was written by hand, and stays as it is. */
export const OFFERED: Kind[] = ['text', 'number', 'whole', 'boolean', 'date', 'moment', 'choice', 'list', 'group', 'anything'];

const NOTES = ['title', 'description', 'x-widget', 'default', 'examples'];
const WORDS: Record<Exclude<Kind, 'own'>, string[]> = {
  text: [], number: [], whole: [], boolean: [], anything: [], date: ['format'], moment: ['format'], choice: ['enum'], list: ['items'],
  group: ['properties', 'required', 'additionalProperties'],
};

const record = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});

function told(schema: Schema): Exclude<Kind, 'own'> | undefined {
  if (Array.isArray(schema['enum']) && (schema['type'] === undefined || schema['type'] === 'string')) {
    return schema['enum'].every((one) => typeof one === 'string') ? 'choice' : undefined;
  }
  switch (schema['type']) {
    case 'string':
      return schema['format'] === 'date' ? 'date' : schema['format'] === 'date-time' ? 'moment' : 'text';
    case 'number':
      return 'number';
    case 'integer':
      return 'whole';
    case 'boolean':
      return 'boolean';
    case 'array':
      return 'list';
    case 'object':
      return 'group';
    case undefined:
      return isRecord(schema['properties']) ? 'group' : 'anything';
    default:
      return undefined;
  }
}

/** What a schema says; `own` where it says more than the fields can show. */
export function kindOf(schema: unknown): Kind {
  if (schema === undefined || schema === null || schema === true) return 'anything';
  if (!isRecord(schema)) return 'own';
  const kind = told(schema);
  if (kind === undefined) return 'own';
  const known = new Set(['type', ...NOTES, ...WORDS[kind]]);
  return Object.keys(schema).every((word) => known.has(word)) && typeof (schema['additionalProperties'] ?? true) === 'boolean' ? kind : 'own';
}

const SHAPES: Record<Exclude<Kind, 'own'>, Schema> = {
  text: { type: 'string' },
  number: { type: 'number' },
  whole: { type: 'integer' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date' },
  moment: { type: 'string', format: 'date-time' },
  choice: { type: 'string', enum: [] },
  list: { type: 'array', items: { type: 'string' } },
  group: { type: 'object', properties: {} },
  anything: {},
};

/** A schema of that kind, which keeps the words that people wrote beside it. */
export function ofKind(kind: Kind, before?: unknown): Schema {
  if (kind === 'own') return record(before);
  const notes = Object.fromEntries(['title', 'description'].flatMap((word) => (word in record(before) ? [[word, record(before)[word]]] : [])));
  return { ...structuredClone(SHAPES[kind]), ...notes };
}

export interface Part {
  name: string;
  schema: Schema;
  required: boolean;
}

/** The names of a group. */
export function partsOf(schema: Schema): Part[] {
  const required = Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  return Object.entries(record(schema['properties'])).map(([name, part]) => ({ name, schema: record(part), required: required.includes(name) }));
}

/** The group with these names, in this order; everything else that it says stays. */
export function withParts(schema: Schema, parts: readonly Part[]): Schema {
  const { required: _required, ...kept } = schema;
  const needed = parts.filter((one) => one.required).map((one) => one.name);
  return {
    ...kept,
    type: 'object',
    properties: Object.fromEntries(parts.map((one) => [one.name, one.schema])),
    ...(needed.length > 0 ? { required: needed } : {}),
  };
}
