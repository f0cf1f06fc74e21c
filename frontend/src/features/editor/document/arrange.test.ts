import { produce } from 'immer';
import { describe, expect, it } from 'vitest';
import type { FlowDocument } from '~/api/types';
import { portsIn } from '~/features/canvas/graph';
import { containerOf } from '~/features/canvas/nesting';
import { aligned, distributed } from './arrange';
import type { Edit } from './document';
import { fileNameOf, readFlow, unknownTypes, writeFlow } from './exchange';
import { nestedFlow, sampleFlow, types } from './fixtures';
import { groupable, groupInto } from './group';
import { addNote, deleteNotes, heightOf, newNoteId, notesOf, setNote } from './notes';
import { pathsIn, usesOf } from './uses';

const after = (edit: Edit, doc: FlowDocument = sampleFlow()) => produce(doc, (draft: FlowDocument) => { edit(draft); });
const ends = (doc: FlowDocument) => doc.links.map((link) => `${link.from}.${link.port ?? ''}>${link.to}`);
const block = { type: 'for_each', version: 1, title: 'Each', config: {} };
const group = (ids: string[], doc: FlowDocument = sampleFlow()) => after(groupInto(ids, { id: 'all', step: block, at: [8, 8], ports: ['done', 'body', 'error'] }, (id) => portsIn(doc, id, types)), doc);

describe('grouping steps', () => {
  it('leads what led to them to the group, and on from it', () => {
    const doc = group(['call', 'note']);
    expect(ends(doc)).toEqual(['trigger.>size', 'size.large>all', 'size.small>all', 'all.done>end', 'all.body>call', 'all.body>note']);
    expect(containerOf(doc, 'call')).toBe('all');
    expect(containerOf(doc, 'size')).toBeNull();
  });

  it('keeps the links among them', () => {
    expect(ends(group(['size', 'call', 'note']))).toEqual(['size.large>call', 'size.small>note', 'trigger.>all', 'all.done>end', 'all.body>size']);
  });

  it('goes on by the error of the group where an error led out', () => {
    const doc = sampleFlow();
    doc.links.push({ from: 'call', port: 'error', to: 'note' });
    expect(ends(group(['call'], doc))).toContain('all.error>note');
  });

  it('takes along what undoes a step, inside another group as well', () => {
    const doc = group(['tell'], nestedFlow());
    expect(containerOf(doc, 'untell')).toBe('all');
    expect(containerOf(doc, 'all')).toBe('each');
    expect(doc.steps['tell']?.['undo']).toBe('untell');
  });

  it('is refused for steps of different frames', () => {
    expect(groupable(nestedFlow(), ['ask', 'end'])).toBeNull();
    const doc = nestedFlow();
    expect(group(['ask', 'end'], doc)).toEqual(doc);
  });
});

describe('aligning', () => {
  const boxes = { a: { x: 0, y: 0, width: 100, height: 50 }, b: { x: 300, y: 40, width: 50, height: 100 }, c: { x: 120, y: 200, width: 80, height: 20 } };
  it.each([
    ['left', { a: [0, 0], b: [0, 40], c: [0, 200] }],
    ['right', { a: [250, 0], b: [300, 40], c: [270, 200] }],
    ['centre', { a: [125, 0], b: [150, 40], c: [135, 200] }],
    ['top', { a: [0, 0], b: [300, 0], c: [120, 0] }],
    ['middle', { a: [0, 85], b: [300, 60], c: [120, 100] }],
    ['bottom', { a: [0, 170], b: [300, 120], c: [120, 200] }],
  ] as const)('%s', (how, to) => expect(aligned(boxes, how)).toEqual(to));

  it('makes the gaps between equal and leaves the outer two', () => {
    expect(distributed(boxes, 'across')).toEqual({ a: [0, 0], c: [160, 200], b: [300, 40] });
    expect(distributed({ a: boxes.a, b: boxes.b }, 'down')).toEqual({ a: [0, 0], b: [300, 40] });
  });
});

describe('notes', () => {
  it('are added, changed and taken away, with their places', () => {
    const one = after(addNote('note:1', { text: 'Ask <b>Ada</b>' }, [13, 20]));
    expect(one.layout?.['note:1']).toEqual([16, 24]);
    expect(newNoteId(one)).toBe('note:2');
    const two = after(setNote('note:1', { text: 'x', width: 400 }), one);
    expect(notesOf(two)).toEqual({ 'note:1': { text: 'x', width: 400 } });
    const none = after(deleteNotes(['note:1']), two);
    expect(none).not.toHaveProperty('notes');
    expect(none.layout).not.toHaveProperty('note:1');
  });

  it('are bounded however long they are, and what is no note is not drawn', () => {
    expect(heightOf({ text: 'word '.repeat(10_000) })).toBeLessThan(300);
    expect(notesOf({ notes: { 'note:1': 3, 'note:2': { text: 4 }, call: { text: 'no' }, 'note:3': { text: 'yes' } } })).toEqual({ 'note:3': { text: 'yes' } });
    expect(notesOf({ notes: 'nonsense' })).toEqual({});
  });
});

