import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { english } from './index';
import { directionOf, loadWording, localeOf, wordingOf } from './languages';
import { pseudo } from './pseudo';

describe('the words for a reader', () => {
  it('are the ones they chose', () => expect(wordingOf('de', ['en-GB'])).toBe('de'));
  it('are else the first their browser asks for that we have', () => expect(wordingOf('', ['fr-CH', 'de-CH', 'en'])).toBe('de'));
  it('are English where nothing they ask for is here', () => expect(wordingOf('', ['fr', 'ja-JP'])).toBe('en'));
  it('are English where a choice is no longer offered', () => expect(wordingOf('xx', [])).toBe('en'));
  it('are made up only where the browser asks for exactly that', () => {
    expect(wordingOf('', ['en-XA'])).toBe('en-XA');
    expect(wordingOf('', ['ar-SA', 'en'])).toBe('en');
  });
  it('come with the reader’s own manner of numbers and dates', () => {
    expect(localeOf('de', ['de-AT', 'en'])).toBe('de-AT');
    expect(localeOf('de', ['en-US'])).toBe('de-DE');
    expect(localeOf('en', ['de-DE'])).toBe('en-GB');
    expect(localeOf('en', ['en-XA', 'en-CA'])).toBe('en-CA');
  });
  it('run from right to left in the mirrored wording alone', () => {
    expect((['en', 'de', 'en-XA', 'ar-XB'] as const).map(directionOf)).toEqual(['ltr', 'ltr', 'ltr', 'rtl']);
  });
  it('are all there in German', async () => {
    const german = await loadWording('de', english);
    expect(Object.keys(english).filter((id) => !(id in german))).toEqual([]);
    const intl = createIntl({ locale: 'de', messages: german });
    expect(intl.formatMessage({ id: 'app.inbox_open' }, { count: 2 })).toBe('Eingang, 2 offene Aufgaben');
  });
});

describe('a wording made for tests', () => {
  const said = (rightToLeft: boolean, id: string, values?: Record<string, string | number>) =>
    createIntl({ locale: 'en', messages: pseudo(english, rightToLeft) }).formatMessage({ id }, values);

  it('is accented, in brackets and two fifths longer', () => {
    const text = said(false, 'app.try_again');
    expect(text).toMatch(/^\[Ţŕý áĝáîñ.+\]$/u);
    expect([...text].length).toBeGreaterThanOrEqual(Math.ceil('Try again'.length * 1.4));
  });
  it('keeps what is put into a text as it is', () => {
    expect(said(false, 'app.copy', { what: 'Acme' })).toContain(' Acme');
    expect(said(false, 'app.inbox_open', { count: 2 })).toContain('2 óþéñ');
  });
  it('runs from right to left, whatever its letters', () => {
    expect(said(true, 'app.try_again')).toBe('\u202eTry again\u202c');
    expect(said(true, 'app.copy', { what: 'Acme' })).toBe('\u202eCopy \u202cAcme');
  });
});
