import { isTerminal, type OrderNotification } from './notifications.ts';

export interface OrderRow {
  readonly id: string;
  readonly latest: OrderNotification;
  /** How many updates were seen, the latest included. */
  readonly updates: number;
  /** When the latest came, in milliseconds; 0: it is part of a state that was fetched. */
  readonly at: number;
  /** It ended while nobody looked: it was open, and the state that came after a gap does not have it. */
  readonly hasEndedUnseen: boolean;
}

const isOpen = (row: OrderRow): boolean => !row.hasEndedUnseen && !isTerminal(row.latest.payload.status);

/**
 * Orders by id, newest first by when each was first seen: an update changes its row and moves none. At most `rowsMax` are
 * held; for a new one the oldest that has ended leaves, or the oldest.
 */
export class Orders {
  /** Oldest first: a Map keeps the order of first insertion. */
  readonly #rows = new Map<string, OrderRow>();
  #newestFirst: OrderRow[] | undefined;
  #added = 0;

  constructor(readonly rowsMax: number) {}

  update(latest: OrderNotification, at = Date.now()): void {
    const id = latest.payload.order_id;
    const before = this.#rows.get(id);
    if (!before) {
      this.#added += 1;
      if (this.#rows.size === this.rowsMax) this.#rows.delete(this.#leaving());
    }
    this.#rows.set(id, { id, latest, updates: (before?.updates ?? 0) + 1, at, hasEndedUnseen: false });
    this.#newestFirst = undefined;
  }

  /** These and no others are open: an order that was, and is not among them, has ended unseen. */
  replaceOpen(open: readonly OrderNotification[]): void {
    const ids = new Set(open.map((order) => order.payload.order_id));
    for (const [id, row] of this.#rows)
      if (isOpen(row) && !ids.has(id)) this.#rows.set(id, { ...row, hasEndedUnseen: true });
    this.#newestFirst = undefined;
    for (const order of open) this.update(order, 0);
  }

  get length(): number {
    return this.#rows.size;
  }

  get added(): number {
    return this.#added;
  }

  get departed(): number {
    return this.#added - this.#rows.size;
  }

  at(index: number): OrderRow | undefined {
    this.#newestFirst ??= [...this.#rows.values()].reverse();
    return this.#newestFirst[index];
  }

  #leaving(): string {
    let oldest: string | undefined;
    for (const [id, row] of this.#rows) {
      if (!isOpen(row)) return id;
      oldest ??= id;
    }
    return oldest ?? '';
  }
}
