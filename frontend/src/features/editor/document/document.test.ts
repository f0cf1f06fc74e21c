import { produce } from 'immer';
import { describe, expect, it } from 'vitest';
import type { FlowDocument, StepDocument } from '~/api/types';
import { fragmentOf, newIds, paste, readFragment, writeFragment } from './clipboard';
import { addStep, connect, deleteSteps, disconnect, insertOnLink, move, newStepId, setConfig, setTrigger } from './document';
import type { Edit } from './document';
import { sampleFlow, types } from './fixtures';
import { linkKey } from './links';
import { roomBetween } from './place';
import { portsOf } from '~/features/canvas/catalogue';
import { portsIn as portsInFlow } from '~/features/canvas/graph';
import { freshStep, onwardPort } from './ports';

const after = (edit: Edit, doc: FlowDocument = sampleFlow()) =>
  produce(doc, (draft: FlowDocument) => {
    edit(draft);
  });
const ways = (doc: FlowDocument) => (id: string) => portsInFlow(doc, id, types);
const ends = (doc: FlowDocument) => doc.links.map((link) => `${link.from}.${link.port ?? ''}>${link.to}`);
const portsIn = (step: StepDocument) => portsOf(step, types.step(step.type));
const stepOf = (kind: string) => {
  const type = types.step(kind);
  if (!type) throw new Error(kind);
  return { type, step: freshStep(type) };
};

describe('a new step', () => {
  it('gets an id that expressions can name and nobody has', () => {
    expect(newStepId(() => false, 'http.request')).toBe('http_request');
    expect(newStepId((id) => id === 'stop' || id === 'stop_2', 'stop')).toBe('stop_3');
    expect(newStepId(() => false, 'trigger')).toBe('trigger_2');
    expect(newStepId(() => false, '漢字 9')).toBe('step');
  });

  it('is connected behind the way out it was added to, on the grid', () => {
    const doc = after(addStep({ id: 'more', step: stepOf('stop').step, at: [301, 5], after: { from: 'call', port: 'error' } }));
    expect(doc.links.at(-1)).toEqual({ from: 'call', port: 'error', to: 'more' });
    expect(doc.layout?.['more']).toEqual([304, 8]);
  });

  it('goes into a link, joins both ends and makes room', () => {
    const key = linkKey({ from: 'size', port: 'large', to: 'call' });
    const { type, step } = stepOf('http.request');
    const doc = after(insertOnLink(key, { id: 'mid', step }, onwardPort(type) ?? '', roomBetween(sampleFlow(), 'size', 'call', types, false)));
    expect(ends(doc)).toContain('size.large>mid');
    expect(ends(doc)).toContain('mid.done>call');
    expect(ends(doc)).not.toContain('size.large>call');
    expect(doc.layout?.['mid']).toEqual([624, 0]);
    expect(doc.layout?.['call']).toEqual([944, 0]);
    expect(doc.layout?.['end']).toEqual([1248, 0]);
    expect(doc.layout?.['note']).toEqual([608, 112]);
  });
});

describe('deleting', () => {
  it('joins what stood before with what followed', () => {
    const doc = sampleFlow();
    expect(ends(after(deleteSteps(['note'], ways(doc))))).toContain('size.small>end');
    const two = after(deleteSteps(['call', 'note'], ways(doc)));
    expect(ends(two)).toEqual(['trigger.>size', 'size.large>end', 'size.small>end']);
    expect(two.layout).not.toHaveProperty('call');
  });

  it('goes on by the first connected way of a step that forks', () => {
    const doc = sampleFlow();
    expect(ends(after(deleteSteps(['size'], ways(doc))))).toContain('trigger.>call');
  });

  it('never makes the same link twice, a loop to itself or a link to nowhere', () => {
    const doc = { ...sampleFlow(), links: [...sampleFlow().links, { from: 'size', port: 'large', to: 'end' }, { from: 'call', port: 'error', to: 'size' }] };
    const left = after(deleteSteps(['call'], ways(doc)), doc);
    expect(ends(left).filter((one) => one === 'size.large>end')).toHaveLength(1);
    expect(left.links.every((link) => left.steps[link.to] && link.from !== link.to)).toBe(true);
  });
});

