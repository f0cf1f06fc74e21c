import { describe, expect, it } from 'vitest';
import type { PathNode, PathSource } from '../../document/paths';
import { nameFor, offeredOf, targetsOf } from './rows';

const node = (path: string, meaning?: string): PathNode => ({ path, name: path.split('.').at(-1) ?? '', type: 'text', hasSample: false, children: [], ...(meaning ? { meaning } : {}) });
const sources: PathSource[] = [
  { id: 'trigger', title: 'Webhook', icon: '', tint: 'signal', nodes: [{ ...node('trigger.body'), children: [node('trigger.body.name', 'Legal name of the vendor'), node('trigger.body.amount')] }] },
  { id: 'call', title: 'Look up', icon: '', tint: 'outside', nodes: [node('steps.call.output')] },
];

describe('what is mapped', () => {
  it('is needed first, then what was made up here', () => {
    const needs = [{ name: 'id', schema: { type: 'string' }, required: true }, { name: 'note', schema: {}, required: false }];
    expect(targetsOf(needs, { note: 'x', more: 1 }).map(({ name, required, part, value }) => [name, required, part !== null, value])).toEqual([
      ['id', true, true, undefined], ['note', false, true, 'x'], ['more', false, false, 1],
    ]);
  });

  it('is found by path, by meaning and by where it comes from', () => {
    const found = (wanted: string) => offeredOf(sources, wanted).flatMap((one) => one.nodes.map((each) => each.path));
    expect(found('')).toEqual(['trigger.body', 'trigger.body.name', 'trigger.body.amount', 'steps.call.output']);
    expect(found('legal vendor')).toEqual(['trigger.body.name']);
    expect(found('look')).toEqual(['steps.call.output']);
    expect(found('nothing')).toEqual([]);
  });

  it('gets a name that is free', () => {
    expect(nameFor(node('trigger.body.name'), {})).toBe('name');
    expect(nameFor(node('trigger.body.name'), { name: 1 })).toBe('name_2');
    expect(nameFor({ ...node('x'), name: '[1]' }, {})).toBe('1');
    expect(nameFor({ ...node('x'), name: '-' }, {})).toBe('value');
  });
});
