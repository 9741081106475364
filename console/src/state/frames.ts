/**
 * Tells its listeners of changes, at most once per animation frame however many there were. A page that is not shown has
 * no frames: it hears of everything at once when it is shown again.
 */
export class Frames {
  readonly #listeners = new Set<() => void>();
  #isAsked = false;

  constructor(private readonly nextFrame: (tell: () => void) => void = (tell) => requestAnimationFrame(tell)) {}

  changed(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.nextFrame(() => {
      this.#isAsked = false;
      for (const listener of this.#listeners) listener();
    });
  }

  /** Returns what ends it. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
