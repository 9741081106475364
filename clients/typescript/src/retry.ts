const BACK_OFF_MIN = 500;
const BACK_OFF_MAX = 20_000;
/** A server that names a longer time than this has not meant it. */
const RETRY_AFTER_MAX = 300_000;
/** A connection that was live for so long was a good one: what failed before no longer counts. */
const SETTLED = 1_000;
/** The same connection is not resumed at once again within this. */
const HASTE_INTERVAL = 20_000;

/** When to try again. All times in ms. */
export class Retry {
  #failures = 0;
  #hastyAt = -Infinity;
  #wasLiveSinceHaste = true;

  /**
   * A connection was lost. `liveSince`: since when it was live, if it was. `named`: how long the server asked to wait, at
   * least, or 0. Returns when to try again, and when at the earliest if there is a reason to hurry.
   */
  lost(
    now: number,
    random: number,
    isHasty: boolean,
    named: number,
    liveSince?: number,
  ): { at: number; notBefore: number } {
    if (liveSince !== undefined) {
      this.#wasLiveSinceHaste = true;
      if (now - liveSince >= SETTLED) this.#failures = 0;
    }
    if (isHasty && this.#wasLiveSinceHaste && now - this.#hastyAt >= HASTE_INTERVAL) {
      this.#hastyAt = now;
      this.#wasLiveSinceHaste = false;
      return { at: now, notBefore: now };
    }
    const least = Math.max(Math.min(named, RETRY_AFTER_MAX), BACK_OFF_MIN);
    const most = Math.min(2 * BACK_OFF_MIN * 2 ** this.#failures++, BACK_OFF_MAX);
    return { at: now + Math.max(least, BACK_OFF_MIN + random * (most - BACK_OFF_MIN)), notBefore: now + least };
  }
}
