import type { ChannelLike, Environment } from './environment.js';
import type { Item, Link, LinkStatus } from './link.js';
import type { Position, TradeNotification } from './types.js';

/** How often a tab asks whether the leading one still answers; it takes over from one that did not. */
const ASK_INTERVAL = 20_000;
const WAITING_MAX = 1_000;

/** What a group does with one tab. */
export interface Tab {
  /** Places that mean how far it is, the best last; none: it has begun nowhere. */
  places(): Position[];
  /** Has no connection of its own any more. */
  follow(): void;
  /** Takes what the leading tab got. */
  take(item: Item): void;
  /** What a tab that joins needs to know. */
  welcome(places: Position[]): Welcome;
  /** Begins with what the leading tab has; false: it cannot, and has to connect for itself. */
  join(welcome: Welcome): boolean;
}

export interface Welcome {
  status: LinkStatus;
  position?: Position;
  /** What came after the place that was asked about; undefined: that place is not known. */
  missed?: TradeNotification[];
  /** What stands; undefined: not all of it is known. */
  standing?: TradeNotification[];
}

/** From the leading tab. Terms grow from leader to leader; `seq` counts the items of a term that are not a status. */
type FromLeader = { term: number; seq: number } & ({ item?: Item } | { to: string; welcome: Welcome });
type FromFollower = { hello: string; places: Position[] } | { ask: 'wake' | 'status' };

/**
 * The tabs that share one connection. The one that holds the lock leads: it has the connection and tells the others what
 * comes. A tab that joins says how far it is and is given the rest. What cannot be given exactly, because the leading tab
 * does not know it, a tab gets by a connection of its own, until it is at a place that the leading tab knows.
 */
export class Tabs {
  #env: Environment;
  #name: string;
  #link: Link;
  #tab: Tab;
  #channel: ChannelLike;
  #id: string;
  /** A loner is one that could not join, and is connected for itself. */
  #role: 'seeking' | 'joined' | 'leader' | 'loner' = 'seeking';
  #term = 0;
  #seq = 0;
  #status?: LinkStatus;
  /** Hellos to a leader that is not live yet. */
  #waiting = new Map<string, Position[]>();
  #isAsked = false;
  #hasLeft = false;
  #abort = new AbortController();
  #release = () => {};
  #cancelAsk = () => {};

  constructor(env: Environment, name: string, channel: ChannelLike, link: Link, tab: Tab) {
    this.#env = env;
    this.#name = name;
    this.#link = link;
    this.#tab = tab;
    this.#channel = channel;
    this.#id = String(env.random());
    channel.onmessage = ({ data }) => this.#hear(data);
    this.#seek();
    this.hello();
    this.#askLater();
  }

  /** It has no connection of its own. */
  get isFollower(): boolean {
    return this.#role === 'seeking' || this.#role === 'joined';
  }

  /** Sends on what came of this tab's own connection. */
  publish(item: Item): void {
    if ('status' in item) this.#status = item.status;
    else if (this.#role === 'loner') this.hello();
    if (this.#role !== 'leader') return;
    if (!('status' in item)) this.#seq++;
    this.#post({ item });
    if (this.#status?.state !== 'live') return;
    for (const [to, places] of this.#waiting) this.#post({ to, welcome: this.#tab.welcome(places) });
    this.#waiting.clear();
  }

  /** Says to the leading tab how far this one is. */
  hello(): void {
    this.#channel.postMessage({ hello: this.#id, places: this.#tab.places() } satisfies FromFollower);
  }

  /** Asks the leading tab. */
  ask(ask: 'wake' | 'status'): void {
    this.#channel.postMessage({ ask } satisfies FromFollower);
  }

  /** Leads as soon as it can, whoever does now. */
  takeOver(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#seek(true);
  }

  leave(): void {
    this.#hasLeft = true;
    this.#cancelAsk();
    this.#abort.abort();
    this.#release();
    this.#channel.close();
  }

  #post(message: object): void {
    this.#channel.postMessage({ term: this.#term, seq: this.#seq, ...message });
  }

  // The lock comes when whoever leads is gone; `steal`: at once.
  #seek(steal = false): void {
    const held = () =>
      new Promise<void>((resolve) => {
        if (this.#hasLeft) return resolve();
        this.#release = resolve;
        this.#lead();
      });
    const options = steal ? { steal } : { signal: this.#abort.signal };
    this.#env.locks!.request(this.#name, options, held).catch(() => {
      if (this.#role === 'leader' && !this.#hasLeft) this.#follow();
    });
  }

  #lead(): void {
    const isConnected = this.#role === 'loner';
    this.#role = 'leader';
    this.#cancelAsk();
    this.#term = Math.max(this.#term + 1, this.#env.now());
    this.#seq = 0;
    this.#post({});
    if (isConnected) return;
    this.#status = undefined;
    this.#link.start();
  }

  // Another has taken over.
  #follow(): void {
    this.#askLater();
    this.#seek();
    this.#seekAgain();
  }

  #askLater(): void {
    this.#cancelAsk();
    this.#cancelAsk = this.#env.after(ASK_INTERVAL * (1 + this.#env.random()), () => {
      if (this.#isAsked) {
        this.#isAsked = false;
        return this.takeOver();
      }
      this.#isAsked = true;
      this.ask('status');
      // A welcome that the browser kept from this tab is asked for again.
      if (this.#role !== 'joined') this.hello();
      this.#askLater();
    });
  }

  #hear(message: FromLeader | FromFollower): void {
    if ('term' in message) return this.#role === 'leader' ? undefined : this.#hearLeader(message);
    if (this.#role !== 'leader') return;
    if ('hello' in message) {
      const { hello, places } = message;
      if (this.#status?.state === 'live') this.#post({ to: hello, welcome: this.#tab.welcome(places) });
      else if (this.#waiting.size < WAITING_MAX) this.#waiting.set(hello, places);
      return;
    }
    if (message.ask === 'status') this.#post({});
    else this.#link.wake();
  }

  #hearLeader(message: FromLeader): void {
    const { term, seq } = message;
    if (term < this.#term) return;
    this.#isAsked = false;
    if (term > this.#term) {
      this.#term = term;
      if (this.#role === 'loner') this.hello();
      else this.#seekAgain();
    }
    if ('to' in message) return message.to === this.#id ? this.#join(message.welcome, seq) : undefined;
    const { item } = message;
    if (!item || this.#role === 'loner') return;
    // Before it has joined, a tab is no further than connecting.
    const isShown = this.#role === 'joined' || ('status' in item && item.status.state === 'connecting');
    if (!isShown) return;
    if (!('status' in item) && seq !== ++this.#seq) {
      // The browser kept a message from this tab, as while it was frozen.
      this.#role = 'seeking';
      return this.hello();
    }
    this.#tab.take(item);
  }

  // Told last: the caller may close all this from within a callback.
  #seekAgain(): void {
    this.#role = 'seeking';
    this.hello();
    this.#tab.follow();
  }

  #join(welcome: Welcome, seq: number): void {
    if (this.#role === 'joined') return;
    if (this.#tab.join(welcome)) {
      this.#role = 'joined';
      this.#seq = seq;
    } else if (this.#role === 'seeking') {
      this.#role = 'loner';
      this.#link.start();
    }
  }
}
