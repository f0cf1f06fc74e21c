import { describe, expect, it } from 'vitest';
import type { FlowDocument } from '~/api/types';
import golden from '../../../../../tests/golden/changes/cases.json';
import { differences, isLayout, isSame, pointerOf } from './changes';
import { merge, merged } from './merge';
import type { Side } from './merge';

const base = golden.base as unknown as FlowDocument;
const change = (edit: (doc: FlowDocument) => void): FlowDocument => {
  const doc = structuredClone(base);
  edit(doc);
  return doc;
};
const insert = (id: string) => (doc: FlowDocument) => {
  doc.steps[id] = { type: 'map', version: 1, title: id, config: { fields: { n: `= steps.${id}.output.n` } } };
  doc.links = doc.links.flatMap((link) => (link.from === 'approve' ? [{ from: 'approve', port: 'approved', to: id }, { from: id, port: 'done', to: 'tell' }] : [link]));
};
const removeApproval = (doc: FlowDocument) => {
  delete doc.steps['approve'];
  doc.links = [{ from: 'trigger', to: 'size' }, { from: 'size', port: 'large', to: 'tell' }, { from: 'size', port: 'small', to: 'tell' }];
};
const due = (value: string) => (doc: FlowDocument) => { doc.steps['approve']!.config['due'] = value; };
const all = (found: ReturnType<typeof merge>, side: Side) => merged(found, Object.fromEntries(found.conflicts.map(({ id }) => [id, side])));

describe('what each did alone', () => {
  it('is kept of both', () => {
    const found = merge(base, change(due('PT4H')), change((doc) => { doc.steps['tell']!.config['subject'] = 'Hello'; }));
    expect(found.conflicts).toEqual([]);
    expect(merged(found).steps['approve']?.config['due']).toBe('PT4H');
    expect(merged(found).steps['tell']?.config['subject']).toBe('Hello');
  });

  it('is kept of one step and of one field that holds several', () => {
    const mine = change((doc) => { (doc.steps['approve']!.config['assignees'] as Record<string, unknown>)['groups'] = ['finance']; });
    const theirs = change((doc) => { doc.steps['approve']!.title = 'Sign off'; });
    const found = merge(base, mine, theirs);
    expect(found.conflicts).toEqual([]);
    expect(merged(found).steps['approve']).toMatchObject({ title: 'Sign off', config: { assignees: { groups: ['finance'] } } });
  });

  it('asks nothing where both did the same', () => {
    expect(merge(base, change(removeApproval), change(removeApproval)).conflicts).toEqual([]);
    expect(isSame(merged(merge(base, change(removeApproval), change(removeApproval))), change(removeApproval))).toBe(true);
  });
});

describe('what both did differently', () => {
  it('is asked field by field', () => {
    const found = merge(base, change(due('PT4H')), change(due('P5D')));
    expect(found.conflicts.map(({ id, both }) => [id, both])).toEqual([['/steps/approve/config/due', null]]);
    expect(all(found, 'mine').steps['approve']?.config['due']).toBe('PT4H');
    expect(all(found, 'theirs').steps['approve']?.config['due']).toBe('P5D');
  });

  it('asks about a step that one took away and the other worked on, with all that belongs to it', () => {
    const found = merge(base, change(due('PT4H')), change(removeApproval));
    expect(found.conflicts).toHaveLength(1);
    expect(isSame(all(found, 'theirs'), change(removeApproval))).toBe(true);
    expect(isSame(all(found, 'mine'), change(due('PT4H')))).toBe(true);
  });

  it('asks about a link to a step that the other took away', () => {
    const mine = change((doc) => { doc.links.push({ from: 'size', port: 'small', to: 'approve' }); });
    const found = merge(base, mine, change(removeApproval));
    expect(found.conflicts).toHaveLength(1);
    expect(isSame(all(found, 'theirs'), change(removeApproval))).toBe(true);
    expect(all(found, 'mine').links).toEqual(mine.links);
  });

  it('keeps two steps that got the same id, one under another', () => {
    const mine = change((doc) => { insert('map')(doc); doc.steps['map']!.title = 'Mine'; });
    const theirs = change(insert('map'));
    const found = merge(base, mine, theirs);
    expect(found.conflicts).toHaveLength(1);
    const both = all(found, 'both');
    expect(both.steps['map']?.title).toBe('map');
    expect(both.steps['map_2']).toMatchObject({ title: 'Mine', config: { fields: { n: '= steps.map_2.output.n' } } });
    expect(both.links).toContainEqual({ from: 'map_2', port: 'done', to: 'tell' });
  });

  it('asks before two steps put into one link make a fork of it', () => {
    const found = merge(base, change(insert('one')), change(insert('two')));
    expect(found.conflicts).toHaveLength(1);
    expect(Object.keys(all(found, 'both').steps)).toEqual(expect.arrayContaining(['one', 'two']));
    expect(all(found, 'mine').steps['two']).toBeUndefined();
    expect(isSame(all(found, 'theirs'), change(insert('two')))).toBe(true);
  });

  it('can keep the entries of both lists', () => {
    const to = (list: string[]) => change((doc) => { doc.steps['tell']!.config['to'] = list; });
    const found = merge(base, to(['ops@acme.test', 'a@acme.test']), to(['b@acme.test']));
    expect(all(found, 'both').steps['tell']?.config['to']).toEqual(['b@acme.test', 'a@acme.test']);
  });

  it('keeps the order in which a fork starts, and asks where both turned it', () => {
    const links = (ids: string[]) => (doc: FlowDocument) => { doc.links = ids.map((to) => ({ from: 'trigger', to })); };
    const fork = change(links(['size', 'approve', 'tell']));
    const mine = change(links(['tell', 'size', 'approve']));
    const theirs = change((doc) => { links(['size', 'approve', 'tell'])(doc); due('PT4H')(doc); });
    expect(merged(merge(fork, mine, theirs)).links.map(({ to }) => to)).toEqual(['tell', 'size', 'approve']);
    const found = merge(fork, mine, change(links(['approve', 'size', 'tell'])));
    expect(found.conflicts.map(({ id, both }) => [id, both])).toEqual([['/links/order/trigger:done', null]]);
    expect(all(found, 'theirs').links.map(({ to }) => to)).toEqual(['approve', 'size', 'tell']);
    // One that is gone by the other's hand has no place in it any more.
    expect(merged(merge(fork, mine, change(links(['size', 'tell'])))).links.map(({ to }) => to)).toEqual(['tell', 'size']);
  });

  it('leaves a card that both moved where I put it', () => {
    const at = (x: number) => change((doc) => { doc.layout!['tell'] = [x, 0]; });
    const found = merge(base, at(8), at(16));
    expect(found.conflicts).toEqual([]);
    expect(merged(found).layout?.['tell']).toEqual([8, 0]);
  });
});

