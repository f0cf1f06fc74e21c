import { expect, it } from 'vitest';
import { ExactNumber, parseExact, stringifyExact } from './exact';

it.each([
  '{"a":0.1,"b":[1,-2,3e5],"c":"1.10"}',
  '{"price":12345678901234567890.123456789}',
  '[0.1000000000000000055511151231257827]',
  '{"text":"a \\"quoted\\" 1.10 and \\\\","n":9007199254740993}',
])('%s survives reading and writing', (text) => {
  const numbers = (json: string) => json.replace('3e5', '300000');
  expect(stringifyExact(parseExact(text))).toBe(numbers(text));
});

it('keeps what was written where the data is only shown', () => {
  expect(stringifyExact(parseExact('{"a":1.10,"b":1e3}', 'written'))).toBe('{"a":1.10,"b":1e3}');
});

it('leaves ordinary numbers ordinary', () => {
  expect(parseExact('[1.50, 1e2, -0.0, 42]')).toEqual([1.5, 100, -0, 42]);
  expect(parseExact('[9007199254740993]')).toEqual([new ExactNumber('9007199254740993')]);
});

it('refuses what is not JSON', () => {
  expect(() => parseExact('{"a":01}')).toThrow();
});
