import { ExactNumber } from '~/api/exact';
import { isExpression } from './feel/text';
import { isRecord } from './schema';

/** What a value without a schema is, as the form lets people choose. */
export type ValueKind = 'text' | 'number' | 'boolean' | 'fields' | 'list' | 'secret' | 'nothing';

export const isSecretRef = (value: unknown): value is { secret: string; prefix?: string } =>
  isRecord(value) && typeof value['secret'] === 'string' && Object.keys(value).every((name) => name === 'secret' || name === 'prefix');

export function kindOfValue(value: unknown, secrets: boolean): ValueKind {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number' || value instanceof ExactNumber) return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (Array.isArray(value)) return 'list';
  return secrets && isSecretRef(value) ? 'secret' : 'fields';
}

/** A value of another kind that keeps what it can of the old one. */
export function convert(value: unknown, to: ValueKind): unknown {
  switch (to) {
    case 'text':
      return typeof value === 'string' ? value : value instanceof ExactNumber ? value.source : typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
    case 'number': {
      const text = typeof value === 'string' && !isExpression(value) ? value.trim() : '';
      return text !== '' && Number.isFinite(Number(text)) ? Number(text) : 0;
    }
    case 'boolean':
      return value === true || value === 'true';
    case 'fields':
      return isRecord(value) && !isSecretRef(value) ? value : {};
    case 'list':
      return Array.isArray(value) ? (value as unknown[]) : value === null || value === undefined || value === '' ? [] : [value];
    case 'secret':
      return { secret: '' };
    case 'nothing':
      return null;
  }
}

/** The object with one name changed in its place. */
export const renameKey = (value: Record<string, unknown>, from: string, to: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([name, part]) => [name === from ? to : name, part]));

export function freeName(value: Record<string, unknown>, base: string): string {
  if (!(base in value)) return base;
  for (let count = 2; ; count += 1) if (!(`${base}_${count}` in value)) return `${base}_${count}`;
}
