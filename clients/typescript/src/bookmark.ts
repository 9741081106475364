import type { Position, StorageLike } from './types.js';

const SEPARATOR = ' ';

/** A position kept in a storage, with whose it is: another user's is not resumed from. */
export class Bookmark {
  #storage: StorageLike;
  #key: string;

  constructor(storage: StorageLike, key: string) {
    this.#storage = storage;
    this.#key = key;
  }

  /** Throws what the storage throws. */
  read(user: string): Position | undefined {
    const kept = this.#storage.getItem(this.#key) ?? '';
    const at = kept.lastIndexOf(SEPARATOR);
    return kept.slice(0, at) === user && at >= 0 ? kept.slice(at + 1) : undefined;
  }

  /** Throws what the storage throws, as where it is full. */
  write(user: string, position: Position): void {
    this.#storage.setItem(this.#key, user + SEPARATOR + position);
  }
}
