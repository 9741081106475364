import { Bookmark } from './bookmark.js';
import { claimsOf } from './claims.js';
import type { Environment } from './environment.js';
import { Ledger } from './ledger.js';
import { Link } from './link.js';
import { Stream } from './stream.js';
import type { CarillonOptions, Fault, Gap, Position, Snapshot, Status, TradeNotification } from './types.js';

const DEFAULT_PATH = '/v1/stream';

function streamUrl(given: string | URL): URL {
  const url = new URL(given);
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.protocol !== 'wss:') throw new TypeError(`Carillon: ${url.protocol}// is not wss://`);
  if (url.pathname === '/') url.pathname = DEFAULT_PATH;
  url.hash = '';
  return url;
}

/**
 * One user's events, from now on or from a position: connects when made, and stays connected until `close()`.
 *
 * Each notification is handed over once, in the log's order, to `onNotification` and to every iterator. A callback that
 * throws is reported and changes nothing.
 */
export class CarillonClient implements AsyncIterable<TradeNotification> {
  #env: Environment;
  #options: CarillonOptions;
  #ledger: Ledger;
  #link: Link;
  #delivered = 0;
  #listeners = new Set<(status: Status) => void>();
  #streams = new Set<Stream>();
  #bookmark?: Bookmark;
  /** The token's `sub`, once there is one. */
  #user?: string;
  #endWake: () => void;

  constructor(options: CarillonOptions, env: Environment) {
    this.#env = env;
    this.#options = { snapshot: options.onSnapshot !== undefined, ...options };
    const url = streamUrl(options.url);
    this.#ledger = new Ledger(options.resume);
    this.#link = new Link(env, this.#options, url, this.#ledger, {
      admit: (token) => this.#admit(token),
      notification: (notification) => this.#take(notification),
      gap: (gap) => this.#onGap(gap),
      snapshot: (snapshot) => this.#onSnapshot(snapshot),
      proven: (position) => this.#prove(position),
      changed: () => this.#changed(),
      fault: (kind, message, error) => this.#fault(kind, message, error),
    });
    this.#openBookmark();
    this.#endWake = env.onWake(() => this.#link.wake());
    this.#link.start();
  }

  get status(): Status {
    const { state, lastHeard, lastBeat, userId, grants, expiresAt, reason, retryAt } = this.#link.status;
    const date = (time?: number) => (time === undefined ? undefined : new Date(time));
    return {
      state,
      position: this.#ledger.position,
      lastHeard: date(lastHeard),
      lastBeat: date(lastBeat),
      delivered: this.#delivered,
      userId,
      grants,
      expiresAt: date(expiresAt),
      reason,
      retryAt: date(retryAt),
      shared: false,
    };
  }

  /** Calls the listener with the status now, and at each change and heartbeat. What it returns ends that. */
  subscribe(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    this.#call(() => listener(this.status));
    return () => this.#listeners.delete(listener);
  }

  /** Connects again after `refused` or `closed`, from the position reached; while a retry is waited for, tries now. */
  connect(): void {
    const { state } = this.#link.status;
    if (state !== 'refused' && state !== 'closed') return this.#link.wake();
    if (state === 'closed') this.#endWake = this.#env.onWake(() => this.#link.wake());
    this.#link.start();
    this.#link.set('connecting');
  }

  /** Asks for a new token now. Resolves when the server has taken it; rejects when it, or the connection, was lost. */
  refreshToken(): Promise<void> {
    return this.#link.refresh();
  }

  /** Ends the connection, and the iterators once they have given what they hold. */
  close(): void {
    this.#endWake();
    this.#link.stop();
    this.#link.set('closed');
    for (const stream of this.#streams) stream.end();
  }

  /**
   * The notifications from now on, as `onNotification` gets them. It holds what is not yet taken, up to 10,000
   * notifications or 16 Mi characters; when more comes it gives those and then throws a RangeError: take faster, or
   * begin again with the last one's `id` as `resume`. Others are not affected.
   */
  [Symbol.asyncIterator](): AsyncIterator<TradeNotification, undefined> {
    const stream = new Stream(() => this.#streams.delete(stream));
    if (this.#link.status.state === 'closed') stream.end();
    else this.#streams.add(stream);
    return stream;
  }

  #admit(token: string): boolean {
    if (this.#user === undefined) {
      this.#user = String(claimsOf(token).sub);
      this.#guardStorage(() => (this.#ledger.position ??= this.#ledger.proven = this.#bookmark?.read(this.#user!)));
    }
    return true;
  }

  #openBookmark(): void {
    const { persist } = this.#options;
    if (persist === undefined) return;
    this.#guardStorage(() => {
      const { key, storage } = typeof persist === 'string' ? { key: persist, storage: this.#env.storage } : persist;
      if (!storage) throw new Error('there is no sessionStorage');
      this.#bookmark = new Bookmark(storage, key);
    });
  }

  // A storage that failed once is not tried again: the events matter more.
  #guardStorage(use: () => void): void {
    try {
      use();
    } catch (error) {
      this.#bookmark = undefined;
      this.#fault('storage', 'the position is not kept', error);
    }
  }

  #take(notification: TradeNotification): boolean {
    if (!this.#ledger.take(notification.id)) return false;
    this.#delivered++;
    this.#call(() => this.#options.onNotification?.(notification));
    for (const stream of this.#streams) stream.push(notification);
    this.#keep();
    return true;
  }

  #onGap(gap: Gap): void {
    this.#ledger.forget();
    this.#call(() => this.#options.onGap?.(gap));
  }

  #onSnapshot(snapshot: Snapshot): void {
    this.#call(() => this.#options.onSnapshot?.(snapshot));
  }

  #prove(position: Position): void {
    this.#ledger.prove(position);
    this.#keep();
  }

  #keep(): void {
    const { position } = this.#ledger;
    if (position !== undefined) this.#guardStorage(() => this.#bookmark?.write(this.#user!, position));
  }

  #changed(): void {
    const status = this.status;
    this.#call(() => this.#options.onStatus?.(status));
    for (const listener of this.#listeners) this.#call(() => listener(status));
  }

  #fault(kind: Fault['kind'], message: string, error?: unknown): void {
    const { onFault } = this.#options;
    try {
      if (onFault) return onFault.call(this.#options, { kind, message, error });
      if (kind === 'callback') this.#env.report(error);
    } catch (thrown) {
      this.#env.report(thrown);
    }
  }

  #call(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#fault('callback', 'a callback threw', error);
    }
  }
}
