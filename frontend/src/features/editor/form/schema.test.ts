import { describe, expect, it } from 'vitest';
import { readCron, writeCron } from './cron';
import { readDuration, writeDuration } from './duration';
import { blank, fieldOf, getAt, propertiesOf, readPointer, setAt, variantFor } from './schema';
import type { Schema } from './schema';

const root: Schema = {
  $defs: {
    Any: { type: 'object', properties: { any: { const: 1, title: 'The first answer decides' } } },
    AtLeast: { type: 'object', properties: { n: { type: 'integer', minimum: 1, title: 'How many' } }, required: ['n'] },
    Row: { type: 'object', properties: { port: { type: 'string' }, when: { type: 'string', 'x-feel': 'expression' } }, required: ['port', 'when'] },
    Signature: {
      type: 'object',
      properties: { scheme: { enum: ['none', 'hmac'], default: 'none' }, header: { type: 'string', 'x-when': { scheme: 'hmac' } } },
    },
  },
};

describe('fields', () => {
  it.each<[Schema, string]>([
    [{ type: 'string' }, 'text'],
    [{ type: 'string', 'x-feel': 'template' }, 'template'],
    [{ anyOf: [{ type: 'string', 'x-feel': 'expression' }, { type: 'null' }] }, 'expression'],
    [{ anyOf: [{ type: 'string' }, { type: 'null' }], 'x-widget': 'duration', 'x-feel': 'template' }, 'duration'],
    [{ enum: ['a', 'b'], type: 'string' }, 'choice'],
    [{ anyOf: [{ enum: ['all', 'any'], type: 'string' }, { $ref: '#/$defs/AtLeast' }] }, 'union'],
    [{ type: 'array', items: { $ref: '#/$defs/Row' } }, 'rows'],
    [{ type: 'array', items: { type: 'string' } }, 'texts'],
    [{ type: 'object', additionalProperties: {} }, 'fields'],
    [{ $ref: '#/$defs/Signature' }, 'group'],
    [{ 'x-feel': 'template' }, 'value'],
    [{ type: 'integer' }, 'number'],
    [{ type: 'string', 'x-widget': 'one-nobody-knows' }, 'text'],
  ])('%j is shown as %s', (schema, kind) => expect(fieldOf(schema, root).kind).toBe(kind));

  it('tells the variants of a union by their fields', () => {
    const mode = fieldOf({ anyOf: [{ enum: ['all', 'any'], type: 'string' }, { $ref: '#/$defs/AtLeast' }] }, root).variants;
    expect(mode.map((one) => one.key)).toEqual(['all', 'any', 'n']);
    expect(variantFor(mode, 'any')?.key).toBe('any');
    expect(variantFor(mode, { n: 3 })?.key).toBe('n');
    expect(variantFor(mode, 7)).toBeUndefined();
    const rule = fieldOf({ anyOf: [{ $ref: '#/$defs/Any' }, { $ref: '#/$defs/AtLeast' }] }, root).variants;
    expect(rule[0]).toMatchObject({ title: 'The first answer decides', constant: { any: 1 } });
  });

  it('hides what does not matter, by default values too', () => {
    const schema = fieldOf({ $ref: '#/$defs/Signature' }, root).schema;
    expect(propertiesOf(schema, {}, root).map((one) => one.name)).toEqual(['scheme']);
    expect(propertiesOf(schema, { scheme: 'hmac' }, root).map((one) => one.name)).toEqual(['scheme', 'header']);
  });

  it('starts a row with what it needs', () => {
    expect(blank({ $ref: '#/$defs/Row' }, root)).toEqual({ port: '', when: '' });
    expect(blank({ $ref: '#/$defs/AtLeast' }, root)).toEqual({ n: 1 });
  });
});

describe('values by path', () => {
  it('are set without touching the rest', () => {
    const value = { a: [{ b: 1 }, { b: 2 }], keep: {} };
    const next = setAt(value, ['a', 1, 'b'], 3) as typeof value;
    expect(next).toEqual({ a: [{ b: 1 }, { b: 3 }], keep: {} });
    expect(next.keep).toBe(value.keep);
    expect(setAt(value, ['keep'], undefined)).toEqual({ a: value.a });
    expect(getAt(value, ['a', 0, 'b'])).toBe(1);
  });

  it('are found from how findings name them', () => {
    expect(readPointer('/steps/size/config/branches/0/when')).toEqual(['steps', 'size', 'config', 'branches', 0, 'when']);
    expect(readPointer('/config/headers/X~1Y.Z~0')).toEqual(['config', 'headers', 'X/Y.Z~']);
    expect(readPointer('')).toEqual([]);
  });
});

describe('durations and times', () => {
  it.each(['PT5M', 'P2D', 'P3W', 'P1M', 'PT30S', 'PT4H'])('%s reads as one number and unit', (text) => {
    const read = readDuration(text);
    expect(read && writeDuration(read)).toBe(text);
  });
  it('leaves other durations as they are', () => expect(readDuration('P1DT2H')).toBeNull());

  it.each(['*/15 * * * *', '30 * * * *', '0 9 * * *', '0 9 * * 1-5', '5 18 * * 1,3', '0 0 1 * *'])('%s is said in words', (cron) => {
    const read = readCron(cron);
    expect(read && writeCron(read)).toBe(cron);
  });
  it.each(['0 9 * 1 *', 'x', '0 9 1 * 1', '61 1 * * *'])('%s stays a line', (cron) => expect(readCron(cron)).toBeNull());
});
