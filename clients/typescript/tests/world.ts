// A world without time of its own: what happens in it, happens when the clock is moved.

import type { ChannelLike, Environment, LocksLike } from '../src/environment.js';
import type { WebSocketLike } from '../src/types.js';

/** Random numbers that a seed decides (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lets everything run that waits for promises only. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
}

export class Clock {
  now = Date.parse('2026-11-22T12:00:00.000Z');
  #timers: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  after(milliseconds: number, run: () => void): () => void {
    const timer = { at: this.now + milliseconds, order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((each) => each !== timer);
    };
  }

  /** Runs what is due on the way, each with what follows from it, in the order of time. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    await settle();
    for (;;) {
      let next = undefined;
      for (const timer of this.#timers) {
        if (timer.at <= end && (!next || timer.at < next.at || (timer.at === next.at && timer.order < next.order)))
          next = timer;
      }
      if (!next) break;
      this.now = Math.max(this.now, next.at);
      this.#timers.splice(this.#timers.indexOf(next), 1);
      next.run();
      await settle();
    }
    this.now = end;
  }
}

export class FakeSocket implements WebSocketLike {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly sent: string[] = [];
  isClosedByClient = false;

  constructor(
    readonly url: URL,
    readonly protocols: string[],
  ) {}

  send(text: string): void {
    this.sent.push(text);
    this.onSend?.(text);
  }

  close(): void {
    this.isClosedByClient = true;
    this.onLeave?.();
  }

  gate: (run: () => void) => void = (run) => run();
  onSend?: (text: string) => void;
  onLeave?: () => void;

  get resume(): string | null {
    return this.url.searchParams.get('resume');
  }

  get token(): string {
    return this.protocols[1]!.slice('carillon.bearer.'.length);
  }

  receive(data: unknown): void {
    this.gate(() => this.onmessage?.({ data }));
  }

  end(code = 1006, reason = ''): void {
    this.gate(() => this.onclose?.({ code, reason }));
  }
}

/** Locks and channels of one browser; what passes takes a moment, in order between any two tabs. */
export class FakeBrowser {
  #queues = new Map<string, { held: () => Promise<void>; isHeld: boolean; end: () => void }[]>();
  #channels = new Map<string, Set<FakeChannel>>();

  constructor(
    readonly clock: Clock,
    readonly random: () => number,
  ) {}

  /** What one tab has of it; `die` ends it as a closed tab ends; what comes while it is paused waits. */
  tab(open: (url: string, protocols: string[]) => FakeSocket) {
    let isDead = false;
    const wakes = new Set<() => void>();
    const held = new Set<() => void>();
    const channels = new Set<FakeChannel>();
    const sockets = new Set<FakeSocket>();
    const queued: (() => void)[] = [];
    let isPaused = false;
    const gate = (run: () => void) => {
      if (isPaused) queued.push(run);
      else if (!isDead) run();
    };
    const pause = (isOn: boolean) => {
      isPaused = isOn;
      while (!isPaused && queued.length) gate(queued.shift()!);
    };
    const die = () => {
      isDead = true;
      isPaused = false;
      for (const channel of channels) channel.close();
      for (const socket of sockets) socket.close();
      for (const end of [...held]) end();
    };
    const reported: unknown[] = [];
    const locks: LocksLike = {
      request: (name, options, run) =>
        new Promise((resolve, reject) => {
          const queue = this.#queues.get(name) ?? [];
          this.#queues.set(name, queue);
          const end = (error?: Error) => {
            held.delete(end);
            const at = queue.indexOf(entry);
            if (at < 0) return;
            queue.splice(at, 1);
            gate(() => (error ? reject(error) : resolve(undefined)));
            this.#grant(name);
          };
          const entry = {
            held: async () => (isDead ? undefined : new Promise<void>((ended) => gate(() => void run().then(ended)))),
            isHeld: false,
            end,
          };
          held.add(end);
          if (options.steal) {
            const [holder] = queue;
            queue.unshift(entry);
            if (holder?.isHeld) (holder.end as (error?: Error) => void)(new DOMException('stolen', 'AbortError'));
          } else {
            queue.push(entry);
          }
          options.signal?.addEventListener('abort', () => !entry.isHeld && end(new DOMException('aborted', 'AbortError')));
          this.#grant(name);
        }),
    };
    const env: Environment = {
      now: () => this.clock.now,
      random: this.random,
      after: (milliseconds, run) => {
        let isCancelled = false;
        const cancel = this.clock.after(milliseconds, () => gate(() => isCancelled || run()));
        return () => {
          isCancelled = true;
          cancel();
        };
      },
      socket: (url, protocols) => {
        const socket = open(url, protocols);
        socket.gate = gate;
        sockets.add(socket);
        return socket;
      },
      channel: (name) => {
        const channel = new FakeChannel(this, name, gate);
        channels.add(channel);
        return channel;
      },
      locks,
      onWake: (run) => {
        wakes.add(run);
        return () => wakes.delete(run);
      },
      report: (error) => reported.push(error),
    };
    /** Misses what is said from now on, until it is called with false. */
    const freeze = (isFrozen = true) => channels.forEach((channel) => (channel.isFrozen = isFrozen));
    return { env, die, pause, freeze, reported, wake: () => wakes.forEach((run) => run()) };
  }

  members(name: string): Set<FakeChannel> {
    const members = this.#channels.get(name) ?? new Set();
    this.#channels.set(name, members);
    return members;
  }

  #grant(name: string): void {
    const [first] = this.#queues.get(name)!;
    if (!first || first.isHeld) return;
    this.clock.after(this.random() * 3, () => {
      if (this.#queues.get(name)![0] !== first || first.isHeld) return;
      first.isHeld = true;
      void first.held().then(first.end);
    });
  }
}

class FakeChannel implements ChannelLike {
  onmessage: ((event: { data: unknown }) => void) | null = null;
  isFrozen = false;
  #isClosed = false;
  #arrival = new Map<FakeChannel, number>();

  constructor(
    private readonly browser: FakeBrowser,
    private readonly name: string,
    private readonly gate: (run: () => void) => void,
  ) {
    browser.members(name).add(this);
  }

  postMessage(message: unknown): void {
    if (this.#isClosed) throw new DOMException('closed', 'InvalidStateError');
    const { clock, random } = this.browser;
    const data = structuredClone(message);
    for (const other of this.browser.members(this.name)) {
      if (other === this) continue;
      const at = Math.max(clock.now + random() * 3, this.#arrival.get(other) ?? 0);
      this.#arrival.set(other, at);
      clock.after(
        at - clock.now,
        () => other.isFrozen || other.gate(() => other.#isClosed || other.onmessage?.({ data })),
      );
    }
  }

  close(): void {
    this.#isClosed = true;
    this.browser.members(this.name).delete(this);
  }
}

/** A token that is nobody's but has that `sub`. */
export const tokenOf = (sub: string, claims = {}): string =>
  `e30.${Buffer.from(JSON.stringify({ sub, ...claims })).toString('base64url')}.c2ln`;
