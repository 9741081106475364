import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { en, type Dictionary } from '../text/en.ts';

export type { Dictionary };

export const Words = createContext<Dictionary>(en);

/** The dictionary of the language that the page is in. */
export const useWords = (): Dictionary => useContext(Words);

/** The word for a protocol's word, or that itself: a newer server may have others. */
export const wordFor = (words: Readonly<Record<string, string>>, word: string): string => words[word] ?? word;
