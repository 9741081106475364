/** The latest rows of a stream, newest first. At most `rowsMax` are held; the oldest leaves for a new one. */
export class RecentRows<Row> {
  /** Oldest first. */
  readonly #rows: Row[] = [];
  #added = 0;

  constructor(readonly rowsMax: number) {}

  add(row: Row): void {
    this.#rows.push(row);
    this.#added += 1;
    if (this.#rows.length > this.rowsMax) this.#rows.shift();
  }

  get length(): number {
    return this.#rows.length;
  }

  /** How many were ever added. */
  get added(): number {
    return this.#added;
  }

  /** How many had to leave. */
  get departed(): number {
    return this.#added - this.#rows.length;
  }

  /** 0 is the newest; `undefined` beyond the oldest. */
  at(index: number): Row | undefined {
    return index < 0 ? undefined : this.#rows[this.#rows.length - 1 - index];
  }

  some(holds: (row: Row) => boolean): boolean {
    return this.#rows.some(holds);
  }
}
