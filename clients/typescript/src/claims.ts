/** The claims of a JWT, neither verified nor decoded from UTF-8: they only tell apart whose it is. {}: it has none. */
export function claimsOf(token: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(atob(token.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))));
  } catch {
    return {};
  }
}
