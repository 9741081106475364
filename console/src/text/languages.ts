import { en, type Dictionary } from './en.ts';
import { zh } from './zh.ts';

export type { Dictionary };
export type Language = 'en' | 'zh';

export const dictionaries: Record<Language, Dictionary> = { en, zh };

/** What `<html lang>` says. */
export const languageTags: Record<Language, string> = { en: 'en', zh: 'zh-CN' };

export const isLanguage = (word: string | null): word is Language => word === 'en' || word === 'zh';

/** The browser's preference, where it is one of ours. */
export const preferredLanguage = (): Language => (/^zh\b/i.test(navigator.language) ? 'zh' : 'en');
