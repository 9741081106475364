import { StatsHistory } from './history.ts';
import type { DeadLetter, ReplayOutcome, Rest } from './rest.ts';
import { total } from './stats.ts';

/** From an answer to the next question, in milliseconds. */
const LOOK_EVERY = 2000;
/** Dead letters are also removed by others, which no count tells. */
const LETTERS_EVERY = 30_000;

/** What came of the last wish of the operator. */
export type Outcome =
  | { readonly kind: 'replaying' }
  | ({ readonly kind: 'replayed' } & ReplayOutcome)
  | { readonly kind: 'failed'; readonly why: string };

/** Looks at a node again and again while somebody looks at the page. `changed` is called after each answer. */
export class Watch {
  readonly history = new StatsHistory();
  letters: readonly DeadLetter[] | undefined;
  /** Why the last look failed; nothing when it did not. */
  failure: string | undefined;
  outcome: Outcome | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Counts the starts and stops: what an earlier one asked for no longer goes on. */
  #turn = 0;
  #isOn = false;
  #lettersAt = 0;
  #lettersCount = -1;

  constructor(
    private readonly rest: Rest,
    private readonly changed: () => void,
  ) {}

  /** Begins, or does nothing where it has. */
  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    void this.#look(++this.#turn);
  }

  stop(): void {
    this.#isOn = false;
    this.#turn += 1;
    clearTimeout(this.#timer);
  }

  async refreshLetters(): Promise<void> {
    try {
      this.letters = await this.rest.deadLetters();
      this.#lettersAt = Date.now();
    } catch (error) {
      this.outcome = { kind: 'failed', why: textOf(error) };
    }
    this.changed();
  }

  /** Checks these records again and publishes what is valid now. One wish at a time. */
  async replay(positions: readonly string[]): Promise<void> {
    if (this.outcome?.kind === 'replaying') return;
    this.outcome = { kind: 'replaying' };
    this.changed();
    try {
      this.outcome = { kind: 'replayed', ...(await this.rest.replay(positions)) };
    } catch (error) {
      this.outcome = { kind: 'failed', why: textOf(error) };
    }
    await this.refreshLetters();
  }

  async #look(turn: number): Promise<void> {
    try {
      const stats = await this.rest.stats();
      this.history.add(stats);
      this.failure = undefined;
      await this.#lookAtLetters(total(stats.dead_letters));
    } catch (error) {
      this.failure = textOf(error);
    }
    this.changed();
    if (turn === this.#turn) this.#timer = setTimeout(() => void this.#look(turn), LOOK_EVERY);
  }

  async #lookAtLetters(count: number): Promise<void> {
    if (count === this.#lettersCount && Date.now() - this.#lettersAt < LETTERS_EVERY) return;
    this.#lettersCount = count;
    this.letters = await this.rest.deadLetters();
    this.#lettersAt = Date.now();
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
