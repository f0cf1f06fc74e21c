import { describe, expect, it } from 'vitest';
import type { Translate } from '~/app/messages';
import { answersAgainst } from './OutcomeField';

const t = ((id: string) => id) as Translate;

describe('the answers by which a ladder can end a question', () => {
  it.each([
    ['the usual one, where a step has none of its own', { outcomes: [] }, 'rejected', ['rejected']],
    ['its own that are against it', { outcomes: [{ port: 'yes', label: 'Yes', side: 'for' }, { port: 'no', label: 'No, thanks', side: 'against' }, { port: 'back', side: 'back' }] }, 'no', ['no']],
    ['with the one that is named and gone', { outcomes: [{ port: 'no', label: 'No', side: 'against' }] }, 'rejected', ['no', 'rejected']],
    ['whatever is half written', { outcomes: [{}, { port: '', side: 'against' }] }, '', []],
    ['without a config', undefined, '', ['rejected']],
  ])('are %s', (_, config, chosen, expected) => {
    expect(answersAgainst(config, chosen, t).map((one) => one.value)).toEqual(expected);
  });

  it('are called as their buttons are', () => {
    expect(answersAgainst({ outcomes: [{ port: 'no', label: 'No, thanks', side: 'against' }] }, 'no', t)).toEqual([{ value: 'no', label: 'No, thanks' }]);
  });
});
