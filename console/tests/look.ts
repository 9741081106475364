import { EVENT_NAMES, type EventName, type EventStats, type Stage, type Stats } from '../src/operations/stats.ts';

const BOUNDS = [0.001, 0.01, 2, null];

export const stage = (...counts: number[]): Stage => ({
  count: counts.reduce((sum, count) => sum + count, 0),
  beyond_limit: counts.at(-1) ?? 0,
  limit_seconds: 2,
  buckets: BOUNDS.map((le_seconds, index) => ({ le_seconds, count: counts[index] ?? 0 })),
});

const START = Date.parse('2026-11-22T12:00:00.000Z');

/** A look at a node that started at `start` seconds, `at` seconds later than noon, with so many signals by then. */
export function look(at: number, published: number, start = 0): Stats {
  const event = (count: number): EventStats => ({
    published: count,
    late: 0,
    event_to_accepted: stage(count),
    accepted_to_written: stage(0, count),
    written_to_receipt: stage(),
  });
  const events = Object.fromEntries(
    EVENT_NAMES.map((name) => [name, event(name === 'new_trade_signal' ? published : 0)]),
  ) as Record<EventName, EventStats>;
  return {
    version: '0.1.0',
    at: new Date(START + at * 1000).toISOString(),
    uptime_seconds: Math.floor(at - start),
    ready: true,
    connections: 0,
    sessions: 0,
    sessions_behind: 0,
    notifications_sent: 10 * published,
    slow_clients: 0,
    log: { kind: 'journal', connected: true, writable: true, lag_milliseconds: 0 },
    events,
    withheld: {},
    dead_letters: {},
    resumes: {},
    auth_failed: {},
    invalid_messages: {},
    http_responses: {},
    rest_calls: {},
    sessions_closed: {},
  };
}
