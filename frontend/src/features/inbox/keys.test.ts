import { describe, expect, it } from 'vitest';
import type { TaskItem } from '~/api/types';
import { lettersOf } from './keys';
import { mayJoin } from './TaskList';

const named = (...labels: string[]) => labels.map((label) => ({ outcome: label, label }));

describe('the letter of an answer', () => {
  it('is the first of its name', () => expect(lettersOf(named('Approve', 'Reject'))).toEqual({ Approve: 'a', Reject: 'r' }));
  it('is the first in the language of the reader', () =>
    expect(lettersOf(named('Genehmigen', 'Ablehnen'))).toEqual({ Genehmigen: 'g', Ablehnen: 'a' }));
  it('is given once', () => expect(lettersOf(named('Approve', 'Ask', 'Assign'))).toEqual({ Approve: 'a', Ask: 's', Assign: 'i' }));
  it('is none of the list itself', () => expect(lettersOf(named('Keep', 'Join'))).toEqual({ Keep: 'e', Join: 'o' }));
  it('may be missing', () => expect(lettersOf(named('Ä', 'K', '好'))).toEqual({}));
});

describe('tasks that can be answered together', () => {
  const task = (id: string, kind: string | null, most = 2) =>
    ({ id, bulk: kind === null ? null : { kind, most, answers: [] } }) as unknown as TaskItem;
  const a = task('a', 'x');
  it('are of one kind', () => {
    expect(mayJoin(a, [])).toBe(true);
    expect(mayJoin(task('b', 'x'), [a])).toBe(true);
    expect(mayJoin(task('b', 'y'), [a])).toBe(false);
    expect(mayJoin(task('b', null), [])).toBe(false);
  });
  it('are no more than the flow allows, and can be let go', () => {
    const b = task('b', 'x');
    expect(mayJoin(task('c', 'x'), [a, b])).toBe(false);
    expect(mayJoin(b, [a, b])).toBe(true);
  });
});
