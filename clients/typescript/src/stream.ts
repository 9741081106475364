import type { TradeNotification } from './types.js';

const NOTIFICATIONS_MAX = 10_000;
const CHARACTERS_MAX = 16 * 1024 * 1024;

type Result = IteratorResult<TradeNotification, undefined>;
const DONE: Result = { done: true, value: undefined };

/** What one iterator has not taken yet, or what waits for it. */
export class Stream implements AsyncIterableIterator<TradeNotification> {
  #held: TradeNotification[] = [];
  #characters = 0;
  #waiting: ((result: Result) => void)[] = [];
  #error?: Error;
  #isEnded = false;
  #onEnd: () => void;

  /** `onEnd`: nothing more is to be pushed. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  push(notification: TradeNotification): void {
    const waiting = this.#waiting.shift();
    if (waiting) return waiting({ done: false, value: notification });
    if (this.#held.length >= NOTIFICATIONS_MAX || this.#characters + notification.raw.length > CHARACTERS_MAX) {
      this.#error = new RangeError('Carillon: notifications were not taken in time');
      return this.end();
    }
    this.#held.push(notification);
    this.#characters += notification.raw.length;
  }

  /** What is held can still be taken. */
  end(): void {
    this.#isEnded = true;
    this.#onEnd();
    for (const resolve of this.#waiting.splice(0)) resolve(DONE);
  }

  async next(): Promise<Result> {
    const value = this.#held.shift();
    if (value) {
      this.#characters -= value.raw.length;
      return { done: false, value };
    }
    const error = this.#error;
    this.#error = undefined;
    if (error) throw error;
    if (this.#isEnded) return DONE;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async return(): Promise<Result> {
    this.#held = [];
    this.#error = undefined;
    this.end();
    return DONE;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
