import type { Position } from './types.js';

const REMEMBERED_MAX = 8192;

/** What was handed over: how far, and the latest of it by id, so that nothing is handed over twice. */
export class Ledger {
  /** Everything up to here was handed over. */
  position?: Position;
  /** The server said of this place that everything up to it had been sent, and it had come. */
  proven?: Position;
  /** The last notification since the last snapshot. */
  last?: Position;
  #ids = new Set<Position>();
  #unproven = 0;

  /** False: it was handed over before. */
  take(id: Position): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    this.#unproven++;
    this.position = this.last = id;
    if (this.#ids.size > REMEMBERED_MAX) this.#forgetOldest();
    return true;
  }

  /** Everything up to here has come; of what was taken since an earlier proof, when that is named again, not all has. */
  prove(position: Position): void {
    if (position !== this.proven) this.#unproven = 0;
    this.position = this.proven = position;
  }

  // To resume from before a forgotten id would hand it over again.
  #forgetOldest(): void {
    const [oldest] = this.#ids;
    this.#ids.delete(oldest!);
    if (this.#unproven <= REMEMBERED_MAX) return;
    this.proven = oldest!;
    this.#unproven--;
  }
}
