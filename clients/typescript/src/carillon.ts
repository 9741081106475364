import { claimsOf } from './claims.js';
import type { Environment } from './environment.js';
import { Ledger } from './ledger.js';
import { Link, type Item, type LinkStatus } from './link.js';
import { Mirror } from './mirror.js';
import { Stream } from './stream.js';
import { Tabs, type Welcome } from './tabs.js';
import type {
  CarillonOptions,
  Fault,
  Position,
  Snapshot,
  State,
  Status,
  StorageLike,
  TradeNotification,
} from './types.js';

const DEFAULT_PATH = '/v1/stream';

function streamUrl(given: string | URL): URL {
  const url = new URL(String(given).replace(/^https:/i, 'wss:'));
  if (url.protocol !== 'wss:') throw new TypeError('not a wss: url');
  if (url.pathname === '/') url.pathname = DEFAULT_PATH;
  url.hash = '';
  return url;
}

const dateOf = (time?: number) => (time ? new Date(time) : undefined);

/**
 * One user's events, from now on or from a position: connects when made, and stays connected until `close()`.
 *
 * Each notification is handed over once, in the log's order, to `onNotification` and to every iterator. A callback that
 * throws is reported and changes nothing.
 */
export class CarillonClient implements AsyncIterable<TradeNotification> {
  #env: Environment;
  #options: CarillonOptions;
  #url: URL;
  #ledger = new Ledger();
  #link: Link;
  /** Of this tab's connection, or of the leading tab's. */
  #status: LinkStatus = { state: 'connecting', grants: [] };
  #wasLive = false;
  #delivered = 0;
  #listeners = new Set<(status: Status) => void>([(status) => this.#options.onStatus?.(status)]);
  #streams = new Set<Stream>();
  #storage?: StorageLike;
  #storageKey = '';
  /** The token's `sub`, once there is one. */
  #user?: string;
  #mirror?: Mirror;
  #tabs?: Tabs;
  #endWake: () => void;

