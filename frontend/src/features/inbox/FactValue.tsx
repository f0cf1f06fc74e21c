import { useIntl } from 'react-intl';
import type { IntlShape } from 'react-intl';
import { ExactNumber } from '~/api/exact';
import { useT } from '~/app/messages';
import { FileLink, isFile } from '~/ui/FileLink';
import { exactTime } from '~/ui/time';

type Plain = string | number | ExactNumber;

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'string' || typeof value === 'number' || value instanceof ExactNumber;

const DECIMAL = /^-?\d+(?:\.(\d+))?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/;

/** A number with its digits in groups and none lost, a date or a time in the reader's words, else the text. */
export function factText(value: Plain, intl: IntlShape): string {
  const text = String(value);
  if (typeof value === 'string') {
    if (MOMENT.test(text) && !Number.isNaN(Date.parse(text))) return exactTime(intl, text);
    if (DAY.test(text) && !Number.isNaN(Date.parse(text))) return intl.formatDate(text, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' });
    return text;
  }
  const decimal = DECIMAL.exec(text);
  if (!decimal) return text;
  const digits = decimal[1]?.length ?? 0;
  // Given as text, a number is formatted as it is written; a double would round it.
  return new Intl.NumberFormat(intl.locale, { minimumFractionDigits: Math.min(digits, 100), maximumFractionDigits: Math.min(digits, 100) }).format(text as Intl.StringNumericLiteral);
}

function PlainValue({ value }: { value: Plain }) {
  const said = factText(value, useIntl());
  return said === String(value) ? <>{said}</> : <span title={String(value)}>{said}</span>;
}

/** A fact as a person reads it: lists by comma, nested facts line by line, nothing as a dash. */
export function FactValue({ value }: { value: unknown }) {
  const t = useT();
  const intl = useIntl();
  if (value === null || value === undefined || value === '') return <>{t('app.none')}</>;
  if (typeof value === 'boolean') return <>{value ? t('app.yes') : t('app.no')}</>;
  if (isPlain(value)) return <PlainValue value={value} />;
  if (isFile(value)) return <FileLink file={value} />;
  if (Array.isArray(value) && value.every(isPlain)) return <>{value.map((one) => factText(one, intl)).join(', ')}</>;
  return (
    <ul>
      {Object.entries(value as Record<string, unknown>).map(([name, part]) => (
        <li key={name}>
          {Array.isArray(value) ? null : t('app.named', { name })} <FactValue value={part} />
        </li>
      ))}
    </ul>
  );
}
