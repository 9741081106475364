import type { AlertNotification, Notification, SignalNotification } from './notifications.ts';
import { Orders } from './orders.ts';
import { RecentRows } from './recent.ts';

const ROWS_MAX = 500;

/** Some of what was published may never be shown here (protocol 6.1). */
export interface SeenGap {
  readonly reason: string;
  /** When it was noticed, in milliseconds. */
  readonly at: number;
}

/** What the three panes show, as far as the notifications of one sign-in tell. Bounded, whatever comes. */
export class Board {
  readonly signals = new RecentRows<SignalNotification>(ROWS_MAX);
  readonly orders = new Orders(ROWS_MAX);
  readonly alerts = new RecentRows<AlertNotification>(ROWS_MAX);
  /** The latest one that nobody has dismissed. */
  gap: SeenGap | undefined;

  take(notification: Notification): void {
    switch (notification.event) {
      case 'new_trade_signal':
        return this.signals.add(notification);
      case 'order_update':
        return this.orders.update(notification);
      case 'system_alert':
        return this.alerts.add(notification);
    }
  }

  /** What stands when a connection begins, and again after a gap. */
  takeSnapshot(standing: readonly Notification[]): void {
    this.orders.replaceOpen(standing.filter((each) => each.event === 'order_update'));
    for (const each of standing) if (each.event === 'system_alert' && !this.#isShown(each)) this.alerts.add(each);
  }

  // After a gap the last hour's alerts come again, at another node perhaps with other positions.
  #isShown({ timestamp, payload }: AlertNotification): boolean {
    return this.alerts.some((row) => row.timestamp === timestamp && row.payload.alert_id === payload.alert_id);
  }
}
