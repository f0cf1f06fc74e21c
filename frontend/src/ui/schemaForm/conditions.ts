/** Which questions of a form are asked, by the same conditions as the server judges: plain JSON Schema. */
import { Validator } from '@cfworker/json-schema';
import type { Schema } from './answers';

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []);

export interface Rule {
  /** A JSON Schema of all answers. */
  when: Schema;
  /** Whether an answer is needed where it is asked. */
  needed: boolean;
}

/** By field: under which condition it is asked. A field that is always asked is not there. */
export function rulesOf(form: Schema): Map<string, Rule> {
  const found = new Map<string, Rule>();
  for (const one of Array.isArray(form['allOf']) ? (form['allOf'] as unknown[]) : []) {
    if (!isRecord(one) || !isRecord(one['if'])) continue;
    const otherwise = isRecord(one['else']) && isRecord(one['else']['properties']) ? one['else']['properties'] : {};
    const needed = isRecord(one['then']) ? texts(one['then']['required']) : [];
    for (const [name, schema] of Object.entries(otherwise)) {
      if (schema === false) found.set(name, { when: one['if'], needed: needed.includes(name) });
    }
  }
  return found;
}

/** The form with these conditions instead of those it has; what else stands under `allOf` stays. */
export function withRules(form: Schema, rules: ReadonlyMap<string, Rule>): Schema {
  const { allOf: _before, ...kept } = form;
  const own = (Array.isArray(form['allOf']) ? (form['allOf'] as unknown[]) : []).filter((one) => rulesOf({ allOf: [one] }).size === 0);
  const written = [...rules].map(([name, { when, needed }]) => ({ if: when, then: needed ? { required: [name] } : {}, else: { properties: { [name]: false } } }));
  return own.length + written.length > 0 ? { ...kept, allOf: [...own, ...written] } : kept;
}

/** The names of the fields in the order in which they are asked. */
export function orderOf(form: Schema): string[] {
  const known = isRecord(form['properties']) ? Object.keys(form['properties']) : [];
  return [...new Set([...texts(form['x-order']).filter((name) => known.includes(name)), ...known])];
}

/** The fields that these answers lead to. An answer that is not asked for leads to none. */
export function askedNames(form: Schema, answers: unknown): string[] {
  const given = isRecord(answers) ? answers : {};
  const rules = rulesOf(form);
  const known: Record<string, unknown> = {};
  return orderOf(form).filter((name) => {
    const rule = rules.get(name);
    if (rule && !new Validator(rule.when, '2020-12').validate(known).valid) return false;
    if (name in given) known[name] = given[name];
    return true;
  });
}

/** The form without what is not asked now, and without conditions. */
export function asAskedNow(form: Schema, answers: unknown): Schema {
  const { allOf, 'x-order': _order, ...kept } = form;
  const rules = rulesOf(form);
  if (rules.size === 0) return allOf === undefined ? kept : { ...kept, allOf };
  const names = askedNames(form, answers);
  const properties = isRecord(form['properties']) ? form['properties'] : {};
  const required = texts(form['required']);
  return {
    ...kept,
    properties: Object.fromEntries(names.map((name) => [name, properties[name]])),
    required: names.filter((name) => required.includes(name) || rules.get(name)?.needed === true),
  };
}

/** The answers to the questions that are asked. */
export function onlyAsked(form: Schema, answers: unknown): unknown {
  if (!isRecord(answers) || rulesOf(form).size === 0) return answers;
  return Object.fromEntries(askedNames(form, answers).filter((name) => name in answers).map((name) => [name, answers[name]]));
}
