import { stringifyExact } from '~/api/exact';

/** A value in one short line. */
export function sampleText(value: unknown, most = 60): string {
  const text = typeof value === 'string' ? `"${value}"` : (stringifyExact(value) ?? '');
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
