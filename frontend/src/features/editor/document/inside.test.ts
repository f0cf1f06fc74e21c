import { produce } from 'immer';
import { describe, expect, it } from 'vitest';
import type { FlowDocument } from '~/api/types';
import { frameBoxes } from '~/features/canvas/frames';
import { drawNodes, places, portsIn } from '~/features/canvas/graph';
import { readingOrder } from '~/features/canvas/catalogue';
import { containerOf } from '~/features/canvas/nesting';
import { tidy } from '~/features/canvas/tidy';
import { walk } from '~/features/canvas/walk';
import { fragmentOf, newIds, paste } from './clipboard';
import { addStep, deleteSteps, insertOnLink, move, setField } from './document';
import type { Edit } from './document';
import { nestedFlow, sampleFlow, types } from './fixtures';
import { putInto } from './inside';
import { linkKey } from './links';
import { framesNow, roomBetween, settleFrames } from './place';
import { freshStep, openWay, refusalOf } from './ports';
import { portsOf } from '~/features/canvas/catalogue';
import { outlineRows } from '../outline/rows';

const after = (edit: Edit, doc: FlowDocument = nestedFlow()) => produce(doc, (draft: FlowDocument) => { edit(draft); });
const ways = (doc: FlowDocument) => (id: string) => portsIn(doc, id, types);
const ends = (doc: FlowDocument) => doc.links.map((link) => `${link.from}.${link.port ?? ''}>${link.to}`);
const put = (ids: string[], into: string | null, doc: FlowDocument = nestedFlow()) => after(putInto(ids, into, ways(doc)), doc);
const stop = { type: 'stop', version: 1, title: 'Stop', config: {} };

describe('putting steps into a container and out of it', () => {
  it('takes away what would cross its border and joins what stood around', () => {
    const out = put(['ask'], null);
    expect(out.steps['ask']).not.toHaveProperty('in');
    expect(ends(out)).toEqual(['trigger.>each', 'each.done>end', 'each.body>tell']);
    const into = put(['size'], 'each', { ...nestedFlow(), steps: { ...nestedFlow().steps, size: { ...stop, type: 'map' } }, links: [{ from: 'trigger', to: 'size' }, { from: 'size', to: 'each' }] });
    expect(into.steps['size']?.['in']).toBe('each');
    expect(ends(into)).toEqual(['trigger.>each', 'each.body>size']);
  });

  it('keeps links among those that move, and what takes one back moves along', () => {
    const out = put(['ask', 'tell'], null);
    expect(ends(out)).toContain('ask.>tell');
    expect(containerOf(out, 'untell')).toBeNull();
    expect(out.steps['tell']?.['undo']).toBe('untell');
    expect(ends(out)).not.toContain('each.body>ask');
  });

  it('moves a container with all that is inside, but never into itself', () => {
    const doc = { ...nestedFlow(), steps: { ...nestedFlow().steps, outer: { type: 'for_each', version: 1, title: 'Outer', config: {} } } };
    const nested = put(['each', 'ask'], 'outer', doc);
    expect([containerOf(nested, 'each'), containerOf(nested, 'ask')]).toEqual(['outer', 'each']);
    expect(ends(nested)).toContain('trigger.>end');
    expect(ends(nested)).toContain('outer.body>each');
    expect(put(['outer'], 'each', nested)).toEqual(nested);
    expect(put(['each'], 'each', nested)).toEqual(nested);
  });

  it('begins an empty container with what comes first', () => {
    const step = freshStep(types.steps.find((type) => type.kind === 'for_each')!);
    const doc = after(addStep({ id: 'more', step, at: [304, 400] }));
    const one = after(addStep({ id: 'first', step: stop, at: [368, 488], into: 'more' }, ways(doc)), doc);
    expect(ends(one)).toContain('more.body>first');
    const two = after(addStep({ id: 'second', step: stop, at: [368, 600], into: 'more' }, ways(one)), one);
    expect(ends(two)).not.toContain('more.body>second');
  });

  it('goes into a link of the container where the link is', () => {
    const doc = nestedFlow();
    const link = { from: 'each', port: 'body', to: 'ask' };
    const room = roomBetween(doc, 'each', 'ask', types, false);
    const more = after(insertOnLink(linkKey(link), { id: 'mid', step: { ...stop, type: 'map' } }, 'done', room), doc);
    expect(more.steps['mid']?.['in']).toBe('each');
    expect(ends(more)).toContain('each.body>mid');
    expect(more.layout?.['mid']).toEqual([416, 96]);
    expect(more.layout?.['ask']).toEqual([736, 96]);
    // What takes a step back moves with it, though no link leads there.
    expect(more.layout).toMatchObject({ tell: [1056, 96], untell: [1056, 240] });
  });
});

