import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { duration, exactHereAndThere, exactTime, relativeTime } from './time';

const AT = '2026-11-20T12:45:03Z';
const english = createIntl({ locale: 'en-GB', timeZone: 'Europe/Berlin' });
const german = createIntl({ locale: 'de-DE', timeZone: 'Europe/Berlin' });

describe('a time', () => {
  it('is in the reader’s zone and manner', () => {
    expect(exactTime(english, AT)).toBe('20 Nov 2026, 13:45:03 CET');
    expect(exactTime(german, AT)).toBe('20. Nov. 2026, 13:45:03 MEZ');
    expect(relativeTime(german, AT, Date.parse(AT) + 3 * 60_000, 'gerade eben')).toBe('vor 3 Minuten');
    expect(duration(german, 2 * 86_400_000 + 4 * 3_600_000, 'long')).toBe('2 Tage 4 Stunden');
  });
  it('is beside it as it reads where the flows stand', () => {
    expect(exactHereAndThere(english, AT, 'America/New_York')).toMatch(/^20 Nov 2026, 13:45:03 CET · 20 Nov 2026, 07:45:03 .+ \(America\/New York\)$/);
  });
  it('is said once where both read the same', () => {
    expect(exactHereAndThere(english, AT, 'Europe/Berlin')).toBe(exactTime(english, AT));
    expect(exactHereAndThere(english, AT, 'Europe/Vienna')).toBe(exactTime(english, AT));
    expect(exactHereAndThere(english, AT, '')).toBe(exactTime(english, AT));
  });
});
