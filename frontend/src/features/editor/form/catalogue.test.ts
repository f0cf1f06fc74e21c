import { describe, expect, it } from 'vitest';
import type { StepType } from '~/api/types';
import real from '../../../../../tests/golden/editor/step-types.json';
import { fieldOf, isRecord, resolve } from './schema';
import type { Field, Schema } from './schema';

const types = [...real.results, ...real.triggers] as unknown as StepType[];

/** Whole configs that have a form of their own. */
const OWN_FORMS = ['decision-table'];
/** Any value, put together out of rows of texts, numbers, lists and fields: only where the type takes any value. */
const ANY = 'value';

interface Found {
  path: string;
  field: Field;
}

/** Every field of a config that its form shows, however deep. */
function fieldsOf(schema: Schema, root: Schema, path = '', seen = new Set<unknown>()): Found[] {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  return Object.entries(properties).flatMap(([name, part]) => {
    const here = path === '' ? name : `${path}.${name}`;
    const field = fieldOf(part, root, name);
    if (seen.has(part)) return [];
    const deeper = new Set(seen).add(part);
    const inner = [
      ...(field.kind === 'group' ? fieldsOf(field.schema, root, here, deeper) : []),
      ...(field.kind === 'rows' ? fieldsOf(resolve(field.schema['items'], root), root, `${here}[]`, deeper) : []),
      ...field.variants.filter((one) => !one.hasConstant).flatMap((one) => fieldsOf(one.schema, root, here, deeper)),
    ];
    return [{ path: here, field }, ...inner];
  });
}

/** Whether a value of the field has a shape that its form must know: anything else may be anything. */
const isOpen = ({ schema }: Field): boolean => schema['type'] === undefined && !('enum' in schema) && !('const' in schema) && !('properties' in schema);

describe.each(types.map((type) => ({ name: `${type.kind} ${type.version ?? ''}`.trim(), type })))('the form of $name', ({ type }) => {
  const root = type.config_schema as Schema;

  it('has a field of its own for each part of the config, and raw JSON for none', () => {
    if (OWN_FORMS.includes(String(root['x-widget']))) return;
    const found = fieldsOf(root, root);
    expect(found.length > 0 || Object.keys(isRecord(root['properties']) ? root['properties'] : {}).length === 0).toBe(true);
    // A part that falls through to "any value" though its schema says what it is has no field.
    expect(found.filter(({ field }) => field.kind === ANY && !isOpen(field)).map(({ path }) => path)).toEqual([]);
    // A union shows nothing for a member that is neither one constant nor a set of named fields.
    const blind = found.filter(({ field }) => field.kind === 'union' && field.variants.some((one) => !one.hasConstant && !isRecord(one.schema['properties'])));
    expect(blind.map(({ path }) => path)).toEqual([]);
    // An object without named fields is edited as rows of names and values, a list of objects as rows.
    expect(found.filter(({ field }) => field.kind === 'texts' && isRecord(resolve(field.schema['items'], root)['properties'])).map(({ path }) => path)).toEqual([]);
  });

  it('names each field in words', () => {
    for (const { path, field } of fieldsOf(root, root)) expect({ path, title: field.title.trim() }).not.toEqual({ path, title: '' });
  });
});

describe('the walk itself', () => {
  it('finds a part that no field knows', () => {
    const schema = { type: 'object', properties: { odd: { type: 'null' }, mixed: { anyOf: [{ type: 'string' }, { type: 'array', items: {} }] } } };
    const found = fieldsOf(schema, schema);
    expect(found.filter(({ field }) => field.kind === ANY && !isOpen(field)).map(({ path }) => path)).toEqual(['odd']);
    expect(found.filter(({ field }) => field.kind === 'union').map(({ path }) => path)).toEqual(['mixed']);
  });
});
