import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import type { Catalogue } from './index';

const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ACCENTED = 'áƀçðéƒĝĥîĵķļɱñóþǫŕšţûṽŵẋýžÁƁÇÐÉƑĜĤÎĴĶĻṀÑÓÞǪŔŠŢÛṼŴẊÝŽ';

/** Kinds of the parser's elements that hold text or other elements. */
const LITERAL = 0;

const accented = (text: string) => [...text].map((letter) => ACCENTED[PLAIN.indexOf(letter)] ?? letter).join('');

/** Right to left whatever its letters are, as Arabic and Hebrew text is. */
const mirrored = (text: string) => (/\S/.test(text) ? `\u202e${text}\u202c` : text);

function lettersOf(parts: MessageFormatElement[]): number {
  return parts.reduce((sum, part) => {
    if (part.type === LITERAL) return sum + part.value.length;
    const longest = 'options' in part ? Math.max(0, ...Object.values(part.options).map((option) => lettersOf(option.value))) : 0;
    return sum + longest + ('children' in part ? lettersOf(part.children) : 0);
  }, 0);
}

function changed(parts: MessageFormatElement[], change: (text: string) => string): MessageFormatElement[] {
  return parts.map((part) => {
    if (part.type === LITERAL) return { ...part, value: change(part.value) };
    const copy = { ...part } as MessageFormatElement;
    if ('options' in copy) {
      copy.options = Object.fromEntries(
        Object.entries(copy.options).map(([form, option]) => [form, { ...option, value: changed(option.value, change) }]),
      ) as typeof copy.options;
    }
    if ('children' in copy) copy.children = changed(copy.children, change);
    return copy;
  });
}

const literal = (value: string): MessageFormatElement => ({ type: LITERAL, value });

/** English as a language nobody speaks: what is not in a catalogue, or is cut off, stands out. */
export function pseudo(english: Catalogue, rightToLeft: boolean): Catalogue {
  return Object.fromEntries(
    Object.entries(english).map(([id, parts]) => {
      if (rightToLeft) return [id, changed(parts, mirrored)];
      const more = 'ẽ'.repeat(Math.ceil(lettersOf(parts) * 0.4));
      return [id, [literal('['), ...changed(parts, accented), literal(`${more}]`)]];
    }),
  );
}
