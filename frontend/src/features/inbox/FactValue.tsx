import { ExactNumber } from '~/api/exact';
import { useT } from '~/app/messages';

const isPlain = (value: unknown): value is string | number | ExactNumber =>
  typeof value === 'string' || typeof value === 'number' || value instanceof ExactNumber;

/** A fact as a person reads it: lists by comma, nested facts line by line, nothing as a dash. */
export function FactValue({ value }: { value: unknown }) {
  const t = useT();
  if (value === null || value === undefined || value === '') return <>{t('app.none')}</>;
  if (typeof value === 'boolean') return <>{value ? t('app.yes') : t('app.no')}</>;
  if (isPlain(value)) return <>{String(value)}</>;
  if (Array.isArray(value) && value.every(isPlain)) return <>{value.map(String).join(', ')}</>;
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
