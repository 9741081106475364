import { isLanguage, preferredLanguage, type Language } from './text/languages.ts';

export type Theme = 'auto' | 'light' | 'dark';

const isTheme = (word: string | null): word is Theme => word === 'auto' || word === 'light' || word === 'dark';

/** Kept in the browser, for all tabs and sign-ins; the token is not here. */
export const preferences = {
  language: (): Language => {
    const word = localStorage.getItem('carillon.language');
    return isLanguage(word) ? word : preferredLanguage();
  },
  setLanguage: (language: Language): void => localStorage.setItem('carillon.language', language),
  theme: (): Theme => {
    const word = localStorage.getItem('carillon.theme');
    return isTheme(word) ? word : 'auto';
  },
  setTheme: (theme: Theme): void => localStorage.setItem('carillon.theme', theme),
};