/** Random edits from a seed: the same every time. */
function random(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9) | 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}

function scribble(from: FlowDocument, seed: number): FlowDocument {
  const next = random(seed);
  const pick = <T,>(list: readonly T[]): T | undefined => list[Math.floor(next() * list.length)];
  const doc = structuredClone(from);
  for (let count = 0; count < 1 + next() * 5; count += 1) {
    const id = pick(Object.keys(doc.steps)) ?? '';
    const step = doc.steps[id];
    const kind = Math.floor(next() * 8);
    if (kind === 0 && step) step.title = `T${Math.floor(next() * 3)}`;
    if (kind === 1 && step) step.config[pick(['due', 'x', 'y']) ?? 'x'] = Math.floor(next() * 3);
    if (kind === 2 && step) {
      delete doc.steps[id];
      doc.links = doc.links.filter((link) => link.from !== id && link.to !== id);
    }
    if (kind === 3) doc.steps[pick(['new', 'more']) ?? 'new'] = { type: 'map', version: 1, title: `N${Math.floor(next() * 2)}`, config: {} };
    if (kind === 4) doc.links = doc.links.filter(() => next() > 0.3);
    if (kind === 5 && step) {
      const to = pick(Object.keys(doc.steps)) ?? id;
      if (!doc.links.some((link) => link.from === id && link.to === to && link.port === 'done')) doc.links.push({ from: id, port: 'done', to });
    }
    if (kind === 7) doc.links.reverse();
    if (kind === 6) doc.name = `Name ${Math.floor(next() * 3)}`;
  }
  return doc;
}

const meaning = (doc: FlowDocument) => ({ ...doc, layout: undefined, links: [...doc.links].sort((a, b) => JSON.stringify([a.from, a.port]).localeCompare(JSON.stringify([b.from, b.port]))) });
const seeds = Array.from({ length: 400 }, (_none, at) => at);

describe('any three documents', () => {
  it('give my work where they did nothing, and theirs where I did nothing', () => {
    for (const seed of seeds) {
      const mine = scribble(base, seed);
      expect(isSame(meaning(merged(merge(base, mine, base))), meaning(mine)), `seed ${seed}`).toBe(true);
      expect(isSame(meaning(merged(merge(base, base, mine))), meaning(mine)), `seed ${seed}`).toBe(true);
      expect(merge(base, mine, structuredClone(mine)).conflicts, `seed ${seed}`).toEqual([]);
    }
  });

  it('conflict alike from either side', () => {
    for (const seed of seeds) {
      const [mine, theirs] = [scribble(base, seed), scribble(base, seed + 1000)];
      const [one, other] = [merge(base, mine, theirs), merge(base, theirs, mine)];
      expect(one.conflicts.length, `seed ${seed}`).toBe(other.conflicts.length);
      if (one.conflicts.length === 0) expect(isSame(meaning(merged(one)), meaning(merged(other))), `seed ${seed}`).toBe(true);
    }
  });

  it('lose no change unseen: each is made, agreed on, or put to a person', () => {
    for (const seed of seeds) {
      const [mine, theirs] = [scribble(base, seed), scribble(base, seed + 2000)];
      const found = merge(base, mine, theirs);
      const seen = new Set([...found.free.mine, ...found.free.theirs, ...found.conflicts.flatMap((one) => [...one.mine, ...one.theirs])].map(({ path }) => pointerOf(path)));
      for (const one of [...differences(base, mine), ...differences(base, theirs)].filter((each) => !isLayout(each))) expect(seen, `seed ${seed}`).toContain(pointerOf(one.path));
      if (found.conflicts.length > 0) continue;
      const made = merged(found);
      // What is in the result differs from each side only by what the other did.
      for (const one of differences(mine, made)) expect(differences(base, theirs).some((other) => pointerOf(one.path).startsWith(pointerOf(other.path)) || pointerOf(other.path).startsWith(pointerOf(one.path))) || isLayout(one), `seed ${seed}`).toBe(true);
    }
  });

  it('never end in a link to nothing, whatever is chosen', () => {
    for (const seed of seeds) {
      const found = merge(base, scribble(base, seed), scribble(base, seed + 3000));
      for (const side of ['mine', 'theirs', 'both'] as const) {
        const made = all(found, side);
        for (const link of made.links) expect(link.from === 'trigger' || made.steps[link.from] !== undefined, `seed ${seed} ${side}`).toBe(true);
        for (const link of made.links) expect(made.steps[link.to], `seed ${seed} ${side}`).toBeDefined();
      }
    }
  });
});
