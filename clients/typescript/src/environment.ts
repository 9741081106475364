import type { CarillonOptions, StorageLike, WebSocketLike } from './types.js';

/** What BroadcastChannel is. */
export interface ChannelLike {
  onmessage: ((event: any) => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}

/** What navigator.locks is. */
export interface LocksLike {
  request(
    name: string,
    options: { signal?: AbortSignal; steal?: boolean },
    held: () => Promise<void>,
  ): Promise<unknown>;
}

/** Everything of the world that the client touches. */
export interface Environment {
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  /** Runs it once, that many milliseconds later; what it returns cancels that. */
  after(milliseconds: number, run: () => void): () => void;
  socket(url: string, protocols: string[], options: CarillonOptions): WebSocketLike;
  readonly storage?: StorageLike;
  /** Throws where there is none. */
  channel(name: string): ChannelLike;
  /** Without, there is no sharing between tabs. */
  readonly locks?: LocksLike;
  /** Runs it whenever the page is shown or the network is back; what it returns ends that. */
  onWake(run: () => void): () => void;
  report(error: unknown): void;
}

export const after: Environment['after'] = (milliseconds, run) => {
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};

export const browserEnvironment: Environment = {
  now: Date.now,
  random: Math.random,
  after,
  socket: (url, protocols) => new WebSocket(url, protocols),
  // Where a page may not have these, reading them throws.
  get storage() {
    return sessionStorage;
  },
  channel: (name) => new BroadcastChannel(name),
  get locks() {
    return navigator.locks as LocksLike;
  },
  onWake(run) {
    const abort = new AbortController();
    const { document } = globalThis as { document?: Document }; // a worker has none
    addEventListener('online', run, abort);
    document?.addEventListener('visibilitychange', () => document.hidden || run(), abort);
    return () => abort.abort();
  },
  report: (error) => reportError(error),
};
