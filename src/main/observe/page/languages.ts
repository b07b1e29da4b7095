/** The languages of the page, and who gets which. Pure. */
import { ENGLISH } from './words-en.js';
import { ITALIAN } from './words-it.js';
import type { Language, Words } from './words.js';

export const WORDS: Readonly<Record<Language, Words>> = { en: ENGLISH, it: ITALIAN };

/** By `Accept-Language` (RFC 9110, 12.5.4): the one of the two that is liked more; English if neither. */
export function languageOf(accepted: string | undefined): Language {
  const quality = (language: Language): number =>
    Math.max(
      0,
      ...(accepted ?? '').split(',', 20).map((part) => {
        const [range = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
        if (range !== language && !range.startsWith(`${language}-`)) return 0;
        const q = parameters.find((text) => text.startsWith('q='));
        const value = q === undefined ? 1 : Number(q.slice(2));
        return value >= 0 && value <= 1 ? value : 0;
      }),
    );
  return quality('it') > quality('en') ? 'it' : 'en';
}
