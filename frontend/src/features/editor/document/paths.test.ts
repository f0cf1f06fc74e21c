import { describe, expect, it } from 'vitest';
import { walk } from '~/features/canvas/walk';
import { places } from '~/features/canvas/graph';
import { nestedFlow, sampleFlow, types } from './fixtures';
import { flatPaths, member, pathsFor, withEvent } from './paths';

describe('paths', () => {
  it('are those of the trigger and of steps that may have run before', () => {
    const sources = pathsFor(sampleFlow(), 'end', types, null);
    expect(sources.map((source) => source.id)).toEqual(['trigger', 'call', 'note', 'size', 'run']);
    const paths = flatPaths(sources).map((node) => node.path);
    expect(paths).toContain('steps.note.output.total');
    expect(paths).toContain('steps.call.error.message');
    expect(paths).toContain('trigger.headers');
    expect(pathsFor(sampleFlow(), 'size', types, null).map((source) => source.id)).toEqual(['trigger', 'run']);
  });

  it('carry what the last run had, also below what nobody declared', () => {
    const sample = { id: 'r', trigger: { body: { amount: 12, 'odd key': [{ x: 1 }] } }, steps: { note: { output: { total: 12 } } } };
    const all = flatPaths(pathsFor(sampleFlow(), 'end', types, sample));
    expect(all.find((node) => node.path === 'trigger.body.amount')).toMatchObject({ type: 'number', sample: 12 });
    expect(all.map((node) => node.path)).toContain('get value(trigger.body, "odd key")[1].x');
    expect(all.find((node) => node.path === 'steps.note.output.total')).toMatchObject({ hasSample: true });
    expect(all.find((node) => node.path === 'steps.call.output.status')).toMatchObject({ hasSample: false, type: 'number' });
  });

  it('of a step that runs another flow have what that flow says it gives', () => {
    const flow = sampleFlow();
    const step = flow.steps['call'];
    if (step) flow.steps['call'] = { ...step, type: 'subflow', version: 1, config: { flow: 'x' } };
    const output = { type: 'object', properties: { run: { type: 'string' }, status: { type: 'string' }, output: {} } };
    const known = { ...types, step: (kind: string, version?: number) => (kind === 'subflow' ? ({ ...types.step('http.request', 1), kind, output_schema: output } as never) : types.step(kind, version)) };
    const gives = { call: { type: 'object', properties: { vendor: { type: 'object', properties: { id: { type: 'number', description: 'Number of the vendor' } } } } } };
    const found = flatPaths(pathsFor(flow, 'end', known, null, gives));
    expect(found.find((node) => node.path === 'steps.call.output.output.vendor.id')).toMatchObject({ type: 'number', meaning: 'Number of the vendor' });
    expect(flatPaths(pathsFor(flow, 'end', known, null)).some((node) => node.path.startsWith('steps.call.output.output.'))).toBe(false);
  });

  it('are written as FEEL reads them', () => {
    expect(member('trigger.body', 'größe')).toBe('trigger.body.größe');
    expect(member('a', 'content-type')).toBe('get value(a, "content-type")');
    expect(member('a', 'in')).toBe('get value(a, "in")');
  });
});

describe('an event', () => {
  const run = pathsFor(sampleFlow(), 'call', types, null);

  it('is read beside the run where it is waited for', () => {
    const found = flatPaths(withEvent(run, 'The event', false)).map((node) => node.path);
    expect(found.slice(0, 3)).toEqual(['event.data', 'event.type', 'event.subject']);
    expect(found).toContain('trigger.body');
  });

  it('is all there is where no run is', () => {
    expect(withEvent(run, 'The event', true).map((source) => source.id)).toEqual(['event']);
  });
});

describe('inside a container', () => {
  it('are those of the item, of steps inside and before, never of what is around', () => {
    const sources = pathsFor(nestedFlow(), 'tell', types, { id: 'r', trigger: { body: { lines: [{ sku: 'a' }] } }, steps: {} });
    expect(sources.map((source) => source.id)).toEqual(['item', 'trigger', 'ask', 'run']);
    expect(flatPaths(sources).map((node) => node.path)).toContain('item.sku');
    expect(flatPaths(sources).map((node) => node.path)).toContain('index');
  });

  it('are not read from outside a list, but after rounds', () => {
    const after = (type: string) => {
      const doc = nestedFlow();
      doc.steps['each']!.type = type;
      doc.steps['more'] = { type: 'map', version: 1, title: 'More', config: {} };
      doc.links = [...doc.links.filter((link) => link.to !== 'end'), { from: 'each', port: 'done', to: 'more' }];
      return pathsFor(doc, 'more', { ...types, step: (kind, version) => types.step(kind === 'repeat' ? 'for_each' : kind, version) }, null).map((source) => source.id);
    };
    expect(after('for_each')).toEqual(['trigger', 'each', 'run']);
    expect(after('repeat')).toEqual(['trigger', 'each', 'ask', 'tell', 'untell', 'run']);
  });
});

describe('arrows', () => {
  it('lead to every step, linked or not', () => {
    const doc = sampleFlow();
    const go = (id: string, move: 'right' | 'left' | 'up' | 'down', flow = doc) => walk(flow, id, move, places(flow));
    expect(go('trigger', 'right')).toBe('size');
    expect(go('size', 'right')).toBe('call');
    expect(go('call', 'down')).toBe('note');
    expect(go('note', 'left')).toBe('size');
    expect(go('trigger', 'down', { ...doc, links: [] })).not.toBe('trigger');
  });
});