describe('links', () => {
  it('join steps of one container only', () => {
    const doc = nestedFlow();
    const refused = (from: string, port: string, to: string) => refusalOf(doc, { from, port }, to, types);
    expect(refused('ask', 'done', 'end')).toBe('across');
    expect(refused('trigger', 'done', 'ask')).toBe('across');
    expect(refused('each', 'done', 'ask')).toBe('across');
    expect(refused('each', 'body', 'end')).toBe('across');
    expect(refused('each', 'body', 'tell')).toBeNull();
    expect(refused('ask', 'done', 'untell')).toBe('undoes');
    // A branch may be called as a container's way inside is.
    expect(refusalOf(sampleFlow(), { from: 'size', port: 'body' }, 'end', types)).toBeNull();
  });

  it('begin inside before they go on', () => {
    const doc = nestedFlow();
    expect(openWay({ ...doc, links: [] }, 'each', types)).toEqual({ from: 'each', port: 'body' });
    expect(openWay(doc, 'each', types)).toEqual({ from: 'each', port: 'done' });
  });
});

describe('deleting a container', () => {
  it('lifts its steps out, between what came before and what followed', () => {
    const doc = nestedFlow();
    const left = after(deleteSteps(['each'], ways(doc)), doc);
    expect(Object.keys(left.steps)).toEqual(['ask', 'tell', 'untell', 'end']);
    expect(Object.values(left.steps).some((step) => 'in' in step)).toBe(false);
    expect(ends(left)).toEqual(['ask.>tell', 'trigger.>ask', 'tell.done>end']);
    expect(left.steps['tell']?.['undo']).toBe('untell');
  });

  it('with everything inside joins what stood around', () => {
    const doc = nestedFlow();
    const left = after(deleteSteps(['each', 'ask', 'tell', 'untell'], ways(doc)), doc);
    expect(ends(left)).toEqual(['trigger.>end']);
  });

  it('forgets what the deleted step took back', () => {
    expect(after(deleteSteps(['untell'], ways(nestedFlow()))).steps['tell']).not.toHaveProperty('undo');
  });
});

describe('duplicating', () => {
  it('keeps what is inside, under new ids everywhere', () => {
    const doc = { ...nestedFlow(), steps: { ...nestedFlow().steps, drop: { type: 'cancel', version: 1, title: 'Drop', in: 'each', config: { steps: ['tell', 'end'] } } } };
    const fragment = fragmentOf(doc, ['each']);
    const ids = newIds(doc, fragment);
    const twice = after(paste(fragment, ids, { at: [304, 600], types, portsOf: ways(doc) }), doc);
    expect(containerOf(twice, 'tell_2')).toBe('each_2');
    expect(twice.steps['tell_2']?.['undo']).toBe('untell_2');
    expect(twice.steps['drop_2']?.config['steps']).toEqual(['tell_2', 'end']);
    expect(ends(twice)).toContain('each_2.body>ask_2');
  });

  it('stays in its container, or goes into the one it is pasted to', () => {
    const doc = nestedFlow();
    const fragment = fragmentOf(doc, ['tell']);
    expect(Object.keys(fragment.steps)).toEqual(['tell', 'untell']);
    const pasted = (into: string | null | undefined) => after(paste(fragment, newIds(doc, fragment), { at: [0, 900], into, types, portsOf: ways(doc) }), doc);
    expect(containerOf(pasted(undefined), 'tell_2')).toBe('each');
    expect(containerOf(pasted(null), 'tell_2')).toBeNull();
    expect(containerOf(pasted('each'), 'untell_2')).toBe('each');
  });
});

