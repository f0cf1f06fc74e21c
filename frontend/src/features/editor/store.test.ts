import { beforeEach, describe, expect, it } from 'vitest';
import { connect, disconnect, setTitle } from './document/document';
import { sampleFlow } from './document/fixtures';
import { linkKey } from './document/links';
import { useEditor } from './store';

const editor = () => useEditor.getState();
beforeEach(() => editor().open('f', sampleFlow(), false));

describe('history', () => {
  it('takes back 150 changes and does them again', () => {
    for (let at = 0; at < 150; at += 1) editor().apply(`Rename ${at}`, setTitle('end', `T${at}`));
    const last = editor().document;
    for (let at = 0; at < 150; at += 1) editor().undo();
    expect(editor().document).toEqual(sampleFlow());
    for (let at = 0; at < 150; at += 1) editor().redo();
    expect(editor().document).toEqual(last);
  });

  it('joins what is typed into one entry until the field is left', () => {
    editor().apply('Title', setTitle('end', 'E'), 'title:end');
    editor().apply('Title', setTitle('end', 'En'), 'title:end');
    expect(editor().past).toHaveLength(1);
    editor().settle();
    editor().apply('Title', setTitle('end', 'End!'), 'title:end');
    expect(editor().past).toHaveLength(2);
    editor().undo();
    expect(editor().document.steps['end']?.title).toBe('En');
    editor().undo();
    expect(editor().document.steps['end']?.title).toBe('End');
  });

  it('names what it takes back and what was touched', () => {
    editor().apply('Rename End', setTitle('end', 'Fin'));
    expect(editor().undo()).toMatchObject({ label: 'Rename End', touched: ['end'] });
    expect(editor().future[0]?.label).toBe('Rename End');
  });

  it('forgets what was undone as soon as something new happens', () => {
    editor().apply('Cut', disconnect([linkKey({ from: 'trigger', to: 'size' })]));
    editor().undo();
    editor().apply('Connect', connect({ from: 'call', port: 'error' }, 'size'));
    expect(editor().redo()).toBeUndefined();
  });

  it('keeps nothing for an edit that changes nothing, and nothing at all where one may only look', () => {
    expect(editor().apply('Nothing', setTitle('end', 'End'))).toBe(false);
    editor().open('f', sampleFlow(), true);
    expect(editor().apply('Rename', setTitle('end', 'Fin'))).toBe(false);
    expect(editor().past).toHaveLength(0);
  });

  it('leaves what another has changed since, names them, and takes back the rest', () => {
    editor().apply('Rename both', (doc) => { setTitle('end', 'Mine')(doc); setTitle('size', 'Mine too')(doc); });
    const theirs = structuredClone(editor().document);
    setTitle('end', 'Theirs')(theirs);
    editor().adopt(theirs, 'Ana');
    expect(editor().undo()).toMatchObject({ blocked: [{ step: 'end', who: 'Ana' }] });
    expect(editor().document.steps).toMatchObject({ end: { title: 'Theirs' }, size: { title: sampleFlow().steps['size']?.title } });
    editor().redo();
    expect(editor().document.steps).toMatchObject({ end: { title: 'Theirs' }, size: { title: 'Mine too' } });
  });

  it('takes no step away that another has worked on', () => {
    editor().apply('Add', (doc) => { doc.steps['new'] = { type: 'map', version: 1, title: 'New', config: {} }; doc.links.push({ from: 'end', to: 'new' }); });
    const theirs = structuredClone(editor().document);
    setTitle('new', 'Ours')(theirs);
    editor().adopt(theirs, 'Ana');
    expect(editor().undo()?.blocked).toHaveLength(1);
    expect(editor().document).toEqual(theirs);
    expect(editor().future).toHaveLength(0);
  });
});
