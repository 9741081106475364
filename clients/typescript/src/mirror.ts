import type { Position, TradeNotification } from './types.js';

const RECENT_MAX = 1_000;
const STANDING_MAX = 20_000;
const ALERT_AGE_MAX = 3_600_000;
const SWEEP_INTERVAL = 60_000;
const TERMINAL = /^(FILLED|CANCELED|REJECTED|EXPIRED)$/;

/** What a shared connection has brought, for tabs that join: the recent past, and what stands (protocol 6.3). */
export class Mirror {
  /** The latest update of each open order and the last hour's serious alerts, in the log's order. */
  #standing?: Map<string, TradeNotification>;
  /** Places passed, with what came there if anything did. */
  #recent: { position: Position; notification?: TradeNotification }[] = [];
  #sweptAt = 0;

  /** `now` in ms since 1970. */
  take(notification: TradeNotification, now: number): void {
    this.#pass(notification.id, notification);
    if (!this.#standing) return;
    // Nothing else removes an alert.
    if (now - this.#sweptAt > SWEEP_INTERVAL) {
      this.#sweptAt = now;
      this.stand(this.standing(now)!);
    }
    this.#stand(notification);
  }

  pass(position: Position): void {
    if (this.#recent.at(-1)?.position !== position) this.#pass(position);
  }

  /** Begins here: what was before is no way to get here. */
  begin(notifications: readonly TradeNotification[]): void {
    this.#recent = [];
    this.stand(notifications);
  }

  /** All that stands is this. */
  stand(notifications: readonly TradeNotification[]): void {
    this.#standing = new Map();
    for (const each of notifications) this.#stand(each);
  }

  /** What came after one of these places; undefined: none of them is known. */
  since(places: readonly Position[]): TradeNotification[] | undefined {
    // The first time: after a fault a place is passed again, and of what lies between, the one who asks knows its part.
    const at = this.#recent.findIndex(({ position }) => places.includes(position));
    return at < 0 ? undefined : this.#recent.slice(at + 1).flatMap(({ notification }) => notification ?? []);
  }

  /** What stands; undefined: not all of it is known. */
  standing(now: number): TradeNotification[] | undefined {
    return this.#standing && [...this.#standing.values()].filter((each) => isOpen(each, now));
  }

  #pass(position: Position, notification?: TradeNotification): void {
    this.#recent.push({ position, notification });
    if (this.#recent.length > 2 * RECENT_MAX) this.#recent.splice(0, RECENT_MAX);
  }

  #stand(notification: TradeNotification): void {
    if (notification.event === 'new_trade_signal') return;
    const key = notification.event === 'order_update' ? `order ${notification.payload.order_id}` : notification.id;
    const standing = this.#standing!;
    standing.delete(key);
    if (isOpen(notification, 0)) standing.set(key, notification);
    // Too many to keep: who joins connects for itself.
    if (standing.size > STANDING_MAX) this.#standing = undefined;
  }
}

function isOpen({ event, payload, timestamp }: TradeNotification, now: number): boolean {
  if (event === 'order_update') return !TERMINAL.test(payload.status);
  return (
    event === 'system_alert' && /ERROR|CRITICAL/.test(payload.level) && Date.parse(timestamp) > now - ALERT_AGE_MAX
  );
}
