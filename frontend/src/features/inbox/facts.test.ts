import { createIntl } from 'react-intl';
import { expect, it } from 'vitest';
import { ExactNumber } from '~/api/exact';
import { factText } from './FactValue';

const intl = createIntl({ locale: 'en-GB', timeZone: 'Europe/Berlin' });

it.each([
  [18400, '18,400'],
  [new ExactNumber('12000.50'), '12,000.50'],
  [new ExactNumber('-12345678901234567890.123456789'), '-12,345,678,901,234,567,890.123456789'],
  [new ExactNumber('1e30'), '1e30'],
  ['2026-11-20', '20 November 2026'],
  ['2026-13-45', '2026-13-45'],
  ['18400', '18400'],
])('says %s as %s', (value, said) => {
  expect(factText(value, intl)).toBe(said);
});

it('says a time in the reader’s own zone', () => {
  expect(factText('2026-11-20T23:30:00Z', intl)).toContain('21');
});