describe('links', () => {
  it('are drawn once and taken away by name', () => {
    expect(after(connect({ from: 'size', port: 'large' }, 'call')).links).toHaveLength(5);
    expect(after(connect({ from: 'size', port: 'large' }, 'size')).links).toHaveLength(5);
    expect(after(connect({ from: 'size', port: 'large' }, 'nobody')).links).toHaveLength(5);
    expect(ends(after(connect({ from: 'call', port: 'error' }, 'size')))).toContain('call.error>size');
    const key = linkKey({ from: 'trigger', to: 'size' });
    expect(ends(after(disconnect([key])))).not.toContain('trigger.>size');
  });

  it('follow a port that is renamed and go with one that is taken away', () => {
    const config = (branches: unknown[], otherwise = 'small') => ({ branches, otherwise });
    const renamed = after(setConfig('size', config([{ port: 'big', when: 'true' }]), portsIn));
    expect(ends(renamed)).toContain('size.big>call');
    const two = after(setConfig('size', config([{ port: 'large', when: 'true' }, { port: 'mid', when: 'true' }]), portsIn));
    expect(ends(two)).toContain('size.large>call');
    const gone = after(setConfig('size', config([]), portsIn));
    expect(ends(gone)).not.toContain('size.large>call');
    expect(ends(gone)).toContain('size.small>note');
  });
});

describe('a document', () => {
  it('keeps fields that the editor does not know', () => {
    const doc = after((draft) => {
      setTrigger('manual', {})(draft);
      move({ end: [11, 3], nobody: [0, 0] })(draft);
    });
    expect(doc['comment']).toBe('A field that this editor does not know');
    expect(doc.layout).toMatchObject({ end: [8, 0] });
    expect(doc.layout).not.toHaveProperty('nobody');
  });

  it('without places gets all of them at the first change', () => {
    const { layout: _layout, ...bare } = sampleFlow();
    const doc = after(move({ end: [800, 0] }), bare);
    expect(Object.keys(doc.layout ?? {}).sort()).toEqual(['call', 'end', 'note', 'size', 'trigger']);
    const places = Object.values(doc.layout ?? {}).map(String);
    expect(new Set(places).size).toBe(places.length);
  });
});

describe('copy and paste', () => {
  it('gives new ids and lets expressions follow', () => {
    const doc = sampleFlow();
    const source = { ...doc, steps: { ...doc.steps, end: { ...doc.steps['end']!, config: { message: '= steps.note.output.total + steps.size.output.port' } } } };
    const fragment = readFragment(writeFragment(fragmentOf(source, ['note', 'end'])));
    if (typeof fragment === 'string') throw new Error(fragment);
    const ids = newIds(source, fragment);
    const pasted = after(paste(fragment, ids, { at: [0, 400], into: null, types, portsOf: () => [] }), source);
    expect(pasted.steps['end_2']?.config['message']).toBe('= steps.note_2.output.total + steps.size.output.port');
    expect(ends(pasted)).toContain('note_2.>end_2');
    expect(pasted.layout?.['note_2']).toEqual([0, 512]);
  });

  it.each([
    ['{', 'not_json'],
    ['[]', 'not_a_flow'],
    ['{"format": "other/1", "steps": {}}', 'not_a_flow'],
    ['{"format": "signalbox.flow/1", "steps": {"a": 1}}', 'not_a_flow'],
    ['{"format": "signalbox.flow/1", "steps": {}}', 'empty'],
    [' '.repeat(2_000_001), 'too_large'],
  ])('refuses %.40s', (text, refusal) => expect(readFragment(text)).toBe(refusal));

  it('takes what was pasted in the shape of a step, whatever stands in it', () => {
    const odd = '{"format": "signalbox.flow/1", "steps": {"a": {"type": "map", "title": {"x": 1}, "version": "1"}, "b": {"type": "stop", "config": {}}}, "links": [{"from": "a", "port": 5, "to": "b"}], "layout": {"a": "x"}}';
    const fragment = readFragment(odd);
    if (typeof fragment === 'string') throw new Error(fragment);
    expect(fragment.steps['a']).toEqual({ type: 'map', title: '', version: 1, config: {} });
    expect(fragment.links).toEqual([{ from: 'a', to: 'b' }]);
  });
});
