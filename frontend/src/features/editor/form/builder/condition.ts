/** A condition put together by choosing, as the JSON Schema of all answers that holds where it does. */
import { ExactNumber } from '~/api/exact';
import { emptyGroup, settled } from '../conditions/model';
import type { Compare, Condition, Group, Operator, Value } from '../conditions/model';
import { isRecord } from '../schema';
import type { Schema } from '../schema';

/** What a form can judge in the browser and on the server alike. */
export const OPERATORS: Operator[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'between', 'in', 'not_in', 'holds', 'fails', 'defined', 'undefined'];
const BOUNDS = { lt: 'exclusiveMaximum', le: 'maximum', gt: 'exclusiveMinimum', ge: 'minimum' } as const;
const NAME = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;

function jsonOf(value: Value): unknown {
  switch (value.kind) {
    case 'text':
    case 'date':
      return value.text;
    case 'number':
      return String(Number(value.text)) === value.text ? Number(value.text) : new ExactNumber(value.text);
    case 'boolean':
      return value.value;
    case 'path':
      return undefined;
  }
}

const about = (name: string, schema: Schema): Schema => ({ properties: { [name]: schema }, required: [name] });
const not = (schema: Schema): Schema => ({ not: schema });

function ofCompare({ left, op, values }: Compare): Schema | null {
  const name = left.path;
  const given = values.map(jsonOf);
  if (!NAME.test(name) || left.cast || left.fallback || given.includes(undefined)) return null;
  switch (op) {
    case 'eq':
      return about(name, { const: given[0] });
    case 'ne':
      return not(about(name, { const: given[0] }));
    case 'lt': case 'le': case 'gt': case 'ge':
      return values[0]?.kind === 'number' ? about(name, { type: 'number', [BOUNDS[op]]: given[0] }) : null;
    case 'between':
      return values.every((one) => one.kind === 'number') ? about(name, { type: 'number', minimum: given[0], maximum: given[1] }) : null;
    case 'in':
      return about(name, { enum: given });
    case 'not_in':
      return not(about(name, { enum: given }));
    case 'holds':
      return about(name, { const: true });
    case 'fails':
      return not(about(name, { const: true }));
    case 'defined':
      return { required: [name] };
    case 'undefined':
      return not({ required: [name] });
    default:
      return null;
  }
}

function ofCondition(part: Condition): Schema | null {
  if (part.kind === 'compare') return ofCompare(part);
  const parts = part.parts.map(ofCondition);
  if (parts.some((one) => one === null)) return null;
  return { [part.join === 'and' ? 'allOf' : 'anyOf']: parts };
}

/** The schema; null where nothing is said yet, or it is more than a form can judge. */
export function writeCondition(group: Group): Schema | null {
  const whole = settled(group);
  const [only] = whole.parts;
  if (!only) return null;
  return whole.parts.length === 1 ? ofCondition(only) : ofCondition(whole);
}

function valueOf(json: unknown): Value | null {
  if (typeof json === 'boolean') return { kind: 'boolean', value: json };
  if (typeof json === 'number' || json instanceof ExactNumber) return { kind: 'number', text: String(json) };
  return typeof json === 'string' ? { kind: 'text', text: json } : null;
}

function compare(name: string, op: Operator, json: unknown[]): Compare | null {
  const values = json.map(valueOf);
  return values.includes(null) ? null : { kind: 'compare', left: { path: name }, op, values: values as Value[] };
}

const NEGATED: Partial<Record<Operator, Operator>> = { eq: 'ne', in: 'not_in', holds: 'fails', defined: 'undefined' };

function read(schema: unknown): Condition | null {
  if (!isRecord(schema)) return null;
  for (const [word, join] of [['allOf', 'and'], ['anyOf', 'or']] as const) {
    if (!Array.isArray(schema[word])) continue;
    const parts = (schema[word] as unknown[]).map(read);
    return parts.includes(null) ? null : { kind: 'group', join, parts: parts as Condition[] };
  }
  if ('not' in schema) {
    const inner = read(schema['not']);
    const op = inner?.kind === 'compare' ? NEGATED[inner.op] : undefined;
    return inner?.kind === 'compare' && op ? { ...inner, op } : null;
  }
  const asked = Array.isArray(schema['required']) ? (schema['required'] as unknown[]) : [];
  const [name] = asked;
  if (asked.length !== 1 || typeof name !== 'string') return null;
  if (!isRecord(schema['properties'])) return { kind: 'compare', left: { path: name }, op: 'defined', values: [] };
  const held = schema['properties'][name];
  return isRecord(held) ? readHeld(name, held) : null;
}

function readHeld(name: string, held: Record<string, unknown>): Compare | null {
  if ('const' in held) return held['const'] === true ? compare(name, 'holds', []) : compare(name, 'eq', [held['const']]);
  if (Array.isArray(held['enum'])) return compare(name, 'in', held['enum']);
  if ('minimum' in held && 'maximum' in held) return compare(name, 'between', [held['minimum'], held['maximum']]);
  const found = (Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]).find((op) => BOUNDS[op] in held);
  return found ? compare(name, found, [held[BOUNDS[found]]]) : null;
}

/** The condition that a schema stands for, or null where it says more than can be put together by choosing. */
export function readCondition(schema: Schema | undefined): Group | null {
  if (schema === undefined) return emptyGroup();
  const found = read(schema);
  if (!found) return null;
  return found.kind === 'group' ? found : { kind: 'group', join: 'and', parts: [found] };
}
