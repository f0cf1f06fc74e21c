import type { FlowDocument, Repair } from '~/api/types';
import type { Edit } from './document';

type Holder = Record<string, unknown> | unknown[];

const isHolder = (value: unknown): value is Holder => typeof value === 'object' && value !== null;
const partsOf = (pointer: string): string[] => pointer.split('/').slice(1).map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

/** Where a pointer leads: what holds the place, and its name there. */
function placeOf(document: unknown, pointer: string): { holder: Holder; name: string } | null {
  const parts = partsOf(pointer);
  const name = parts.pop();
  let holder: unknown = document;
  for (const part of parts) {
    if (!isHolder(holder) || !Object.hasOwn(holder, part)) return null;
    holder = (holder as Record<string, unknown>)[part];
  }
  return name !== undefined && isHolder(holder) ? { holder, name } : null;
}

/** One change of the document; `false` where it no longer fits what is there. */
function change(document: unknown, { op, path, value }: Repair['patch'][number]): boolean {
  const place = placeOf(document, path);
  if (!place) return false;
  const { holder, name } = place;
  const isThere = Object.hasOwn(holder, name);
  if (op !== 'add' && !isThere) return false;
  if (!Array.isArray(holder)) {
    if (op === 'remove') delete holder[name];
    else holder[name] = structuredClone(value);
    return true;
  }
  const at = name === '-' ? holder.length : Number(name);
  if (!Number.isInteger(at) || at < 0 || at > holder.length) return false;
  if (op === 'remove') holder.splice(at, 1);
  else holder.splice(at, op === 'add' ? 0 : 1, structuredClone(value));
  return true;
}

/** Whether a repair still fits the document: it was made for the one that was checked. */
export function fits(document: FlowDocument, { patch }: Repair): boolean {
  const copy = structuredClone(document);
  return patch.every((one) => change(copy, one));
}

/** What the server says puts a finding right (JSON Patch), as one edit. */
export const applyRepair =
  ({ patch }: Repair): Edit =>
  (doc) => {
    patch.forEach((one) => change(doc, one));
  };
