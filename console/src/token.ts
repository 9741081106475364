const KEY = 'carillon.token';

/**
 * The token of `#token=...`, once: it leaves the address bar and the history's entry before this returns. Blank and
 * percent-encoded characters around it are taken off.
 */
export function takeTokenFromFragment(): string | undefined {
  const found = /^#token=(.*)$/s.exec(location.hash);
  if (!found) return undefined;
  history.replaceState(null, '', location.pathname + location.search);
  return tokenOf(decoded(found[1]!));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** What was pasted, without the blanks that come along; nothing when that is all. */
export const tokenOf = (pasted: string): string | undefined => pasted.replace(/\s+/g, '') || undefined;

/** Kept for this tab, over reloads, until it is forgotten. Nowhere else. */
export const keptToken = {
  get: (): string | undefined => sessionStorage.getItem(KEY) ?? undefined,
  set: (token: string): void => sessionStorage.setItem(KEY, token),
  forget: (): void => sessionStorage.removeItem(KEY),
};
