import type { MessageFormatElement, TYPE } from '@formatjs/icu-messageformat-parser';
import type { Catalogue } from './index';

const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ACCENTED = 'áƀçðéƒĝĥîĵķļɱñóþǫŕšţûṽŵẋýžÁƁÇÐÉƑĜĤÎĴĶĻṀÑÓÞǪŔŠŢÛṼŴẊÝŽ';

type Words = Extract<MessageFormatElement, { type: TYPE.literal }>;
// The parser's own list of kinds would come with the parser.
const LITERAL = 0 as TYPE.literal;
const isWords = (part: MessageFormatElement): part is Words => part.type === LITERAL;

const accented = (text: string) => [...text].map((letter) => ACCENTED[PLAIN.indexOf(letter)] ?? letter).join('');

/** Right to left whatever its letters are, as Arabic and Hebrew text is. */
const mirrored = (text: string) => (/\S/.test(text) ? `\u202e${text}\u202c` : text);

function lettersOf(parts: MessageFormatElement[]): number {
  return parts.reduce((sum, part) => {
    if (isWords(part)) return sum + part.value.length;
    const longest = 'options' in part ? Math.max(0, ...Object.values(part.options).map((option) => lettersOf(option.value))) : 0;
    return sum + longest + ('children' in part ? lettersOf(part.children) : 0);
  }, 0);
}

function changed(parts: MessageFormatElement[], change: (text: string) => string): MessageFormatElement[] {
  return parts.map((part) => {
    if (isWords(part)) return { ...part, value: change(part.value) };
    const copy = { ...part };
    if ('options' in copy) {
      copy.options = Object.fromEntries(
        Object.entries(copy.options).map(([form, option]) => [form, { ...option, value: changed(option.value, change) }]),
      );
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
