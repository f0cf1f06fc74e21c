import { describe, expect, it } from 'vitest';
import cases from '../../../../../../tests/golden/editor/conditions.json';
import { isTextual, LISTED, ORDERED, settled, TEXTUAL, valuesFor, withKind, withOperator } from './model';
import type { Compare, Condition, Group, Literal, Operand, Operator, Value } from './model';
import { readCondition } from './read';
import { writeCondition } from './write';

/** The same numbers for the same seed (mulberry32), so that a failure can be seen again. */
function dice(seed: number) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (most: number) => Math.floor(next() * most),
    pick: <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T,
  };
}
type Dice = ReturnType<typeof dice>;

const PATHS = ['trigger.body.amount', 'steps.call_2.output.body.name', 'item', 'trigger.body.lines[1].qty', 'trigger.headers.x', 'get value(trigger.body, "odd key")', 'run.id', 'trigger.body.straße', 'trigger.body.lines[-1].sku'];
const TEXTS = ['', 'gold', 'a "quoted" word', 'back\\slash', 'two\nlines', 'and (or) not', 'get or else(x, 1)', '日本', "it's", '\ttab', 'true', '// no comment'];
const NUMBERS = ['0', '10', '-3', '1.50', '12345678901234567890.5', '.5'];
const DATES = ['2026-02-28', '1999-12-31'];
const OPERATORS: Operator[] = [...ORDERED, ...TEXTUAL, ...LISTED, 'holds', 'fails', 'defined', 'undefined', 'between'];

const literal = (one: Dice): Literal => {
  switch (one.below(4)) {
    case 0: return { kind: 'text', text: one.pick(TEXTS) };
    case 1: return { kind: 'number', text: one.pick(NUMBERS) };
    case 2: return { kind: 'boolean', value: one.below(2) === 0 };
    default: return { kind: 'date', text: one.pick(DATES) };
  }
};
const value = (one: Dice): Value => (one.below(5) === 0 ? { kind: 'path', path: one.pick(PATHS) } : literal(one));

function operand(one: Dice, op: Operator): Operand {
  const path = one.pick(PATHS);
  if (op === 'defined' || op === 'undefined') return { path };
  const mayCast = !isTextual(op) && op !== 'holds' && op !== 'fails';
  return {
    path,
    ...(one.below(4) === 0 ? { fallback: literal(one) } : {}),
    ...(mayCast && one.below(4) === 0 ? { cast: one.pick(['date', 'number'] as const) } : {}),
  };
}

function compare(one: Dice): Compare {
  const op = one.pick(OPERATORS);
  const count = op === 'in' || op === 'not_in' ? 1 + one.below(3) : valuesFor(op);
  const give = (): Value => (isTextual(op) ? { kind: 'text', text: one.pick(TEXTS) } : value(one));
  return { kind: 'compare', left: operand(one, op), op, values: Array.from({ length: count }, give) };
}

function group(one: Dice, depth: number): Group {
  const parts = Array.from({ length: 2 + one.below(3) }, (): Condition => (depth < 3 && one.below(3) === 0 ? group(one, depth + 1) : compare(one)));
  return { kind: 'group', join: one.pick(['and', 'or'] as const), parts };
}

describe('a condition put together by choosing', () => {
  it('comes back the same from the FEEL that it is written as', () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const made = group(dice(seed), 0);
      const written = writeCondition(made);
      expect({ seed, written, read: readCondition(written) }).toEqual({ seed, written, read: made });
    }
  });

  it.each(cases)('is written as the server understands it: $feel', ({ feel }) => {
    const read = readCondition(feel);
    expect(read && writeCondition(read)).toBe(feel);
  });

  it('is one comparison, or none at all', () => {
    const one: Compare = { kind: 'compare', left: { path: 'a' }, op: 'gt', values: [{ kind: 'number', text: '3' }] };
    expect(readCondition(writeCondition({ kind: 'group', join: 'or', parts: [one] }))).toEqual({ kind: 'group', join: 'and', parts: [one] });
    expect(writeCondition({ kind: 'group', join: 'and', parts: [] })).toBe('true');
    expect(readCondition(' true ')).toEqual({ kind: 'group', join: 'and', parts: [] });
    expect(readCondition('')).toEqual({ kind: 'group', join: 'and', parts: [] });
  });

  it('leaves out what is not complete, and groups of one', () => {
    const half: Compare = { kind: 'compare', left: { path: 'a' }, op: 'lt', values: [{ kind: 'number', text: '1x' }] };
    const whole: Compare = { kind: 'compare', left: { path: 'b' }, op: 'holds', values: [] };
    const made: Group = { kind: 'group', join: 'and', parts: [half, { kind: 'group', join: 'or', parts: [whole] }] };
    expect(writeCondition(made)).toBe('b');
    expect(settled({ kind: 'group', join: 'and', parts: [{ kind: 'group', join: 'or', parts: [whole, whole] }] }).join).toBe('or');
  });

  it('reads what people write by hand', () => {
    expect(readCondition('a = 1 and b = 2 or c = 3')).toMatchObject({ join: 'or', parts: [{ kind: 'group', join: 'and' }, { op: 'eq' }] });
    expect(readCondition('((a = 1))')).toMatchObject({ parts: [{ op: 'eq', left: { path: 'a' } }] });
    expect(readCondition('trigger.body.ok')).toMatchObject({ parts: [{ op: 'holds' }] });
    expect(readCondition('get or else(trigger.body.n, 0) <= 3')).toMatchObject({ parts: [{ left: { path: 'trigger.body.n', fallback: { kind: 'number', text: '0' } }, op: 'le' }] });
    expect(readCondition('date(trigger.body.due) < date("2026-05-01")')).toMatchObject({ parts: [{ left: { path: 'trigger.body.due', cast: 'date' }, op: 'lt' }] });
  });

  it.each([
    'a + 1 > 3', 'if a then b else c', 'some x in list satisfies x > 1', 'a = ', 'a = 1 b', '[1,2]', 'count(list) > 2', 'a in [1..5]', 'a in (> 5)',
    'not(a = 1 and b = 2)', 'a = null', '3 > a', 'a = "x" // why', 'a[b > 1] = 2', 'today() > a', '"', '(', 'date("2026-01-01") = 1 and',
  ])('stays FEEL where it says more: %s', (text) => {
    expect(readCondition(text)).toBeNull();
  });

  it('keeps what fits when another operator or another kind of value is chosen', () => {
    const day: Compare = { kind: 'compare', left: { path: 'a', cast: 'date' }, op: 'gt', values: [{ kind: 'date', text: '2026-01-01' }] };
    expect(withOperator(day, 'between').values).toHaveLength(2);
    expect(withOperator(day, 'contains')).toEqual({ kind: 'compare', left: { path: 'a' }, op: 'contains', values: [{ kind: 'text', text: '' }] });
    expect(withOperator(day, 'defined')).toEqual({ kind: 'compare', left: { path: 'a' }, op: 'defined', values: [] });
    expect(withKind(withKind(day, 'number'), 'date')).toEqual({ ...day, values: [{ kind: 'date', text: '' }] });
  });
});
