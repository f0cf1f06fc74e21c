import { describe, expect, it } from 'vitest';
import { asExpression, expressionOf, feelText, isExpression, literalText, readText, textWithPath, writeText } from './text';

const node = (path: string, type: 'text' | 'number') => ({ path, name: path, type, hasSample: false, children: [] });

describe('texts that may be expressions', () => {
  it('are told apart by the first sign', () => {
    expect(isExpression('= a')).toBe(true);
    expect(isExpression('== a')).toBe(false);
    expect(expressionOf('=  a')).toBe(' a');
    expect(expressionOf(asExpression('a + 1'))).toBe('a + 1');
  });

  it.each(['=1', '==', 'plain', ''])('%j is written so that it stays text', (text) => {
    expect(isExpression(writeText(text))).toBe(false);
    expect(readText(writeText(text))).toBe(text);
  });

  it.each(['Say "hi"\n\\o/', '', 'a'])('%j survives as a FEEL text', (text) => expect(literalText(feelText(text))).toBe(text));
  it('is no text where there is more', () => expect(literalText('"a" + "b"')).toBeNull());

  it('take a path, made to text where it is none', () => {
    expect(textWithPath('', node('trigger.body.n', 'number'))).toBe('= trigger.body.n');
    expect(textWithPath('No. ', node('trigger.body.n', 'number'))).toBe('= "No. " + string(trigger.body.n)');
    expect(textWithPath('Hello ', node('trigger.body.name', 'text'))).toBe('= "Hello " + trigger.body.name');
  });
});
