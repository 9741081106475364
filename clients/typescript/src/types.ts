import type { NewTradeSignal, OrderUpdate, SystemAlert } from './events.js';

/** A place in the server's log. It means nothing but itself: compare for equality only (protocol 4.1). */
export type Position = string;

/**
 * - `connecting`: has never been live yet
 * - `catching-up`: the server took the token; what was missed, or the snapshot, is on its way
 * - `live`: everything is here as it happens
 * - `stale`: was live; the connection is lost or silent, and what is shown may be old
 * - `refused`: the server said no in a way that trying again does not mend; nothing is tried until `connect()`
 * - `closed`: by `close()`
 */
export type State = 'connecting' | 'catching-up' | 'live' | 'stale' | 'refused' | 'closed';

export interface Notification<E extends string, P> {
  readonly event: E;
  /** When it happened, RFC 3339 in UTC with milliseconds. */
  readonly timestamp: string;
  readonly id: Position;
  /** Numbers are strings of their digits. Unknown members are kept, their numbers as strings too. */
  readonly payload: P;
  /** It was missed, and follows after a return. */
  readonly replayed: boolean;
  /** It is part of a snapshot: what stands, not what happens. */
  readonly snapshot: boolean;
  /** The server published it later than its limit after `timestamp`: 2 s for signals and orders, 5 s for alerts. */
  readonly late: boolean;
  /** The message as it came. */
  readonly raw: string;
}

export type TradeNotification =
  | Notification<'new_trade_signal', NewTradeSignal>
  | Notification<'order_update', OrderUpdate>
  | Notification<'system_alert', SystemAlert>;

/** What stood at `position`: every open order of the user, and the last hour's alerts of level ERROR and CRITICAL. */
export interface Snapshot {
  readonly position: Position;
  readonly notifications: readonly TradeNotification[];
}

/** Not everything that was missed follows. A snapshot comes next, where one is wanted. */
export interface Gap {
  /**
   * `trimmed`: the server no longer has it. `epoch`: its log is another one. `unknown`: its log never got there. A later
   * server may have another word.
   */
  readonly reason: 'trimmed' | 'epoch' | 'unknown';
  readonly requested?: Position;
}

/** Something that was not as it should be, and that the client has already dealt with. For logs. */
export interface Fault {
  /**
   * - `message`: the server sent what is no message of the protocol, or out of turn; it is connected to anew
   * - `count`: the server's count of what it sent is not ours; it is connected to anew, from the last position proven
   * - `server`: the server reported an error of its own, or one of ours
   * - `token`: the token function failed; it is asked again
   * - `callback`: a callback of yours threw
   * - `storage`: the position could not be kept
   */
  readonly kind: 'message' | 'count' | 'server' | 'token' | 'callback' | 'storage';
  readonly message: string;
  readonly error?: unknown;
}

export interface Status {
  readonly state: State;
  /** Everything up to here was handed over; a later client may resume from it. */
  readonly position?: Position;
  /** When anything was last heard from the server. */
  readonly lastHeard?: Date;
  /** When the server's last heartbeat came. */
  readonly lastBeat?: Date;
  /** Notifications handed over by this object, without those of snapshots. */
  readonly delivered: number;
  readonly userId?: string;
  readonly grants: readonly string[];
  /** When the token expires. */
  readonly expiresAt?: Date;
  /** While not live: why the last connection ended, by its close code or a word for what happened here. */
  readonly reason?: { readonly code: number | string; readonly message: string };
  /** When the next attempt is due. */
  readonly retryAt?: Date;
  /** This tab has no connection of its own: it gets its events through another tab's. */
  readonly shared: boolean;
}

/** A WebSocket as far as this client uses it. */
export interface WebSocketLike {
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

/** What `sessionStorage` and `localStorage` are. */
export interface StorageLike {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

export interface CarillonOptions {
  /** `wss://host[:port][/path]`; `https://` is taken as `wss://`; without a path it is `/v1/stream`. */
  url: string | URL;
  /**
   * The JWT, or what gives one; it is asked at the start, when the token is about to expire, and when it was refused.
   * White space around it, as the line feed that ends a file, does not count.
   */
  token: string | (() => string | Promise<string>);
  /** Begin behind this position instead of with a snapshot. */
  resume?: Position;
  /** Whether to ask for what stands at the beginning and after a gap. Default: whether `onSnapshot` is given. */
  snapshot?: boolean;
  /** Keep the position under this key, in `sessionStorage` or that storage; a page that is loaded again goes on there. */
  persist?: string | { key: string; storage: StorageLike };
  /**
   * One connection for all tabs of this browser with the same URL and user. A string shares among the tabs that give
   * the same one. Without Web Locks and BroadcastChannel (Node) each has its own connection.
   */
  share?: boolean | string;
  /** Tell the server what arrived, at most four times a second; it measures deliveries by it (protocol 6.5). */
  receipts?: boolean;
  /** Node only: the PEM certificates to trust instead of the built-in ones. */
  ca?: string | Uint8Array;
  /** What happens: live and replayed notifications, in the log's order, each once. */
  onNotification?(notification: TradeNotification): void;
  /** At each change of state and at each heartbeat. */
  onStatus?(status: Status): void;
  /** What stands, all at once; it replaces what was known. At a first beginning and after a gap. */
  onSnapshot?(snapshot: Snapshot): void;
  onGap?(gap: Gap): void;
  /** Without it, faults of callbacks go to `reportError`, or the console. */
  onFault?(fault: Fault): void;
  /** How to open a WebSocket, instead of the platform's. */
  socket?(url: string, protocols: string[]): WebSocketLike;
}
