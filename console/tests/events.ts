import type {
  AlertNotification,
  OrderNotification,
  OrderStatus,
  SignalNotification,
} from '../src/state/notifications.ts';

const marks = { timestamp: '2026-11-22T12:00:00.000Z', replayed: false, snapshot: false, late: false, raw: '{}' };

export const order = (id: string, status: OrderStatus, filled = '0'): OrderNotification => ({
  ...marks,
  event: 'order_update',
  id: `j1.${id}-${status}-${filled}`,
  payload: {
    order_id: id,
    instrument_id: 'BTC/USDT',
    status,
    side: 'BUY',
    type: 'LIMIT',
    quantity_total: '1.50',
    quantity_filled: filled,
  },
});

export const alert = (id: string, position = `j1.${id}`): AlertNotification => ({
  ...marks,
  event: 'system_alert',
  id: position,
  payload: { alert_id: id, level: 'ERROR', message: `alert ${id}` },
});

export const signal = (id: string): SignalNotification => ({
  ...marks,
  event: 'new_trade_signal',
  id: `j1.${id}`,
  payload: {
    signal_id: id,
    instrument_id: 'BTC/USDT',
    direction: 'BUY',
    entry_price: '64000.10',
    stop_loss: '63000',
    take_profit: ['65000.00'],
    source_agent_id: 'AnalystAgent-001',
  },
});
