import type { UiSchema } from '@rjsf/utils';

export type Schema = Record<string, unknown>;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const propertiesOf = (schema: Schema): [string, unknown][] => (isRecord(schema['properties']) ? Object.entries(schema['properties']) : []);

/** The form as it is asked: a tick that nobody sets is the answer no, not a missing one. */
export function asAsked(schema: Schema): Schema {
  if (schema['type'] === 'boolean' && !('default' in schema)) return { ...schema, default: false };
  if (!isRecord(schema['properties'])) return schema;
  return { ...schema, properties: Object.fromEntries(propertiesOf(schema).map(([name, one]) => [name, isRecord(one) ? asAsked(one) : one])) };
}

/** What the schema cannot say of how a question looks. */
export function looks(schema: Schema): UiSchema {
  if (schema['x-widget'] === 'files') return { 'ui:widget': 'files' };
  if (schema['type'] === 'array' && isRecord(schema['items'])) return looksOfList(schema['items']);
  if (schema['x-widget'] === 'person') return { 'ui:widget': 'person' };
  const found: UiSchema = schema['x-widget'] === 'text' ? { 'ui:widget': 'textarea', 'ui:options': { autosize: true, minRows: 3, maxRows: 12 } } : {};
  for (const [name, one] of propertiesOf(schema)) {
    const inner = isRecord(one) ? looks(one) : {};
    if (Object.keys(inner).length > 0) found[name] = inner;
  }
  return found;
}

/** Choices are ticked, texts are typed one after the other, rows of fields are a table. */
function looksOfList(item: Record<string, unknown>): UiSchema {
  if (Array.isArray(item['enum'])) return { 'ui:widget': 'checkboxes' };
  if (item['type'] === 'object') return { 'ui:widget': 'table' };
  return item['type'] === 'string' ? { 'ui:widget': 'texts' } : {};
}

/** The answers that were given: a question left empty is left out, at any depth. */
export function given(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(given);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== '' && one !== undefined).map(([name, one]) => [name, given(one)]));
}
