// The contract's files, as data.

import { readFileSync } from 'node:fs';

export const contractFile = (name: string) => new URL(`../../../contract/${name}`, import.meta.url);

export function contract<T>(name: string): T {
  return JSON.parse(readFileSync(contractFile(name), 'utf8')) as T;
}
