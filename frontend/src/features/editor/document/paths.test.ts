import { describe, expect, it } from 'vitest';
import { catalogue, sampleFlow } from './fixtures';
import { neighbour, readingOrder } from './order';
import { flatPaths, member, pathsFor } from './paths';

describe('paths', () => {
  it('are those of the trigger and of steps that may have run before', () => {
    const sources = pathsFor(sampleFlow(), 'end', catalogue, null);
    expect(sources.map((source) => source.id)).toEqual(['trigger', 'call', 'note', 'size', 'run']);
    const paths = flatPaths(sources).map((node) => node.path);
    expect(paths).toContain('steps.note.output.total');
    expect(paths).toContain('steps.call.error.message');
    expect(paths).toContain('trigger.headers');
    expect(pathsFor(sampleFlow(), 'size', catalogue, null).map((source) => source.id)).toEqual(['trigger', 'run']);
  });

  it('carry what the last run had, also below what nobody declared', () => {
    const sample = { run: 'r', trigger: { body: { amount: 12, 'odd key': [{ x: 1 }] } }, steps: { note: { output: { total: 12 } } } };
    const all = flatPaths(pathsFor(sampleFlow(), 'end', catalogue, sample));
    expect(all.find((node) => node.path === 'trigger.body.amount')).toMatchObject({ type: 'number', sample: 12 });
    expect(all.map((node) => node.path)).toContain('get value(trigger.body, "odd key")[1].x');
    expect(all.find((node) => node.path === 'steps.note.output.total')).toMatchObject({ hasSample: true });
    expect(all.find((node) => node.path === 'steps.call.output.status')).toMatchObject({ hasSample: false, type: 'number' });
  });

  it('are written as FEEL reads them', () => {
    expect(member('trigger.body', 'größe')).toBe('trigger.body.größe');
    expect(member('a', 'content-type')).toBe('get value(a, "content-type")');
    expect(member('a', 'in')).toBe('get value(a, "in")');
  });
});

describe('order', () => {
  it('follows the links', () => {
    expect(readingOrder(sampleFlow())).toEqual(['trigger', 'size', 'call', 'end', 'note']);
  });

  it('leads by arrows to every step', () => {
    const doc = sampleFlow();
    expect(neighbour(doc, 'trigger', 'right')).toBe('size');
    expect(neighbour(doc, 'size', 'right')).toBe('call');
    expect(neighbour(doc, 'call', 'down')).toBe('note');
    expect(neighbour(doc, 'note', 'left')).toBe('size');
    expect(neighbour({ ...doc, links: [] }, 'trigger', 'down')).toBeDefined();
  });
});
