import type { TradeNotification } from './types.js';

const NOTIFICATIONS_MAX = 10_000;
const CHARACTERS_MAX = 16 * 1024 * 1024;

/** What one iterator has not taken yet. */
export class Stream {
  #held: TradeNotification[] = [];
  #characters = 0;
  #error?: Error;
  #isEnded = false;
  #wake = () => {};

  push(notification: TradeNotification): void {
    if (this.#isEnded) return; // it would follow a hole
    this.#characters += notification.raw.length;
    if (this.#held.length < NOTIFICATIONS_MAX && this.#characters <= CHARACTERS_MAX) this.#held.push(notification);
    else this.end(new RangeError('too late'));
    this.#wake();
  }

  /** What is held can still be taken; then it throws the error, if there is one. */
  end(error?: Error): void {
    this.#error ??= error;
    this.#isEnded = true;
    this.#wake();
  }

  /** `left`: nobody takes any more. */
  async *take(left: () => void): AsyncGenerator<TradeNotification, undefined> {
    try {
      for (;;) {
        for (let next; (next = this.#held.shift());) {
          this.#characters -= next.raw.length;
          yield next;
        }
        if (this.#error) throw this.#error;
        if (this.#isEnded) return;
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      left();
    }
  }
}
