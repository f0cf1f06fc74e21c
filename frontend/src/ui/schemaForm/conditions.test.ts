import { describe, expect, it } from 'vitest';
import { asAskedNow, askedNames, onlyAsked, orderOf, rulesOf, withRules } from './conditions';

const high = { properties: { price: { type: 'number', minimum: 100 } }, required: ['price'] };
const old = { properties: { why: { const: 'old' } }, required: ['why'] };
const form = {
  type: 'object',
  'x-order': ['what', 'price', 'why', 'age'],
  properties: { price: { type: 'number' }, what: { type: 'string' }, why: { type: 'string' }, age: { type: 'number' } },
  required: ['what'],
  allOf: [
    { if: high, then: { required: ['why'] }, else: { properties: { why: false } } },
    { if: old, then: {}, else: { properties: { age: false } } },
  ],
};

describe('which questions are asked', () => {
  it.each([
    [{}, ['what', 'price']],
    [{ price: 99 }, ['what', 'price']],
    [{ price: 100 }, ['what', 'price', 'why']],
    [{ price: 100, why: 'old' }, ['what', 'price', 'why', 'age']],
    // Why is not asked, so that what it says leads to nothing.
    [{ price: 1, why: 'old' }, ['what', 'price']],
  ])('%j', (answers, names) => {
    expect(askedNames(form, answers)).toEqual(names);
  });

  it('are drawn in their order, with what is needed then', () => {
    const asked = asAskedNow(form, { price: 100 });
    expect(Object.keys(asked['properties'] as object)).toEqual(['what', 'price', 'why']);
    expect(asked['required']).toEqual(['what', 'why']);
    expect(asked).not.toHaveProperty('allOf');
  });

  it('leave out what was answered before', () => {
    expect(onlyAsked(form, { what: 'a', price: 1, why: 'old', age: 3 })).toEqual({ what: 'a', price: 1 });
  });

  it('are read and written back without loss', () => {
    expect(withRules(form, rulesOf(form))).toEqual(form);
    const own = { ...form, allOf: [{ minProperties: 1 }, ...form.allOf] };
    expect(withRules(own, rulesOf(own))).toEqual(own);
    expect(withRules(form, new Map())).not.toHaveProperty('allOf');
  });

  it('stand in the order of the form even where it names some of them', () => {
    expect(orderOf({ properties: { a: {}, b: {}, c: {} }, 'x-order': ['c', 'gone'] })).toEqual(['c', 'a', 'b']);
  });
});
