/** Reads the JSON Schema of a config for the form: what kind of field a part is, and how values fit. */

export type Schema = Record<string, unknown>;
export type Path = (string | number)[];

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null);

const asSchema = (value: unknown): Schema => (isRecord(value) ? value : {});
const schemas = (value: unknown): Schema[] => (Array.isArray(value) ? value.filter(isRecord) : []);

/** A part of a schema with its `$ref` followed; words beside the reference win. */
export function resolve(part: unknown, root: Schema): Schema {
  const schema = asSchema(part);
  const ref = schema['$ref'];
  if (typeof ref !== 'string') return schema;
  const target = ref.split('/').slice(1).reduce<unknown>((here, name) => asSchema(here)[name], root);
  const { $ref: _ref, ...beside } = schema;
  return { ...resolve(target, root), ...beside };
}

export interface Variant {
  key: string;
  title: string;
  schema: Schema;
  /** The whole value, where the variant is one constant. */
  constant?: unknown;
  hasConstant: boolean;
}

export type FieldKind =
  | 'expression' | 'condition' | 'template' | 'text' | 'number' | 'boolean' | 'choice' | 'union'
  | 'texts' | 'rows' | 'group' | 'fields' | 'value'
  | 'flow' | 'flowVersion' | 'flowInput' | 'eventType' | 'outcome' | 'step' | 'steps' | 'duration' | 'people' | 'cron' | 'zone' | 'secret' | 'addresses' | 'form';

export interface Field {
  kind: FieldKind;
  /** The schema without its nullable wrapper. */
  schema: Schema;
  title: string;
  help: string;
  /** Null may stand for "not set". */
  nullable: boolean;
  /** Accepts `{"secret": …}`. */
  secret: boolean;
  variants: Variant[];
  /** Room for more than one line. */
  long: boolean;
}

const WIDGETS: Record<string, FieldKind> = {
  step: 'step', steps: 'steps', duration: 'duration', people: 'people', cron: 'cron', zone: 'zone', secret: 'secret',
  flow: 'flow', 'flow-version': 'flowVersion', 'flow-input': 'flowInput', 'event-type': 'eventType', outcome: 'outcome',
  addresses: 'addresses', form: 'form', condition: 'condition', fields: 'fields', value: 'value',
};
const LONG_WIDGETS = new Set(['markdown', 'text', 'code']);
const LONG_FROM = 1000;

const text = (schema: Schema, word: string): string => (typeof schema[word] === 'string' ? schema[word] : '');