  constructor(options: CarillonOptions, env: Environment) {
    this.#env = env;
    this.#options = options;
    this.#url = streamUrl(options.url);
    if (options.resume !== undefined) this.#ledger.prove(options.resume);
    if (options.share && env.locks) this.#mirror = new Mirror();
    this.#link = new Link(env, options, this.#url, this.#wantsSnapshot || !!this.#mirror, this.#ledger, {
      admit: (token) => this.#admit(token),
      emit: (item) => this.#emit(item),
      fault: (kind, message, error) => this.#fault(kind, message, error),
    });
    this.#endWake = this.#watchWake();
    this.#link.start();
  }

  get status(): Status {
    const { state, lastHeard, lastBeat, expiresAt, retryAt, ...rest } = this.#status;
    return {
      ...rest,
      state: state === 'connecting' && this.#wasLive ? 'stale' : state,
      position: this.#ledger.position,
      lastHeard: dateOf(this.#isFollower ? lastHeard : this.#link.status.lastHeard),
      lastBeat: dateOf(lastBeat),
      delivered: this.#delivered,
      expiresAt: dateOf(expiresAt),
      retryAt: dateOf(retryAt),
      shared: this.#isFollower,
    };
  }

  /** Calls the listener with the status now, and at each change and heartbeat. What it returns ends that. */
  subscribe(listener: (status: Status) => void): () => void {
    this.#listeners.add(listener);
    this.#guard('callback', () => listener(this.status));
    return () => void this.#listeners.delete(listener);
  }

  /** Connects again after `refused` or `closed`, from the position reached; while a retry is waited for, tries now. */
  connect(): void {
    const { state } = this.#status;
    if (state === 'closed') this.#endWake = this.#watchWake();
    if (state === 'closed' || state === 'refused') this.#link.start();
    else this.#wake();
  }

  /**
   * Asks for a new token now. Resolves when the server has taken it, or in a tab that gets its events from another when it
   * has begun to take the connection over, with its own token; rejects when there is none or the connection was lost.
   */
  async refreshToken(): Promise<void> {
    if (!this.#isFollower) return this.#link.refresh();
    this.#link.forgetToken();
    this.#tabs!.takeOver();
  }

  /** Ends the connection, and the iterators once they have given what they hold. */
  close(): void {
    this.#endWake();
    this.#end('closed');
    for (const stream of this.#streams) stream.end();
  }

  /**
   * The notifications from now on, as `onNotification` gets them. It holds what is not yet taken, up to 10,000
   * notifications or 16 Mi characters; when more comes it gives those and then throws a RangeError: take faster, or
   * begin again with the last one's `id` as `resume`. Others are not affected.
   */
  [Symbol.asyncIterator](): AsyncGenerator<TradeNotification, undefined> {
    const stream = new Stream();
    if (this.#status.state === 'closed') stream.end();
    this.#streams.add(stream);
    return stream.take(() => this.#streams.delete(stream));
  }

  get #wantsSnapshot(): boolean {
    return this.#options.snapshot ?? this.#options.onSnapshot !== undefined;
  }

  /** Another tab has the connection. */
  get #isFollower(): boolean {
    return this.#tabs?.isFollower ?? false;
  }

  #watchWake(): () => void {
    return this.#env.onWake(() => this.#wake());
  }

  #wake(): void {
    if (this.#isFollower) this.#tabs!.ask('wake');
    else this.#link.wake();
  }

  #end(state: State): void {
    this.#tabs?.leave();
    this.#tabs = undefined;
    this.#link.stop();
    this.#show({ ...this.#link.status, state });
  }

  // Whose events these are is known with the first token, and with it from where to resume and with whom to share.
  #admit(token: string): boolean {
    const { sub, scope } = claimsOf(token);
    const user = String(sub);
    if (this.#user === undefined) this.#openStorage((this.#user = user));
    if (user !== this.#user) {
      this.#link.refuse(4403, 'another user');
      return false;
    }
    if (this.#mirror && !this.#tabs && sub !== undefined)
      this.#joinTabs(JSON.stringify(['carillon', this.#options.share, this.#url, sub, scope]));
    return !this.#isFollower;
  }

  #joinTabs(name: string): void {
    this.#guard('storage', () => {
      const channel = this.#env.channel(name);
      this.#tabs = new Tabs(this.#env, name, channel, this.#link, {
        places: () => [this.#ledger.position, this.#ledger.last].filter((each) => each !== undefined),
        follow: () => this.#follow(),
        take: (item) => void this.#take(item),
        welcome: (places) => this.#welcome(places),
        join: (welcome) => this.#join(welcome),
      });
    });
  }

  #follow(): void {
    this.#link.stop();
    this.#show({ ...this.#status, state: 'connecting' });
  }

  #welcome(places: Position[]): Welcome {
    return {
      status: this.#status,
      position: this.#ledger.position,
      missed: this.#mirror!.since(places),
      standing: this.#mirror!.standing(this.#env.now()),
    };
  }

  #join({ status, position, missed, standing }: Welcome): boolean {
    const isNew = this.#ledger.position === undefined;
    if (isNew ? !standing && this.#wantsSnapshot : !missed) return false;
    this.#link.stop();
    if (isNew) this.#begin(position!, standing);
    else for (const each of missed!) this.#take({ notification: { ...each, replayed: true, snapshot: false } });
    if (standing) this.#mirror!.stand(standing);
    this.#show(status);
    return true;
  }

  // As a connection of its own would have begun.
  #begin(position: Position, standing?: TradeNotification[]): void {
    if (standing)
      this.#takeSnapshot({
        position,
        notifications: standing.map((each) => ({ ...each, replayed: false, snapshot: true })),
      });
    this.#take({ proven: position });
  }

  // What came of this tab's own connection.
  #emit(item: Item): void {
    if ('status' in item && item.status.state === 'refused') return this.#end('refused');
    if (this.#take(item)) this.#tabs?.publish(item);
  }

  /** False: it is known already. */
  #take(item: Item): boolean {
    if ('status' in item) this.#show(item.status);
    else if ('gap' in item) this.#guard('callback', () => this.#options.onGap?.(item.gap));
    else if ('snapshot' in item) this.#takeSnapshot(item.snapshot);
    else if ('proven' in item) {
      this.#ledger.prove(item.proven);
      this.#mirror?.pass(item.proven);
      this.#keep();
    } else return this.#takeNotification(item.notification);
    return true;
  }

  #takeNotification(notification: TradeNotification): boolean {
    if (!this.#ledger.take(notification.id)) return false;
    this.#delivered++;
    this.#mirror?.take(notification, this.#env.now());
    this.#guard('callback', () => this.#options.onNotification?.(notification));
    for (const stream of this.#streams) stream.push(notification);
    this.#keep();
    return true;
  }

  #takeSnapshot(snapshot: Snapshot): void {
    this.#ledger.last = undefined;
    this.#mirror?.begin(snapshot.notifications);
    if (this.#wantsSnapshot) this.#guard('callback', () => this.#options.onSnapshot?.(snapshot));
  }

  #show(status: LinkStatus): void {
    this.#status = status;
    this.#wasLive ||= status.state === 'live';
    const shown = this.status;
    for (const listener of this.#listeners) this.#guard('callback', () => listener(shown));
  }

  // The position is kept with whose it is: another user's is not resumed from.
  #openStorage(user: string): void {
    const { persist } = this.#options;
    if (persist === undefined) return;
    this.#guard('storage', () => {
      const { key, storage } = typeof persist === 'string' ? { key: persist, storage: this.#env.storage! } : persist;
      this.#storage = storage;
      this.#storageKey = key;
      const [position, owner] = storage.getItem(key)?.split(/ (.*)/s) ?? [];
      if (owner === user && this.#ledger.position === undefined) this.#ledger.prove(position!);
    });
  }

  #keep(): void {
    this.#guard('storage', () => this.#storage?.setItem(this.#storageKey, `${this.#ledger.position} ${this.#user}`));
  }

  #guard(kind: 'callback' | 'storage', run: () => void): void {
    try {
      run();
    } catch (error) {
      // A storage that failed once is not tried again: the events matter more.
      if (kind === 'storage') this.#storage = undefined;
      this.#fault(kind, `a ${kind} failed`, error);
    }
  }

  #fault(kind: Fault['kind'], message: string, error?: unknown): void {
    const { onFault } = this.#options;
    try {
      if (onFault) onFault({ kind, message, error });
      else if (kind === 'callback') this.#env.report(error);
    } catch (thrown) {
      this.#env.report(thrown);
    }
  }
}
