/**
 * A number that a double would change. The server keeps decimals exactly as they were written;
 * reading them with `JSON.parse` alone and sending them back would alter a customer's data.
 */
export class ExactNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }

  toString(): string {
    return this.source;
  }
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const mark = () => `exact:${Math.random().toString(36).slice(2)}:`;

/** Digits without leading and trailing zeros, and the power of ten: equal for equal values. */
function valueOf(source: string): string {
  const [, sign = '', whole = '', part = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(source) ?? [];
  const digits = (whole + part).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  return `${sign}${kept}e${Number(power) - part.length + (digits.length - kept.length)}`;
}

/**
 * `JSON.parse` in which no number loses anything.
 *
 * `keep`: `value` keeps apart only what a double cannot hold (for documents that are edited);
 * `written` also keeps `1.10` and `1e3` as they stand (for data that is only shown).
 */
export function parseExact(text: string, keep: 'value' | 'written' = 'value'): unknown {
  const prefix = mark();
  let found = false;
  const marked = text.replace(STRING_OR_NUMBER, (piece) => {
    if (piece.startsWith('"')) return piece;
    const asDouble = String(Number(piece));
    if (asDouble === piece) return piece;
    if (keep === 'value' && /\d$/.test(asDouble) && valueOf(asDouble) === valueOf(piece)) return piece;
    found = true;
    return `"${prefix}${piece}"`;
  });
  if (!found) return JSON.parse(text);
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(prefix) ? new ExactNumber(value.slice(prefix.length)) : value,
  );
}

/** `JSON.stringify` that writes an `ExactNumber` as the number it was. */
export function stringifyExact(value: unknown, indent?: number): string {
  const prefix = mark();
  const text = JSON.stringify(
    value,
    (_key, part: unknown) => (part instanceof ExactNumber ? `${prefix}${part.source}` : part),
    indent,
  );
  return text.replaceAll(new RegExp(`"${prefix}([^"]*)"`, 'g'), '$1');
}