describe('a flow as a file', () => {
  it('is read as it was written, with what is not known here', () => {
    const doc = { ...sampleFlow(), extra: { kept: [1, 2] } };
    doc.steps['call'] = { type: 'teleport', version: 3, title: 'Gone <i>', config: { to: 'Mars' }, memory: true };
    const read = readFlow(writeFlow(doc));
    expect(read).toEqual(doc);
    expect(unknownTypes(read as FlowDocument, types)).toEqual(['teleport']);
  });

  it('keeps decimals and names of any script', () => {
    const text = writeFlow({ ...sampleFlow(), name: '取引先 فاتورة 🚂' }).replace('"path": "orders"', '"path": "orders",\n      "limit": 1.00000000000000000001');
    expect(writeFlow(readFlow(text) as FlowDocument)).toBe(text);
  });

  it.each([
    ['nothing', '', 'not_json'],
    ['words', 'Dear Ada', 'not_json'],
    ['another thing', '{"format": "other/1", "steps": {}}', 'not_a_flow'],
    ['a list', '[]', 'not_a_flow'],
    ['a flow without a start', '{"format": "signalbox.flow/1", "steps": {}}', 'not_a_flow'],
    ['steps that are none', '{"format": "signalbox.flow/1", "trigger": {"type": "manual"}, "steps": {"a": 1}}', 'not_a_flow'],
    ['links that are none', '{"format": "signalbox.flow/1", "trigger": {"type": "manual"}, "steps": {}, "links": [{"from": 1}]}', 'not_a_flow'],
    ['too much text', `"${'x'.repeat(4_000_001)}"`, 'too_large'],
    ['a flow that the server would not keep', writeFlow({ ...sampleFlow(), name: 'x'.repeat(1_000_001) }), 'too_large'],
    ['too many steps', writeFlow({ ...sampleFlow(), links: [], steps: Object.fromEntries(Array.from({ length: 2001 }, (_none, at) => [`s${at}`, { type: 'stop', version: 1, title: '', config: {} }])) }), 'too_large'],
  ])('is refused: %s', (_name, text, why) => expect(readFlow(text)).toBe(why));

  it('mends what a flow may leave out', () => {
    expect(readFlow('{"format": "signalbox.flow/1", "trigger": {"type": "manual"}, "steps": {"a": {"type": "stop"}}, "layout": {"a": ["x", 1], "trigger": [0, 8]}}')).toMatchObject({
      name: '', links: [], trigger: { config: {} }, steps: { a: { version: 1, title: '', config: {} } }, layout: { trigger: [0, 8] },
    });
  });

  it('gets a name that is no path', () => {
    expect(fileNameOf('../../etc/pass wd')).toBe('etc-pass-wd.json');
    expect(fileNameOf('取引先 2')).toBe('取引先-2.json');
    expect(fileNameOf('///')).toBe('flow.json');
  });
});

describe('where a value is used', () => {
  it('finds the paths of a text', () => {
    expect(pathsIn('= trigger.body . amount > 10 and "trigger.body.text" = item.name')).toEqual(['trigger.body.amount', 'item.name']);
    expect(pathsIn('steps.call.output.items[1].price')).toEqual(['steps.call.output.items[1].price']);
    expect(pathsIn('Send it to ada.lovelace@example.org')).toEqual([]);
  });

  it('names the steps that read it and those that write it', () => {
    const doc = sampleFlow();
    doc.steps['note']!.config = { fields: { total: '= trigger.body.amount', mail: '= trigger.body.customer.email' } };
    doc.steps['end']!.config = { output: { who: '= steps.note.output.mail' } };
    expect(usesOf(doc, 'customer.email', types)).toEqual([{ id: 'note', how: 'reads', path: 'trigger.body.customer.email' }]);
    expect(usesOf(doc, 'mail', types)).toEqual([{ id: 'note', how: 'writes', path: 'steps.note.output.mail' }, { id: 'end', how: 'reads', path: 'steps.note.output.mail' }]);
    expect(usesOf(doc, 'trigger.body.amount.cents', types).map((use) => use.id)).toEqual(['size', 'note']);
    expect(usesOf(doc, 'nowhere.at.all', types)).toEqual([]);
    expect(usesOf(doc, ' . ', types)).toEqual([]);
  });
});
