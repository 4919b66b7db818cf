// All that the page says, in the language that was chosen.

import { settings } from '../lib/settings.svelte';
import { en, type Texts } from './en';
import { zh } from './zh';

/** To be called where the text is shown, so that it follows the switch. */
export const t = (): Texts => (settings.language === 'zh' ? zh : en);

/** What is said of a word that a table may lack, e.g. one of a later engine: the word itself. */
export const wordIn = (table: Record<string, string>, word: string): string => table[word] ?? word;
