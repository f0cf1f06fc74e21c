import { describe, expect, it } from 'vitest';
import { kindOf, OFFERED, ofKind, partsOf, withParts } from './shape';

describe('what a schema says', () => {
  it.each(OFFERED)('%s is read as it was made', (kind) => {
    expect(kindOf(ofKind(kind))).toBe(kind);
  });

  it.each([
    [{ type: 'string', pattern: '^a' }],
    [{ type: ['string', 'null'] }],
    [{ anyOf: [] }],
    [{ $ref: '#/$defs/a' }],
    [{ type: 'object', additionalProperties: { type: 'string' } }],
    [{ enum: [1, 2] }],
    [{ type: 'number', minimum: 1 }],
    [false],
    ['text'],
  ])('%j is more than the fields can show', (schema) => {
    expect(kindOf(schema)).toBe('own');
  });

  it.each([[undefined], [null], [true], [{}], [{ title: 'Note' }]])('%j is anything', (schema) => {
    expect(kindOf(schema)).toBe('anything');
  });

  it('keeps what people wrote beside it', () => {
    expect(ofKind('number', { type: 'string', title: 'Sum', description: 'In euros', format: 'date' })).toEqual({ type: 'number', title: 'Sum', description: 'In euros' });
  });

  it('changes what was written by hand only where somebody says so', () => {
    const own = { type: 'string', pattern: '^a' };
    expect(ofKind('own', own)).toBe(own);
  });
});

describe('the names of a group', () => {
  const group = { type: 'object', description: 'An order', required: ['b'], properties: { a: { type: 'string' }, b: { type: 'number', minimum: 1 } }, additionalProperties: false };

  it('are read and written back without loss', () => {
    expect(partsOf(group).map(({ name, required }) => [name, required])).toEqual([['a', false], ['b', true]]);
    expect(withParts(group, partsOf(group))).toEqual(group);
  });

  it('say nothing of what must be there where nothing must', () => {
    expect(withParts(group, [{ name: 'a', schema: {}, required: false }])).not.toHaveProperty('required');
  });

  it('survive odd documents', () => {
    expect(partsOf({ properties: { a: 3 }, required: 'a' })).toEqual([{ name: 'a', schema: {}, required: false }]);
  });
});
