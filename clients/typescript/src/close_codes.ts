/**
 * What a client does after a close (protocol 7).
 * - `back-off`: tries again, the longer it failed the later
 * - `at-once`: resumes immediately
 * - `new-token`: asks for a token, then as `at-once`
 * - `wait`: for as long as the server said
 * - `stop`: nothing, until the caller says so
 */
export type Advice = 'back-off' | 'at-once' | 'new-token' | 'wait' | 'stop';

export const closeCodes: Readonly<Record<number, Advice>> = {
  1000: 'back-off',
  1001: 'back-off',
  1002: 'stop',
  1003: 'stop',
  1007: 'stop',
  1008: 'stop',
  1009: 'stop',
  1011: 'back-off',
  1012: 'wait',
  1013: 'back-off',
  4400: 'stop',
  4401: 'new-token',
  4403: 'stop',
  4408: 'back-off',
  4411: 'at-once',
  4419: 'new-token',
  4420: 'at-once',
  4423: 'stop',
  4429: 'wait',
};

/** A code that the protocol does not know, as the 1006 of a lost connection, is a connection to try again. */
export const adviceFor = (code: number): Advice => closeCodes[code] ?? 'back-off';