describe('what any step may say', () => {
  const step = (doc: FlowDocument, id: string) => doc.steps[id]!;
  const kinds = (of: FlowDocument['steps'][string]) => portsOf(of, types.step(of.type));
  it('gives ways out and takes them, with their links', () => {
    let doc = after(setField('ask', 'time_limit', 'PT5M', kinds));
    expect(portsIn(doc, 'ask', types)).toEqual(['done', 'timeout']);
    doc = after((draft) => { draft.links.push({ from: 'ask', port: 'timeout', to: 'tell' }); }, doc);
    doc = after(setField('ask', 'on_error', { then: 'path' }, kinds), doc);
    expect(portsIn(doc, 'ask', types)).toEqual(['done', 'error', 'timeout']);
    expect(ends(doc)).toContain('ask.timeout>tell');
    doc = after(setField('ask', 'time_limit', undefined, kinds), doc);
    expect(ends(doc)).not.toContain('ask.timeout>tell');
    expect(step(doc, 'ask')).not.toHaveProperty('time_limit');
    expect(portsIn(after(setField('tell', 'on_error', { then: 'path' }, kinds)), 'tell', types)).toEqual(['done', 'error']);
  });
});

describe('the picture', () => {
  it('draws a frame around what is inside, wherever its own place is', () => {
    const doc = nestedFlow();
    const box = frameBoxes(doc, types, places(doc)).get('each');
    expect(box).toEqual({ x: 304, y: 0, width: 776, height: 376 });
    const far = after(move({ ask: [200, 40] }), doc);
    expect(frameBoxes(far, types, places(far)).get('each')).toMatchObject({ x: 88, y: -56 });
    const nodes = drawNodes(doc, types, (id) => id);
    expect(nodes.find((node) => node.id === 'ask')).toMatchObject({ parentId: 'each', position: { x: 112, y: 96 } });
    expect(nodes.findIndex((node) => node.id === 'each')).toBeLessThan(nodes.findIndex((node) => node.id === 'ask'));
  });

  it('moves what is inside along, and makes room when a frame grows', () => {
    const doc = nestedFlow();
    expect(after(move({ each: [304, 80] }), doc).layout).toMatchObject({ ask: [416, 176], untell: [736, 320], end: [1176, 0] });
    const before = framesNow(doc, types);
    const grown = after((draft) => { move({ tell: [936, 96] })(draft); settleFrames(draft, types, before); }, doc);
    expect(grown.layout?.['end']).toEqual([1376, 0]);
  });

  it('finds places for documents without any', () => {
    const { layout: _layout, ...bare } = nestedFlow();
    const at = places(bare);
    const box = frameBoxes(bare, types, at).get('each')!;
    expect([box.x, box.y]).toEqual(at['each']);
    expect(at['end']![0]).toBeGreaterThanOrEqual(box.x + box.width);
  });

  it('is tidied inside and out', async () => {
    const doc = nestedFlow();
    const at = await tidy(doc, types);
    const box = frameBoxes(doc, types, at).get('each')!;
    expect([box.x, box.y]).toEqual(at['each']);
    expect(at['end']![0]).toBeGreaterThan(box.x + box.width);
    expect(at['tell']![0]).toBeGreaterThan(at['ask']![0]);
    expect(at['untell']![1]).toBeGreaterThan(at['tell']![1]);
  });

  it('survives steps that contain each other or are nowhere', () => {
    const doc = nestedFlow();
    doc.steps['each']!['in'] = 'ask';
    doc.steps['end']!['in'] = 'nobody';
    expect(readingOrder(doc)).toHaveLength(5);
    expect(drawNodes(doc, types, (id) => id)).toHaveLength(6);
  });
});

describe('reading', () => {
  it('goes inside before it goes on', () => {
    const doc = nestedFlow();
    expect(readingOrder(doc)).toEqual(['each', 'ask', 'tell', 'untell', 'end']);
    const go = (id: string, to: 'right' | 'left') => walk(doc, id, to, places(doc));
    expect([go('trigger', 'right'), go('each', 'right'), go('ask', 'right'), go('tell', 'right')]).toEqual(['each', 'ask', 'tell', 'end']);
    expect([go('ask', 'left'), go('untell', 'left')]).toEqual(['each', 'tell']);
  });

  it('is a tree in the outline, with what takes a step back below it', () => {
    const lines = outlineRows(nestedFlow(), types).map((row) => `${'  '.repeat(row.level - 1)}${row.kind === 'step' ? row.id : row.kind === 'port' ? `${row.port}:` : row.kind}`);
    expect(lines).toEqual(['trigger', 'each', '  body:', '    ask', '    tell', '      untell', 'end']);
  });
});
