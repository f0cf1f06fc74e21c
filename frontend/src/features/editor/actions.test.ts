import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { MessageId, Translate } from '~/app/messages';
import { drawCard } from '~/features/canvas/graph';
import { makeActions } from './actions';
import { sampleFlow, types } from './document/fixtures';
import { linkKey } from './document/links';
import { useEditor } from './store';
import { resetView, select, setStage, useView } from './view';

const t: Translate = (id: MessageId, values) => `${id.replace('editor.', '')} ${JSON.stringify(values ?? {})}`;
const act = makeActions(t, types);
const doc = () => useEditor.getState().document;
const ends = () => doc().links.map((link) => `${link.from}.${link.port ?? ''}>${link.to}`);
const typed = (kind: string) => {
  const found = types.step(kind);
  if (!found) throw new Error(kind);
  return found;
};

beforeEach(() => {
  resetView();
  setStage({ focus: vi.fn(), reveal: vi.fn(), middle: () => [100, 400], screen: () => ({ x: 0, y: 0 }) });
  useEditor.getState().open('f', sampleFlow(), false);
});

describe('adding a step', () => {
  it('goes behind what is selected, by the way that leads nowhere', () => {
    select(['call']);
    useEditor.getState().apply('cut', (draft) => { draft.links = draft.links.filter((link) => link.from !== 'call'); });
    act.addNext(typed('stop'));
    expect(ends()).toContain('call.done>stop');
    expect(useView.getState().selected).toEqual(['stop']);
  });

  it('goes between where everything is connected, and never cuts a way by ending it', () => {
    select(['note']);
    const id = act.addNext(typed('map'));
    expect(ends()).toContain(`note.>${id}`);
    expect(ends()).toContain(`${id}.done>end`);
    select(['note']);
    const stop = act.addNext(typed('stop'));
    expect(ends()).toContain(`note.done>${stop}`);
    expect(ends()).toContain(`note.>${id}`);
  });

  it('covers no other card', () => {
    const first = act.add(typed('map'), { place: [0, 0] });
    const second = act.add(typed('map'), { place: [0, 0] });
    const places = Object.values(doc().layout ?? {}).map(String);
    expect(new Set(places).size).toBe(places.length);
    expect(doc().layout?.[first]).not.toEqual(doc().layout?.[second]);
  });
});

describe('everything', () => {
  it('is named, said and undone', () => {
    act.connect({ from: 'call', port: 'error' }, 'size');
    expect(useView.getState().said.text).toBe('edit.connect {"from":"Tell the shop","to":"Large?"}');
    act.remove(['size', 'note']);
    act.disconnect(linkKey({ from: 'call', port: 'done', to: 'end' }));
    act.duplicate(['call']);
    act.rename('end', 'Fin');
    for (let at = 0; at < 5; at += 1) act.undo();
    expect(doc()).toEqual(sampleFlow());
    for (let at = 0; at < 5; at += 1) act.redo();
    expect(doc().steps['end']?.title).toBe('Fin');
  });

  it('takes what is gone out of the selection when it is undone', () => {
    const id = act.add(typed('map'));
    expect(useView.getState().selected).toEqual([id]);
    act.undo();
    expect(useView.getState().selected).toEqual([]);
  });

  it('says why a paste was refused and changes nothing', () => {
    act.pasteText('{"not": "a flow"}');
    expect(useView.getState().said.text).toContain('paste.not_a_flow');
    expect(doc()).toEqual(sampleFlow());
  });
});

describe('several at once', () => {
  const last = () => useEditor.getState().past.at(-1)?.label ?? '';

  it('are grouped, and undo names it and takes it back', () => {
    const before = doc();
    const id = act.group(['call', 'note'], typed('for_each'));
    expect(id).toBe('for_each');
    expect(doc().steps['call']?.['in']).toBe('for_each');
    expect(last()).toContain('edit.group');
    expect(useView.getState().selected).toEqual(['for_each']);
    act.undo();
    expect(doc().steps).toEqual(before.steps);
    expect(doc().links).toEqual(before.links);
  });

  it('are aligned and spread, notes among them', () => {
    const note = act.addNote([16, 400]);
    act.align(['size', 'call', note], 'left');
    expect(['size', 'call', note].map((id) => doc().layout?.[id]?.[0])).toEqual([16, 16, 16]);
    expect(last()).toContain('align.left');
    act.spread(['size', 'call', note], 'down');
    expect(last()).toContain('spread.down');
  });

  it('are copied and pasted with their notes, under new names', () => {
    const note = act.addNote([0, 400]);
    act.setNote(note, { text: '<b>Ask Ada</b>' });
    const text = act.copyText(['note', note]);
    expect(text).not.toBeNull();
    act.pasteText(text ?? '');
    expect(Object.keys(doc().steps)).toContain('note_2');
    expect(doc()['notes']).toMatchObject({ 'note:1': { text: '<b>Ask Ada</b>' }, 'note:2': { text: '<b>Ask Ada</b>' } });
    act.remove(['note_2', 'note:2']);
    expect(doc()['notes']).not.toHaveProperty('note:2');
    expect(last()).toContain('delete_many');
  });
});

describe('a flow from elsewhere', () => {
  it('takes the place of this one, whatever it holds; undo brings this one back', () => {
    const before = doc();
    act.importFlow({ format: 'signalbox.flow/1', name: 'Other', trigger: { type: 'nobody', config: {} }, steps: { gone: { type: 'teleport', version: 9, title: '<i>', config: { to: 'Mars' } } }, links: [], strange: true });
    expect(doc().steps['gone']?.config).toEqual({ to: 'Mars' });
    expect(doc()['strange']).toBe(true);
    expect(doc()).not.toHaveProperty('comment');
    act.undo();
    expect(doc()).toEqual(before);
  });

  it('keeps the name of this one where it has none', () => {
    act.importFlow({ format: 'signalbox.flow/1', name: ' ', trigger: { type: 'manual', config: {} }, steps: {}, links: [] });
    expect(doc().name).toBe('Orders');
  });
});

describe('a step whose type is gone', () => {
  it('is kept, shows as unknown with the ways its links use, and moves and goes like any other', () => {
    useEditor.getState().apply('gone', (draft) => { draft.steps['call'] = { type: 'teleport', version: 2, title: 'Call', config: { to: 'Mars' } }; });
    expect(drawCard(doc(), 'call', types, t)).toMatchObject({ title: 'Call', unknown: true, ports: ['done'] });
    act.move({ call: [800, 800] });
    expect(doc().steps['call']?.config).toEqual({ to: 'Mars' });
    act.remove(['call']);
    expect(ends()).toContain('size.large>end');
  });
});

describe('a hundred edits and more', () => {
  it('are undone one by one, each under its own name', () => {
    const before = doc();
    for (let at = 0; at < 150; at += 1) act.move({ call: [8 * at, 8] });
    expect(useEditor.getState().past).toHaveLength(150);
    for (let at = 0; at < 150; at += 1) act.undo();
    expect(doc().layout).toEqual(before.layout);
    for (let at = 0; at < 150; at += 1) act.redo();
    expect(doc().layout?.['call']).toEqual([8 * 149, 8]);
  });
});
