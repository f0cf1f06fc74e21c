import { describe, expect, it } from 'vitest';
import type { FlowDocument } from '~/api/types';
import { sampleFlow } from '../document/fixtures';
import type { Comparison } from './api';
import { linkMarks, marksOf, unionOf } from './picture';

const side = (document: FlowDocument) => ({ what: 'version' as const, number: 1, author: null, at: null, note: '', document });

function changed(): FlowDocument {
  const after = sampleFlow();
  delete after.steps['note'];
  after.links = after.links.filter((link) => link.from !== 'note' && link.to !== 'note');
  after.steps['new'] = { type: 'map', version: 1, title: 'New', config: {} };
  after.links.push({ from: 'size', port: 'x', to: 'new' });
  return after;
}

const comparison = (after: FlowDocument): Comparison => ({
  before: side(sampleFlow()),
  after: side(after),
  same: false,
  groups: [{ id: 'x', title: '', steps: ['end'], authors: [], changes: [{ path: '/steps/end/title', became: 'changed', step: 'end', text: '' }] }],
  moved: ['call', 'end'],
  notes: [],
  authors: [],
});

describe('the picture of a comparison', () => {
  it('shows what is gone where it stood, beside what is there', () => {
    const union = unionOf(sampleFlow(), changed());
    expect(Object.keys(union.steps)).toEqual(expect.arrayContaining(['note', 'new', 'end']));
    expect(union.layout?.['note']).toEqual(sampleFlow().layout?.['note']);
    expect(union.links.length).toBeGreaterThan(changed().links.length);
  });

  it('shows the other one alone where there is nothing to compare with', () => {
    expect(Object.keys(unionOf({}, sampleFlow()).steps)).toEqual(Object.keys(sampleFlow().steps));
    expect(Object.keys(unionOf(sampleFlow(), {}).steps)).toEqual(Object.keys(sampleFlow().steps));
  });

  it('tells added, removed, changed and moved apart; what changed as well as moved is changed', () => {
    expect(marksOf(comparison(changed()))).toMatchObject({ note: 'removed', new: 'added', end: 'changed', call: 'moved' });
    expect(linkMarks(comparison(changed()))).toContainEqual({ from: 'size', to: 'new', became: 'added' });
  });
});
