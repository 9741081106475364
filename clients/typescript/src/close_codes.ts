/**
 * What a client does after a close (protocol 7).
 * - `back_off`: tries again, the longer it failed the later
 * - `retry_after`: tries again when the server said; where it did not, as `back_off`
 * - `resume_now`: tries again immediately; the second time in a row, as `back_off`
 * - `new_token`, `new_token_and_resume_now`: asks for a token, and then as `resume_now`
 * - `refused`: tries nothing until the caller says so
 */
export type Advice = 'back_off' | 'retry_after' | 'resume_now' | 'new_token' | 'new_token_and_resume_now' | 'refused';

const advice: Record<number, Advice> = {
  1002: 'refused',
  1003: 'refused',
  1007: 'refused',
  1008: 'refused',
  1009: 'refused',
  1012: 'retry_after',
  4400: 'refused',
  4401: 'new_token',
  4403: 'refused',
  4411: 'resume_now',
  4419: 'new_token_and_resume_now',
  4423: 'refused',
  4429: 'retry_after',
};

/** Every other code, one without a meaning and the 1006 of a lost connection too, is one to back off after. */
export const adviceFor = (code: number): Advice => advice[code] ?? 'back_off';
