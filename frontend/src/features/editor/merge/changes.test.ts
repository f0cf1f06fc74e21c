import { describe, expect, it } from 'vitest';
import type { FlowDocument } from '~/api/types';
import { setTitle } from '../document/document';
import golden from '../../../../../tests/golden/changes/cases.json';
import { applied, differences, inverted, isSame, pointerOf, together } from './changes';

interface Case {
  name: string;
  /** What the common base has instead. */
  base?: Record<string, unknown>;
  /** Only how links of different ways mix is another. */
  mixed?: boolean;
  set: Record<string, unknown>;
  keep_null?: boolean;
  changes: string[];
  groups: string[][];
}

const base = golden.base as unknown as FlowDocument;
const before = (one: Case): FlowDocument => ({ ...structuredClone(base), ...Object.fromEntries(Object.entries(one.base ?? {}).map(([pointer, value]) => [pointer.slice(1), value])) });
const byWays = (document: FlowDocument): FlowDocument => ({ ...document, links: [...document.links].sort((a, b) => `${a.from}:${a.port ?? ''}`.localeCompare(`${b.from}:${b.port ?? ''}`)) });

function after(one: Case): FlowDocument {
  const document = before(one);
  for (const [pointer, value] of Object.entries(one.set)) {
    const path = pointer.split('/').slice(1).map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
    const last = path.pop() ?? '';
    const here = path.reduce<Record<string, unknown>>((at, name) => at[name] as Record<string, unknown>, document);
    if (value === null && !one.keep_null) delete here[last];
    else here[last] = value;
  }
  return document;
}

describe.each(golden.cases as unknown as Case[])('golden: $name', (one) => {
  const found = differences(before(one), after(one));
  const shown = one.mixed ? byWays : (document: FlowDocument) => document;

  it('finds what the server finds', () => {
    expect(found.map(({ path }) => pointerOf(path))).toEqual(one.changes);
    expect(together(found).map((group) => group.map(({ path }) => pointerOf(path)))).toEqual(one.groups);
  });

  it('leads there and back', () => {
    expect(isSame(shown(applied(before(one), found)), shown(after(one)))).toBe(true);
    expect(isSame(shown(applied(after(one), found.map(inverted))), shown(before(one)))).toBe(true);
  });
});

describe('differences', () => {
  it('cost nothing where two documents share what they hold', () => {
    const next = { ...base, steps: { ...base.steps } };
    setTitle('tell', 'Tell')(next);
    expect(differences(base, base)).toEqual([]);
  });
});
