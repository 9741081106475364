import type { Status } from '@carillon/client';
import type { Dictionary } from './words.ts';

/** Why the server refused, in the page's language where its word is known. */
export function refusalText(words: Dictionary, reason: NonNullable<Status['reason']>): string {
  // What is no token at all is not even sent.
  const word = reason.code === 'token' ? 'malformed_token' : /^(\w+):/.exec(reason.message)?.[1];
  const known = words.refusals[word ?? ''] ?? words.refusals[reason.code];
  return words.notice.refused(known ?? words.unknownRefusal(reason.message));
}
