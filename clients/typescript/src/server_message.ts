import { parseExact } from './exact_json.js';
import type { Gap, Position, TradeNotification } from './types.js';

const CHARACTERS_MAX = 1024 * 1024;
const SILENCE_MAX = 3_600_000;
const EVENTS = ['new_trade_signal', 'order_update', 'system_alert'];

/** A message of the server, as far as a client acts on it. Times in ms. */
export type ServerMessage =
  | {
      kind: 'auth_ok';
      userId: string;
      grants: string[];
      expiresAt: number;
      /** How long the token lives from now on, by the server's clock. */
      life: number;
      /** How long nothing may be heard. */
      silenceMax: number;
      resume?: { isComplete: boolean; reason: Gap['reason'] };
    }
  /** Without `notification`: of a kind that this version does not know. */
  | { kind: 'notification'; id: Position; notification?: TradeNotification }
  | { kind: 'live'; position: Position; replayed: number }
  | { kind: 'ping'; position: Position; delivered: number }
  | { kind: 'auth_expiring' }
  | { kind: 'shutting_down'; retryAfter: number }
  | { kind: 'error'; event: string; text: string; retryAfter: number }
  | { kind: 'unknown' };

type Members = Record<string, unknown>;

function check(isRight: boolean, what: string): asserts isRight {
  if (!isRight) throw new TypeError(`the server sent a wrong ${what}`);
}

function object(value: unknown, what: string): Members {
  check(typeof value === 'object' && value !== null && !Array.isArray(value), what);
  return value as Members;
}

function position(value: unknown): Position {
  check(typeof value === 'string' && /^[\w.~-]{1,512}$/.test(value), 'position');
  return value;
}

function count(value: unknown, least = 0): number {
  check(typeof value === 'number' && value >= least, 'number');
  return value;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function readAuthOk(timestamp: unknown, payload: Members): ServerMessage {
  const { user_id, grants, expires_at, heartbeat_interval_ms, heartbeat_timeout_ms } = payload;
  const expiresAt = Date.parse(text(expires_at));
  const resume = payload.resume === undefined ? undefined : object(payload.resume, 'resume');
  check(!resume || typeof resume.complete === 'boolean', 'resume');
  return {
    kind: 'auth_ok',
    userId: text(user_id),
    grants: Array.isArray(grants) ? grants.map(String) : [],
    expiresAt,
    life: expiresAt - Date.parse(text(timestamp)),
    silenceMax: Math.min(count(heartbeat_interval_ms, 1) + count(heartbeat_timeout_ms, 1), SILENCE_MAX),
    resume: resume && {
      isComplete: resume.complete as boolean,
      reason: (text(resume.reason) || 'unknown') as Gap['reason'],
    },
  };
}

function readNotification(message: Members, raw: string): ServerMessage {
  const id = position(message.id);
  const event = message.event as TradeNotification['event'];
  if (!EVENTS.includes(event)) return { kind: 'notification', id };
  const notification = {
    event,
    timestamp: text(message.timestamp),
    id,
    payload: (parseExact(raw) as { payload: never }).payload,
    replayed: message.replayed === true,
    snapshot: message.snapshot === true,
    late: message.late === true,
    raw,
  };
  return { kind: 'notification', id, notification };
}

/** Throws an Error that says what is wrong with it. What a later version of the protocol may add is `unknown`. */
export function readServerMessage(data: unknown): ServerMessage {
  check(typeof data === 'string' && data.length <= CHARACTERS_MAX, 'frame');
  const message = object(JSON.parse(data), 'message');
  const { type, event, timestamp } = message;
  check(typeof type === 'string' && typeof event === 'string', 'type');
  const payload = object(message.payload, 'payload');
  if (type === 'notification') return readNotification(message, data);
  if (type === 'error') {
    const retryAfter = Number(payload.retry_after_ms) || 0;
    return { kind: 'error', event, text: `${text(payload.code)}: ${text(payload.message)}`, retryAfter };
  }
  switch (`${type} ${event}`) {
    case 'ack auth_ok':
      return readAuthOk(timestamp, payload);
    case 'ack live':
      return { kind: 'live', position: position(payload.position), replayed: count(payload.replayed) };
    case 'heartbeat ping':
      return { kind: 'ping', position: position(payload.position), delivered: count(payload.delivered) };
    case 'ack auth_expiring':
      return { kind: 'auth_expiring' };
    case 'ack shutting_down':
      return { kind: 'shutting_down', retryAfter: count(payload.retry_after_ms) };
  }
  return { kind: 'unknown' };
}
