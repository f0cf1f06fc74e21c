import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { MessageId, Translate } from '~/app/messages';
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
