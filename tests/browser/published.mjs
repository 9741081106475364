// Events as a trading system publishes them.

import { randomUUID } from 'node:crypto';
import { oneOfEach } from './server.mjs';

export const signal = (instrument) => {
  const [event] = oneOfEach('nobody');
  return { ...event, payload: { ...event.payload, instrument_id: instrument } };
};

export const alert = (level, message) => {
  const [, , event] = oneOfEach('nobody');
  return { ...event, payload: { ...event.payload, level, message } };
};

// The text of an update, because digits matter.
export const order = (user, id, status, filled, price) =>
  `{"id": "${randomUUID()}", "event": "order_update", "user_id": "${user}", "payload": {"order_id": "${id}",
    "instrument_id": "BTC/USDT", "status": "${status}", "side": "BUY", "type": "LIMIT", "quantity_total": 1.50,
    "quantity_filled": ${filled}${price ? `, "price_avg_filled": ${price}` : ''}}}`;
