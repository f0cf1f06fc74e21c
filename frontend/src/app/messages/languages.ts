import type { Catalogue } from './index';

/** Languages a person may choose, each named in itself. */
export const LANGUAGES = { en: 'English', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;

/**
 * Made from English for tests, and taken only where a browser asks for them, which none of a
 * person's does: `en-XA` has accents, brackets and 40 % more length, `ar-XB` is mirrored.
 */
const MADE_UP = ['en-XA', 'ar-XB'] as const;
export type Wording = Language | (typeof MADE_UP)[number];

const isLanguage = (tag: string): tag is Language => tag in LANGUAGES;

/** The words for a reader: what they chose, else the first their browser asks for that we have. */
export function wordingOf(chosen: string | undefined, asked: readonly string[] = navigator.languages): Wording {
  for (const tag of [chosen ?? '', ...asked]) {
    const made = MADE_UP.find((one) => one === tag);
    if (made) return made;
    const language = tag.split('-')[0] ?? '';
    if (isLanguage(language)) return language;
  }
  return 'en';
}

/** The reader's own manner of writing dates and numbers: Austrian German, Canadian English. */
export function localeOf(wording: Wording, asked: readonly string[] = navigator.languages): string {
  if (!isLanguage(wording)) return wording;
  return asked.find((tag) => tag.startsWith(`${wording}-`) && !MADE_UP.some((one) => one === tag)) ?? { en: 'en-GB', de: 'de-DE' }[wording];
}

export const directionOf = (wording: Wording): 'ltr' | 'rtl' => (wording === 'ar-XB' ? 'rtl' : 'ltr');

/** The texts of every wording but English, which comes with the page. */
export async function loadWording(wording: Exclude<Wording, 'en'>, english: Catalogue): Promise<Catalogue> {
  if (wording === 'de') return (await import('./german')).german;
  const { pseudo } = await import('./pseudo');
  return pseudo(english, wording === 'ar-XB');
}
