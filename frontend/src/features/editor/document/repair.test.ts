import { produce } from 'immer';
import { describe, expect, it } from 'vitest';
import type { FlowDocument, Repair } from '~/api/types';
import cases from '../../../../../tests/golden/editor/repairs.json';
import { applyRepair, fits } from './repair';

const flow = () => ({ format: 'f', name: 'a', trigger: { type: 'manual', config: {} }, steps: { a: { type: 'map', config: { 'x/y': 1 } } }, links: [{ from: 'trigger', to: 'a' }] }) as unknown as FlowDocument;
const repair = (...patch: Repair['patch']): Repair => ({ does: 'x', patch });

describe('a repair', () => {
  it.each(cases as unknown as { name: string; document: FlowDocument; patch: Repair['patch']; after: FlowDocument }[])('does what the server says: $name', ({ document, patch, after }) => {
    const one = { does: '', patch };
    expect(fits(document, one)).toBe(true);
    expect(produce(document, (doc) => { applyRepair(one)(doc); })).toEqual(after);
  });

  it.each([
    [{ op: 'remove', path: '/links/3' }],
    [{ op: 'replace', path: '/steps/gone/config/x', value: 1 }],
    [{ op: 'remove', path: '/steps/a/lock' }],
    [{ op: 'add', path: '/links/9', value: {} }],
    [{ op: 'add', path: '/name/x', value: 1 }],
    [{ op: 'add', path: '', value: 1 }],
    [{ op: 'remove', path: '/steps/toString' }],
  ] as Repair['patch'][])('is not offered where the document is another by now: %j', (one) => {
    expect(fits(flow(), repair(one))).toBe(false);
  });

  it('reads names with signs in them, and leaves the document it tries alone', () => {
    const doc = flow();
    expect(fits(doc, repair({ op: 'remove', path: '/steps/a/config/x~1y' }))).toBe(true);
    expect(doc).toEqual(flow());
  });
});
