import { feelText } from '../feel/text';
import { settled } from './model';
import type { Compare, Condition, Group, Operand, Value } from './model';

/** A condition without any comparison holds always. */
export const ALWAYS = 'true';

const SIGNS = { eq: '=', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' } as const;
const CALLS = { contains: 'contains', starts: 'starts with', ends: 'ends with' } as const;

export function writeValue(value: Value): string {
  switch (value.kind) {
    case 'text':
      return feelText(value.text);
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    case 'date':
      return `date("${value.text}")`;
    case 'path':
      return value.path;
  }
}

export function writeOperand({ path, cast, fallback }: Operand): string {
  const read = fallback ? `get or else(${path}, ${writeValue(fallback)})` : path;
  return cast ? `${cast}(${read})` : read;
}

function writeCompare({ left, op, values }: Compare): string {
  const read = writeOperand(left);
  const given = values.map(writeValue);
  switch (op) {
    case 'contains':
    case 'starts':
    case 'ends':
      return `${CALLS[op]}(${read}, ${given[0] ?? ''})`;
    case 'not_contains':
    case 'not_starts':
    case 'not_ends':
      return `not(${CALLS[op.slice(4) as keyof typeof CALLS]}(${read}, ${given[0] ?? ''}))`;
    case 'in':
      // A single value in brackets would take what follows it for its own.
      return given.length === 1 ? `(${read} in (${given[0] ?? ''}))` : `${read} in (${given.join(', ')})`;
    case 'not_in':
      return `not(${read} in (${given.join(', ')}))`;
    case 'between':
      return `${read} between ${given[0] ?? ''} and ${given[1] ?? ''}`;
    case 'holds':
      return read;
    case 'fails':
      return `not(${read})`;
    case 'defined':
      return `is defined(${read})`;
    case 'undefined':
      return `not(is defined(${read}))`;
    default:
      return `${read} ${SIGNS[op]} ${given[0] ?? ''}`;
  }
}

const writePart = (part: Condition): string => (part.kind === 'compare' ? writeCompare(part) : `(${join(part)})`);
const join = (group: Group): string => group.parts.map(writePart).join(` ${group.join} `);

/** The condition as FEEL; comparisons that are not complete are left out. */
export function writeCondition(group: Group): string {
  const whole = settled(group);
  return whole.parts.length === 0 ? ALWAYS : join(whole);
}
