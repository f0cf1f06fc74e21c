/** A condition as people put it together: comparisons, and groups of them of which all or any must hold. */

export type Value =
  | { kind: 'text'; text: string }
  | { kind: 'number'; text: string }
  | { kind: 'boolean'; value: boolean }
  | { kind: 'date'; text: string }
  | { kind: 'path'; path: string };

export type Literal = Exclude<Value, { kind: 'path' }>;

/** What is compared: something that can be read, made a date or a number first, or else a value of its own. */
export interface Operand {
  path: string;
  cast?: 'date' | 'number';
  /** What counts where the path is missing. */
  fallback?: Literal;
}

export const ORDERED = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const;
export const TEXTUAL = ['contains', 'not_contains', 'starts', 'not_starts', 'ends', 'not_ends'] as const;
export const LISTED = ['in', 'not_in'] as const;
export const BARE = ['holds', 'fails', 'defined', 'undefined'] as const;
export type Operator = (typeof ORDERED)[number] | (typeof TEXTUAL)[number] | (typeof LISTED)[number] | (typeof BARE)[number] | 'between';

export interface Compare {
  kind: 'compare';
  left: Operand;
  op: Operator;
  /** One value; two for `between`, any number for `in`, none where the operator says it all. */
  values: Value[];
}

export interface Group {
  kind: 'group';
  join: 'and' | 'or';
  parts: Condition[];
}

export type Condition = Compare | Group;

/** So deep groups may stand in one another. */
export const DEEPEST = 4;

const among = <T extends string>(list: readonly T[], op: string): op is T => (list as readonly string[]).includes(op);
export const isOrdered = (op: Operator) => among(ORDERED, op);
export const isTextual = (op: Operator) => among(TEXTUAL, op);
export const isListed = (op: Operator) => among(LISTED, op);
export const isBare = (op: Operator) => among(BARE, op);

export const valuesFor = (op: Operator): number => (isBare(op) ? 0 : op === 'between' ? 2 : 1);

export const emptyGroup = (): Group => ({ kind: 'group', join: 'and', parts: [] });
export const newCompare = (): Compare => ({ kind: 'compare', left: { path: '' }, op: 'eq', values: [{ kind: 'text', text: '' }] });

const NAME = "[\\p{L}_$][\\p{L}\\p{N}_$]*";
const PATH = new RegExp(`^(${NAME}(\\.${NAME}|\\[-?\\d+\\])*|get value\\(.+\\)(\\.${NAME}|\\[-?\\d+\\])*)$`, 'u');
const NUMBER = /^-?(\d+(\.\d+)?|\.\d+)$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

export function isWhole(value: Value): boolean {
  switch (value.kind) {
    case 'text':
    case 'boolean':
      return true;
    case 'number':
      return NUMBER.test(value.text);
    case 'date':
      return DATE.test(value.text);
    case 'path':
      return PATH.test(value.path);
  }
}

/** Whether a comparison says all that it needs; others are not written yet. */
export const isComplete = ({ left, op, values }: Compare): boolean =>
  PATH.test(left.path) &&
  (left.fallback === undefined || isWhole(left.fallback)) &&
  (isListed(op) ? values.length > 0 : values.length === valuesFor(op)) &&
  values.every(isWhole);

/** The same condition without what is not complete and without groups of one. */
export function settled(group: Group): Group {
  const parts = group.parts.flatMap((part): Condition[] => {
    if (part.kind === 'compare') return isComplete(part) ? [part] : [];
    const inner = settled(part);
    return inner.parts.length > 1 ? [inner] : inner.parts;
  });
  const [only] = parts;
  if (parts.length === 1 && only?.kind === 'group') return only;
  return { ...group, join: parts.length < 2 ? 'and' : group.join, parts };
}

/** The values of a comparison after another operator was chosen: as many as it takes, kept where they fit. */
export function withOperator(compare: Compare, op: Operator): Compare {
  const { cast: _cast, ...bare } = compare.left;
  const left = isBare(op) || isTextual(op) ? bare : compare.left;
  const fits = (value: Value) => !isTextual(op) || value.kind === 'text' || value.kind === 'path';
  const kept = compare.values.filter(fits);
  if (isListed(op)) return { ...compare, left, op, values: kept.length > 0 ? kept : [{ kind: 'text', text: '' }] };
  const first: Value = kept[0] ?? { kind: 'text', text: '' };
  return { ...compare, left, op, values: Array.from({ length: valuesFor(op) }, (_one, at) => kept[at] ?? { ...first }) };
}

/** A comparison whose values are of one kind; a date is compared with what is read as a date. */
export function withKind(compare: Compare, kind: Value['kind']): Compare {
  const { cast: _cast, ...bare } = compare.left;
  const left: Operand = kind === 'date' ? { ...bare, cast: 'date' } : bare;
  return { ...compare, left, values: compare.values.map((value) => (value.kind === kind ? value : blankOf(kind))) };
}

export function blankOf(kind: Value['kind']): Value {
  switch (kind) {
    case 'boolean':
      return { kind, value: true };
    case 'path':
      return { kind, path: '' };
    default:
      return { kind, text: '' };
  }
}
