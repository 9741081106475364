import { Carillon, type Status } from '@carillon/client';
import { Board } from './state/board.ts';
import { Frames } from './state/frames.ts';
import { keptToken } from './token.ts';

/** One sign-in: a connection, and the board that it fills. `frames` tells of every change of either. */
export class Session {
  readonly board = new Board();
  readonly frames = new Frames();
  readonly #client: Carillon;
  #token: string;
  /** The one that the connection was given last. */
  #given: string | undefined;
  #asked: PromiseWithResolve | undefined;

  constructor(token: string) {
    this.#token = token;
    this.#client = new Carillon({
      url: `wss://${location.host}`,
      token: () => this.#supply(),
      share: true,
      receipts: true, // operators see how long it takes to the screen
      onNotification: (notification) => {
        this.board.take(notification);
        this.frames.changed();
      },
      onSnapshot: ({ notifications }) => {
        this.board.takeSnapshot(notifications);
        this.frames.changed();
      },
      onGap: ({ reason }) => {
        this.board.gap = { reason, at: Date.now() };
        this.frames.changed();
      },
      onStatus: () => this.frames.changed(),
    });
  }

  get status(): Status {
    return this.#client.status;
  }

  /** The server has taken a token of this sign-in at some time. */
  get wasAccepted(): boolean {
    return this.status.userId !== undefined;
  }

  /** The connection needs another token than it had, and waits for `renew`. Another tab's is not for this one to mend. */
  get isTokenWanted(): boolean {
    return this.#asked !== undefined && !this.status.shared;
  }

  /** For REST calls beside the connection. */
  get token(): string {
    return this.#token;
  }

  /** Goes on with another token of the same user; where there is a connection, on that one. */
  renew(token: string): void {
    this.#token = token;
    keptToken.set(token);
    const asked = this.#asked;
    if (asked && this.isTokenWanted) asked.resolve(this.#give());
    else if (this.status.state === 'refused') this.#client.connect();
    else this.#client.refreshToken().catch(() => {}); // what became of it is in the status
    this.frames.changed();
  }

  dismissGap(): void {
    this.board.gap = undefined;
    this.frames.changed();
  }

  close(): void {
    this.#client.close();
  }

  // Before the first `auth_ok` there is nobody to ask but the one who has just signed in: refused twice is refused.
  #supply(): string | Promise<string> {
    if (this.#given !== this.#token || !this.wasAccepted) return this.#give();
    this.#asked ??= promiseWithResolve();
    this.frames.changed();
    return this.#asked.promise;
  }

  #give(): string {
    this.#asked = undefined;
    this.#given = this.#token;
    return this.#token;
  }
}

interface PromiseWithResolve {
  readonly promise: Promise<string>;
  readonly resolve: (token: string) => void;
}

function promiseWithResolve(): PromiseWithResolve {
  let resolve!: (token: string) => void;
  const promise = new Promise<string>((resolved) => (resolve = resolved));
  return { promise, resolve };
}
