import { parseExact } from './exact_json.js';
import type { Gap, Position, TradeNotification } from './types.js';

const CHARACTERS_MAX = 1024 * 1024;
const TRADE_EVENTS = ['new_trade_signal', 'order_update', 'system_alert'];

export interface AuthOk {
  user_id: string;
  grants: string[];
  expires_at: string;
  heartbeat_interval_ms: number;
  heartbeat_timeout_ms: number;
  resume?: { complete: boolean; reason?: Gap['reason'] };
}

/** A message of the server, by its event, with the members that a client acts on. */
export type ServerMessage =
  | { kind: 'auth_ok'; timestamp: string; payload: AuthOk }
  /** Without `notification`: of a kind that this version does not know. */
  | { kind: 'notification'; id: Position; notification?: TradeNotification }
  | { kind: 'live'; payload: { position: Position; replayed: number } }
  | { kind: 'ping'; payload: { position: Position; delivered: number } }
  | { kind: 'auth_expiring' }
  | { kind: 'shutting_down'; payload: { retry_after_ms: number } }
  | { kind: 'error'; event: string; payload: { code?: string; message?: string; retry_after_ms?: number } };

type Check = (value: any) => unknown;

const isObject: Check = (value) => value && typeof value === 'object' && !Array.isArray(value);
const isText: Check = (value) => typeof value === 'string';
const isPosition: Check = (value) => isText(value) && /^[\w.~-]{1,512}$/.test(value);
const isCount: Check = (value) => typeof value === 'number' && value >= 0;
const isDuration: Check = (value) => isCount(value) && value > 0;
const isAnswer: Check = (value) => value === undefined || (isObject(value) && typeof value.complete === 'boolean');

/** What the payload of a message must have. */
const NEEDS: Record<string, Record<string, Check>> = {
  auth_ok: {
    user_id: isText,
    grants: Array.isArray,
    heartbeat_interval_ms: isDuration,
    heartbeat_timeout_ms: isDuration,
    resume: isAnswer,
  },
  live: { position: isPosition, replayed: isCount },
  ping: { position: isPosition, delivered: isCount },
  shutting_down: { retry_after_ms: isCount },
  auth_expiring: {},
};

/** Throws an Error that says it. */
export function check(isRight: unknown, what: string): asserts isRight {
  if (!isRight) throw new TypeError(`the server sent a wrong ${what}`);
}

/**
 * Throws an Error that says what is wrong with it. undefined: what this version does not know, which is to be ignored
 * (protocol 3.2).
 */
export function readServerMessage(raw: unknown): ServerMessage | undefined {
  check(typeof raw === 'string' && raw.length <= CHARACTERS_MAX, 'frame');
  const message = JSON.parse(raw);
  check(isObject(message) && isObject(message.payload), 'message');
  const { type, event, payload, id, timestamp, replayed, snapshot, late } = message;
  check(isText(type) && isText(event), 'type');
  if (type === 'notification') {
    check(isPosition(id), 'id');
    if (!TRADE_EVENTS.includes(event)) return { kind: type, id };
    const { payload } = parseExact(raw) as TradeNotification;
    const notification = {
      event,
      timestamp: timestamp ?? '',
      id,
      payload,
      replayed: !!replayed,
      snapshot: !!snapshot,
      late: !!late,
      raw,
    };
    return { kind: type, id, notification: notification as TradeNotification };
  }
  if (type === 'error') return { kind: type, event, payload };
  const needs = NEEDS[event];
  if (!needs || type !== (event === 'ping' ? 'heartbeat' : 'ack')) return undefined;
  for (const name in needs) check(needs[name]!(payload[name]), name);
  return { ...message, kind: event };
}