/** `first_delay_s` as words, for a field without a title. */
export const humanize = (name: string): string => {
  const words = name.replace(/[_.-]+/g, ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** What the form shows for a part of a schema. */
export function fieldOf(part: unknown, root: Schema, name = ''): Field {
  const outer = resolve(part, root);
  const options = [...schemas(outer['anyOf']), ...schemas(outer['oneOf'])].map((one) => resolve(one, root));
  const nullable = options.some((one) => one['type'] === 'null');
  const real = options.filter((one) => one['type'] !== 'null');
  const { anyOf: _any, oneOf: _one, ...words } = outer;
  const schema = real.length === 1 ? { ...real[0], ...words } : outer;
  const field: Field = {
    kind: 'value',
    schema,
    title: text(outer, 'title') || text(schema, 'title') || humanize(name),
    help: text(outer, 'description'),
    nullable,
    secret: outer['x-secret'] === true,
    variants: real.length > 1 ? real.flatMap((one) => variantsOf(one, schema)) : [],
    long: LONG_WIDGETS.has(text(schema, 'x-widget')) || Number(schema['maxLength'] ?? 0) > LONG_FROM && text(schema, 'x-widget') !== '',
  };
  return { ...field, kind: kindOf(schema, root, field) };
}

function kindOf(schema: Schema, root: Schema, field: Field): FieldKind {
  const widget = WIDGETS[text(schema, 'x-widget')];
  if (widget) return widget;
  if (field.variants.length > 0) return 'union';
  if (Array.isArray(schema['enum'])) return 'choice';
  if (schema['x-feel'] === 'expression') return 'expression';
  switch (schema['type']) {
    case 'string':
      return schema['x-feel'] === 'template' ? 'template' : 'text';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array':
      return isRecord(resolve(schema['items'], root)['properties']) ? 'rows' : 'texts';
    case 'object':
      if (isRecord(schema['properties'])) return 'group';
      return 'fields';
    default:
      return 'value';
  }
}

/** The choices that one member of a union stands for; an enum is one choice for each value. */
function variantsOf(schema: Schema, union: Schema): Variant[] {
  const labels = asSchema(union['x-labels'] ?? schema['x-labels']);
  if (Array.isArray(schema['enum'])) {
    return schema['enum'].map((value: unknown) => ({
      key: String(value),
      title: labelOf(labels, value),
      schema,
      constant: value,
      hasConstant: true,
    }));
  }
  const properties = Object.entries(asSchema(schema['properties'])).map(([name, one]) => [name, asSchema(one)] as const);
  const [first] = properties;
  const title = properties.length === 1 && first ? text(first[1], 'title') : text(schema, 'title');
  const constant = properties.length > 0 && properties.every(([, one]) => 'const' in one);
  return [
    {
      key: first?.[0] ?? text(schema, 'title'),
      title: title || humanize(first?.[0] ?? ''),
      schema,
      hasConstant: constant,
      ...(constant ? { constant: Object.fromEntries(properties.map(([name, one]) => [name, one['const']])) } : {}),
    },
  ];
}

export const labelOf = (labels: Record<string, unknown>, value: unknown): string => {
  const label = labels[String(value)];
  return typeof label === 'string' ? label : String(value);
};

/** The variant that a value belongs to. */
export function variantFor(variants: readonly Variant[], value: unknown): Variant | undefined {
  if (!isRecord(value)) return variants.find((one) => one.hasConstant && one.constant === value);
  return variants.find((one) => {
    const names = Object.keys(asSchema(one.schema['properties']));
    return names.length > 0 && Object.keys(value).every((name) => names.includes(name));
  });
}

/** A first value for a part of a schema, as small as the schema lets it be. */
export function blank(part: unknown, root: Schema): unknown {
  const schema = resolve(part, root);
  if (schema['default'] !== undefined) return structuredClone(schema['default']);
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0] as unknown;
  const options = [...schemas(schema['anyOf']), ...schemas(schema['oneOf'])];
  if (options.length > 0) return blank(options.some((one) => one['type'] === 'null') ? { type: 'null' } : options[0], root);
  switch (schema['type']) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object': {
      const needed = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
      const properties = asSchema(schema['properties']);
      return Object.fromEntries(needed.map((name) => [name, blank(properties[name], root)]));
    }
    default:
      return null;
  }
}

export interface Property {
  name: string;
  schema: Schema;
  required: boolean;
}

/** The fields of an object that the form shows for this value; `x-when` hides what does not matter. */
export function propertiesOf(schema: Schema, value: unknown, root: Schema): Property[] {
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  const all = asSchema(schema['properties']);
  const current = isRecord(value) ? value : {};
  const valueOf = (name: string) => current[name] ?? resolve(all[name], root)['default'];
  return Object.entries(all)
    .map(([name, part]) => ({ name, schema: resolve(part, root), required: required.includes(name) }))
    .filter(({ schema: part }) =>
      Object.entries(asSchema(part['x-when'])).every(([name, wanted]) =>
        Array.isArray(wanted) ? wanted.includes(valueOf(name)) : valueOf(name) === wanted,
      ),
    );
}

/** Fields of which exactly one is meant, by the keyword `x-one-of`. */
export const oneOfNames = (schema: Schema): string[] =>
  Array.isArray(schema['x-one-of']) ? schema['x-one-of'].filter((name): name is string => typeof name === 'string') : [];

/** `value` with the part at `path` replaced; `undefined` takes it away. Shares what does not change. */
export function setAt(value: unknown, path: Path, part: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return part;
  if (typeof head === 'number') {
    const list = Array.isArray(value) ? [...(value as unknown[])] : [];
    list[head] = setAt(list[head], rest, part);
    return list;
  }
  const object = isRecord(value) ? value : {};
  const next = setAt(object[head], rest, part);
  if (next === undefined) {
    const { [head]: _gone, ...kept } = object;
    return kept;
  }
  return { ...object, [head]: next };
}

export const getAt = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((here, name) => {
    if (Array.isArray(here)) return (here as unknown[])[Number(name)];
    return isRecord(here) ? here[name] : undefined;
  }, value);

/** The parts of a JSON pointer such as `/steps/size/config/branches/0/when`. */
export const readPointer = (pointer: string): Path =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

export const pathName = (path: Path): string => path.join('.');
