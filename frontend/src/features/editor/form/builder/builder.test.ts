import { describe, expect, it } from 'vitest';
import { askedNames } from '~/ui/schemaForm/conditions';
import type { Compare, Group, Operator, Value } from '../conditions/model';
import { OPERATORS, readCondition, writeCondition } from './condition';
import { choicesOf, followed, kindOf, KINDS, moved, ofKind, questionsOf, renamed, settled, slug, withChoices, withQuestions } from './model';
import type { QuestionKind } from './model';

const number = (text: string): Value => ({ kind: 'number', text });
const about = (op: Operator, ...values: Value[]): Compare => ({ kind: 'compare', left: { path: 'price' }, op, values });
const group = (join: 'and' | 'or', ...parts: Group['parts']): Group => ({ kind: 'group', join, parts });
const EXAMPLES: Record<string, Compare> = {
  eq: about('eq', { kind: 'text', text: 'a' }), ne: about('ne', number('1')), lt: about('lt', number('1')), le: about('le', number('1')), gt: about('gt', number('1.5')), ge: about('ge', number('1')),
  between: about('between', number('1'), number('3')), in: about('in', { kind: 'text', text: 'a' }, { kind: 'text', text: 'b' }), not_in: about('not_in', number('1'), number('2')),
  holds: about('holds'), fails: about('fails'), defined: about('defined'), undefined: about('undefined'),
};
const holds = (condition: Compare | Group, answers: unknown) => {
  const when = writeCondition(condition.kind === 'group' ? condition : group('and', condition))!;
  const form = { type: 'object', properties: { price: {}, kind: {}, why: {} }, allOf: [{ if: when, then: {}, else: { properties: { why: false } } }] };
  return askedNames(form, answers).includes('why');
};

describe('conditions of a form', () => {
  it.each(OPERATORS)('%s is read as it was written', (op) => {
    const written = writeCondition(group('and', EXAMPLES[op]!));
    expect(written).not.toBeNull();
    expect(readCondition(written!)).toEqual(group('and', EXAMPLES[op]!));
  });

  it('groups are read as they were written', () => {
    const whole = group('or', EXAMPLES['gt']!, group('and', EXAMPLES['defined']!, EXAMPLES['ne']!));
    expect(readCondition(writeCondition(whole)!)).toEqual(whole);
  });

  it.each([
    [EXAMPLES['gt']!, { price: 2 }, true],
    [EXAMPLES['gt']!, { price: 1.5 }, false],
    [EXAMPLES['gt']!, {}, false],
    [EXAMPLES['gt']!, { price: 'many' }, false],
    [EXAMPLES['between']!, { price: 3 }, true],
    [EXAMPLES['ne']!, {}, true],
    [EXAMPLES['ne']!, { price: 1 }, false],
    [EXAMPLES['in']!, { price: 'b' }, true],
    [EXAMPLES['holds']!, { price: true }, true],
    [EXAMPLES['undefined']!, {}, true],
    [group('or', EXAMPLES['gt']!, EXAMPLES['holds']!), { price: true }, true],
    [group('and', EXAMPLES['gt']!, EXAMPLES['holds']!), { price: true }, false],
  ])('%j on %j', (condition, answers, is) => {
    expect(holds(condition, answers)).toBe(is);
  });

  it('what a form cannot judge, or is not complete, is not written', () => {
    expect(writeCondition(group('and'))).toBeNull();
    expect(writeCondition(group('and', about('contains', { kind: 'text', text: 'a' })))).toBeNull();
    expect(writeCondition(group('and', { ...EXAMPLES['eq']!, left: { path: 'a.b' } }))).toBeNull();
    expect(readCondition({ minProperties: 1 })).toBeNull();
  });
});

const FORM = {
  type: 'object',
  properties: { a: { type: 'string', title: 'A' }, b: { type: 'number' }, c: { type: 'boolean' } },
  required: ['a'],
  allOf: [{ if: { properties: { b: { const: 1 } }, required: ['b'] }, then: { required: ['c'] }, else: { properties: { c: false } } }],
};

describe('questions of a form', () => {
  it('are read and written back without loss', () => {
    expect(withQuestions(FORM, questionsOf(FORM))).toEqual(FORM);
  });

  it('keep their order, which is part of what is published', () => {
    const next = withQuestions(FORM, moved(questionsOf(FORM), 2, 0));
    expect(next['x-order']).toEqual(['c', 'a', 'b']);
    expect(questionsOf(next).map((one) => one.name)).toEqual(['c', 'a', 'b']);
  });

  it('lose a condition on what now stands behind them, or is gone', () => {
    expect(moved(questionsOf(FORM), 2, 0)[0]!.rule).toBeUndefined();
    expect(settled(questionsOf(FORM).filter((one) => one.name !== 'b')).at(-1)!.rule).toBeUndefined();
    expect(moved(questionsOf(FORM), 0, 1).at(-1)!.rule).toBeDefined();
  });

  it('are called by another name everywhere', () => {
    const next = withQuestions(FORM, renamed(questionsOf(FORM), 'b', 'price'));
    expect(Object.keys(next['properties'] as object)).toContain('price');
    expect(JSON.stringify(next)).not.toContain('"b"');
  });

  it.each([
    ['question_2', 'Question', 'Amount in euro', 'amount_in_euro'],
    ['amount', 'Amount', 'Price', 'price_2'],
    ['amount', 'Amount', '', 'field'],
    ['amount', 'Amount', 'For', 'for_value'],
    ['own_name', 'Amount', 'Price', 'own_name'],
    ['amount_2', 'Amount', 'Amount!', 'amount_2'],
    ['fixed', 'Fixed', 'Price', 'fixed'],
    ['amount', undefined, 'Price', 'amount'],
  ])('%s, asked as %s and then as %s, is called %s', (name, before, after, now) => {
    expect(followed({ name, schema: before === undefined ? {} : { title: before } }, { title: after }, ['price'], (one) => one === 'fixed')).toBe(now);
  });

  it('are called by names that fit, however long or strange their words', () => {
    for (const words of ['x'.repeat(300), '日本', '1. Frage', '  ', 'If', '<b>ß</b>']) expect(slug(words)).toMatch(/^[a-z][a-z0-9_]{0,62}$/);
  });

  it.each(Object.keys(KINDS) as QuestionKind[])('%s is read as it was made, with its words', (kind) => {
    const made = ofKind(kind, { type: 'string', title: 'T', description: 'D', pattern: 'x' });
    expect(kindOf(made)).toBe(kind);
    expect(made).toMatchObject({ title: 'T', description: 'D' });
    expect(made).not.toHaveProperty('pattern');
  });

  it('keep their choices where one or several are chosen', () => {
    const one = withChoices(ofKind('choice', {}), ['x', 'y']);
    expect(choicesOf(ofKind('several', one))).toEqual(['x', 'y']);
    expect(choicesOf(withChoices(ofKind('several', one), ['z']))).toEqual(['z']);
  });
});
