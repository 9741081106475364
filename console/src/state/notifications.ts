import type { OrderUpdate, TradeNotification } from '@carillon/client';

export type Notification = TradeNotification;
export type SignalNotification = Extract<Notification, { event: 'new_trade_signal' }>;
export type OrderNotification = Extract<Notification, { event: 'order_update' }>;
export type AlertNotification = Extract<Notification, { event: 'system_alert' }>;
export type OrderStatus = OrderUpdate['status'];

const TERMINAL: ReadonlySet<OrderStatus> = new Set<OrderStatus>(['FILLED', 'CANCELED', 'REJECTED', 'EXPIRED']);

export const isTerminal = (status: OrderStatus): boolean => TERMINAL.has(status);
