/** What `GET /v1/stats` answers (contract/schemas/stats.schema.json). Counts are since the node started. */
export interface Stats {
  readonly version: string;
  readonly at: string;
  readonly uptime_seconds: number;
  readonly ready: boolean;
  readonly obstacle?: string;
  readonly connections: number;
  readonly sessions: number;
  readonly sessions_behind: number;
  readonly notifications_sent: number;
  readonly slow_clients: number;
  readonly log: {
    readonly kind: string;
    readonly connected: boolean;
    readonly writable: boolean;
    readonly lag_milliseconds: number;
  };
  readonly events: Readonly<Record<EventName, EventStats>>;
  readonly withheld: Counts;
  readonly dead_letters: Counts;
  readonly resumes: Counts;
  readonly auth_failed: Counts;
  readonly invalid_messages: Counts;
  readonly http_responses: Counts;
  readonly rest_calls: Counts;
  readonly sessions_closed: Counts;
}

export type Counts = Readonly<Record<string, number>>;

export const EVENT_NAMES = ['new_trade_signal', 'order_update', 'system_alert'] as const;
export type EventName = (typeof EVENT_NAMES)[number];

export const STAGE_NAMES = ['event_to_accepted', 'accepted_to_written', 'written_to_receipt'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

export interface EventStats extends Readonly<Record<StageName, Stage>> {
  readonly published: number;
  readonly late: number;
}

export interface Stage {
  readonly count: number;
  readonly beyond_limit: number;
  readonly limit_seconds: number;
  readonly buckets: readonly Bucket[];
}

export interface Bucket {
  /** The bucket's upper bound; null: any longer. */
  readonly le_seconds: number | null;
  /** Of this bucket alone. */
  readonly count: number;
}

/** A bound that so many were within, or, where no bucket bounds it, one that they were beyond. */
export interface Percentile {
  readonly seconds: number;
  readonly isBeyond: boolean;
}

/** `fraction` is over 0 and at most 1. Nothing: none was measured. */
export function percentile(buckets: readonly Bucket[], fraction: number): Percentile | undefined {
  const count = buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  if (count === 0) return undefined;
  const rank = Math.ceil(count * fraction);
  let passed = 0;
  let bound = 0;
  for (const bucket of buckets) {
    passed += bucket.count;
    bound = bucket.le_seconds ?? bound;
    if (passed >= rank) return { seconds: bound, isBeyond: bucket.le_seconds === null };
  }
  return undefined;
}

/** What was measured between two looks at the same node. */
export function stageBetween(earlier: Stage, later: Stage): Stage {
  return {
    count: later.count - earlier.count,
    beyond_limit: later.beyond_limit - earlier.beyond_limit,
    limit_seconds: later.limit_seconds,
    buckets: later.buckets.map(({ le_seconds, count }, i) => ({
      le_seconds,
      count: count - (earlier.buckets[i]?.count ?? 0),
    })),
  };
}

export const total = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);
