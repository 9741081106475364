import { adviceFor } from './close_codes.js';
import type { Environment } from './environment.js';
import { parseExact } from './exact_json.js';
import type { Ledger } from './ledger.js';
import type { CarillonOptions, Fault, Gap, Position, Snapshot, State, TradeNotification, WebSocketLike } from './types.js';

const BACK_OFF_MIN = 500;
const BACK_OFF_MAX = 20_000;
const RETRY_AFTER_MAX = 600_000;
/** How long nothing may be heard before the server has said how often it beats. */
const FIRST_SILENCE_MAX = 30_000;
const SILENCE_LIMITS = [1_000, 3_600_000] as const;
/** A connection that was live for so long was a good one: what went wrong before no longer counts. */
const SETTLED = 1_000;
/** The server tells of a token's end so long before (protocol 2.7). */
const EXPIRY_NOTICE = 60_000;
const RECEIPT_INTERVAL = 250;
/** More than a server sends (protocol 6.3, as many open orders as alerts). */
const SNAPSHOT_MAX = 100_000;

const POSITION = /^[\w.~-]{1,512}$/;
const TOKEN = /^[\w-]+(?:\.[\w-]+)+$/;
const PONG = '{"type":"heartbeat","event":"pong"}';

export type Reason = { code: number | string; message: string };

/** What is known of the connection, as other tabs get it too. */
export interface LinkStatus {
  state: State;
  lastHeard?: number;
  lastBeat?: number;
  userId?: string;
  grants: readonly string[];
  expiresAt?: number;
  reason?: Reason;
  retryAt?: number;
}

/** Where the link hands what it gets. */
export interface Sink {
  /** Asked before each connection; false: not now, `start()` comes when it may. */
  admit(token: string): boolean;
  notification(notification: TradeNotification): void;
  gap(gap: Gap): void;
  snapshot(snapshot: Snapshot): void;
  /** Everything up to here has come, by a heartbeat or at the end of catching up. */
  proven(position: Position): void;
  changed(): void;
  fault(kind: Fault['kind'], message: string, error?: unknown): void;
}

type Members = Record<string, unknown>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
const numberOf = (value: unknown): number => Number(value) || 0;
const isPosition = (value: unknown): value is Position => typeof value === 'string' && POSITION.test(value);

/** The duration that the server named, in ms, of sensible length; 0: none. */
const retryAfterIn = (value: unknown): number => Math.min(Math.max(numberOf(value), 0), RETRY_AFTER_MAX);

/** One open WebSocket. */
interface Connection {
  socket: WebSocketLike;
  isAccepted: boolean;
  /** Notifications that came, as the server's heartbeat counts them. */
  count: number;
  /** The snapshot so far; undefined: none is coming. */
  standing?: TradeNotification[];
  gap?: Gap;
  liveSince?: number;
  silenceMax: number;
  retryAfter: number;
  refusal: string;
}

/**
 * The connection to the server and everything between two of them: tokens, heartbeats, what each close code asks for,
 * resuming. Hands over to its sink everything that comes; the ledger says from where to resume.
 */
export class Link {
  readonly status: LinkStatus = { state: 'connecting', grants: [] };
  #env: Environment;
  #options: CarillonOptions;
  #url: URL;
  #ledger: Ledger;
  #sink: Sink;
  #connection?: Connection;
  #token?: string;
  #attempts = 0;
  /** What belongs to an earlier turn than this one no longer matters. */
  #turn = 0;
  #wasLive = false;
  /** Something was missed on the way: resume from what is proven. */
  #isInDoubt = false;
  /** Resumed at once; not again before a connection has settled. */
  #wasHasty = false;
  /** A token was refused; a second one is not replaced. */
  #wasTokenRefused = false;
  #notBefore = 0;
  #receiptAt = 0;
  #cancelTimer = () => {};
  /** Since the last `auth_ok`, a refresh is to come or under way. */
  #cancelRefresh?: () => void;
  #refreshes: { resolve: () => void; reject: (error: Error) => void }[] = [];

  constructor(env: Environment, options: CarillonOptions, url: URL, ledger: Ledger, sink: Sink) {
    this.#env = env;
    this.#options = options;
    this.#url = url;
    this.#ledger = ledger;
    this.#sink = sink;
  }

  /** Connects now. Does nothing where it is connected or about to be. */
  start(): void {
    if (this.#connection) return;
    this.status.reason = undefined;
    void this.#attempt();
  }

  /** Ends what there is, without a word to the sink. The state stays as it is. */
  stop(): void {
    this.#turn++;
    this.#cancelTimer();
    this.#cancelRefresh?.();
    this.#cancelRefresh = undefined;
    this.status.retryAt = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.socket.close(1000);
    for (const { reject } of this.#refreshes.splice(0)) reject(new Error('the connection ended'));
  }

  set(state: State): void {
    this.status.state = state;
    this.#sink.changed();
  }

  /** The page is shown, or the network is back: what is waited for is tried now, where the server allows it. */
  wake(): void {
    if (this.#connection) this.#watchSilence();
    else if (this.status.retryAt !== undefined) this.#retryAt(Math.max(this.#notBefore, this.#env.now()));
  }

  /** Asks for a token and gives it to the server. Resolves once the server has taken it, or at once where there is no connection. */
  async refresh(): Promise<void> {
    const turn = this.#turn;
    const token = await this.#ask();
    if (turn !== this.#turn) throw new Error('the connection ended');
    this.#token = token;
    const connection = this.#connection;
    if (!connection?.isAccepted) return;
    const taken = new Promise<void>((resolve, reject) => this.#refreshes.push({ resolve, reject }));
    connection.socket.send(JSON.stringify({ type: 'auth', event: 'token', payload: { token } }));
    return taken;
  }

  async #ask(): Promise<string> {
    const { token } = this.#options;
    return typeof token === 'function' ? token() : token;
  }

  async #attempt(): Promise<void> {
    const turn = ++this.#turn;
    this.#cancelTimer();
    this.status.retryAt = undefined;
    this.status.lastHeard = undefined;
    // Also for a token function that never answers.
    this.#cancelTimer = this.#env.after(FIRST_SILENCE_MAX, () => this.#lose({ code: 'token', message: 'no token came' }));
    try {
      const token = this.#token ?? (await this.#ask());
      if (turn !== this.#turn) return;
      this.#token = token;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#sink.fault('token', 'the token function failed', error);
      return this.#lose({ code: 'token', message: String(error) });
    }
    this.#cancelTimer();
    if (!TOKEN.test(this.#token)) return this.#refuse({ code: 'token', message: 'what was given is no token' });
    if (this.#sink.admit(this.#token)) this.#open(this.#token);
  }

  #open(token: string): void {
    const resume = this.#isInDoubt ? this.#ledger.proven : this.#ledger.position;
    const url = new URL(this.#url);
    if (resume !== undefined) url.searchParams.set('resume', resume);
    if (!this.#options.snapshot) url.searchParams.set('snapshot', 'false');
    let socket: WebSocketLike;
    try {
      socket = (this.#options.socket ?? this.#env.socket)(url.href, ['carillon.v1', `carillon.bearer.${token}`], this.#options);
    } catch (error) {
      return this.#refuse({ code: 'socket', message: String(error) });
    }
    const connection: Connection = {
      socket,
      isAccepted: false,
      count: 0,
      silenceMax: FIRST_SILENCE_MAX,
      retryAfter: 0,
      refusal: '',
      ...(resume !== undefined && { gap: { reason: 'unknown', requested: resume } }),
    };
    this.#connection = connection;
    socket.onerror = () => {};
    socket.onmessage = (event: { data: unknown }) => this.#connection === connection && this.#hear(event.data, connection);
    socket.onclose = (event: { code: number; reason: string }) =>
      this.#connection === connection && this.#onClose(event.code, event.reason, connection);
    this.status.lastHeard = this.#env.now();
    this.#watchSilence();
  }

  // Looks again when it would be time. A timer per message would cost more, and one of a hidden page comes late anyway.
  #watchSilence(): void {
    this.#cancelTimer();
    const now = this.#env.now();
    const { silenceMax } = this.#connection!;
    // A clock that was set back would make a silence of any length look short.
    const heard = (this.status.lastHeard = Math.min(this.status.lastHeard ?? now, now));
    if (now - heard >= silenceMax) return this.#lose({ code: 'silent', message: `nothing was heard for ${silenceMax} ms` });
    this.#cancelTimer = this.#env.after(heard + silenceMax - now, () => this.#watchSilence());
  }

  #hear(data: unknown, connection: Connection): void {
    this.status.lastHeard = this.#env.now();
    let message: unknown;
    try {
      message = parseExact(data as string);
    } catch {
      return this.#doubt('message', 'the server sent what is not JSON');
    }
    if (!isObject(message) || !isObject(message.payload)) return this.#doubt('message', 'the server sent what is no message');
    const { type, event, payload } = message;
    if (type === 'error') return this.#takeError(event, payload as Members, connection);
    if (event === 'auth_ok') return this.#takeAuthOk(message, payload as Members, connection);
    if (event === 'shutting_down') return void (connection.retryAfter = retryAfterIn((payload as Members).retry_after_ms));
    if (!connection.isAccepted) return this.#doubt('message', 'the server speaks before it has taken the token');
    if (type === 'notification') return this.#takeNotification(message, data as string, connection);
    if (event === 'live') return this.#takeLive(payload as Members, connection);
    if (event === 'ping') return this.#takePing(payload as Members, connection);
    // Of a token that never lived longer than the notice, we know already.
    if (event === 'auth_expiring' && !this.#cancelRefresh) this.#refreshIn(0);
  }

  #takeAuthOk(message: Members, payload: Members, connection: Connection): void {
    const userId = textOf(payload.user_id);
    if (this.status.userId !== undefined && this.status.userId !== userId)
      return this.#refuse({ code: 4403, message: 'the new token is another user\'s' });
    this.status.userId = userId;
    this.status.grants = Array.isArray(payload.grants) ? payload.grants.map(String) : [];
    const expires = Date.parse(textOf(payload.expires_at));
    this.status.expiresAt = expires || undefined;
    this.#wasTokenRefused = false;
    const beat = numberOf(payload.heartbeat_interval_ms) + numberOf(payload.heartbeat_timeout_ms);
    if (beat) connection.silenceMax = Math.min(Math.max(beat, SILENCE_LIMITS[0]), SILENCE_LIMITS[1]);
    // By the server's clock, ours may be off.
    const life = expires - Date.parse(textOf(message.timestamp));
    this.#cancelRefresh = undefined;
    if (life <= EXPIRY_NOTICE) this.#refreshIn(Math.max(life / 2, SETTLED));
    if (connection.isAccepted) {
      for (const { resolve } of this.#refreshes.splice(0)) resolve();
      return this.#sink.changed();
    }
    connection.isAccepted = true;
    const resume = isObject(payload.resume) ? payload.resume : {};
    if (connection.gap && resume.complete === true) connection.gap = undefined;
    else connection.standing = [];
    if (connection.gap && ['trimmed', 'epoch'].includes(textOf(resume.reason)))
      connection.gap = { ...connection.gap, reason: resume.reason as Gap['reason'] };
    this.#watchSilence();
    this.set('catching-up');
  }

  #takeNotification(message: Members, raw: string, connection: Connection): void {
    const { event, timestamp, id, payload, snapshot, replayed, late } = message;
    const isInTurn = snapshot ? connection.standing : connection.liveSince !== undefined || (replayed && !connection.standing);
    if (!isPosition(id) || !isInTurn) return this.#doubt('message', 'the server sent a notification out of turn');
    connection.count++;
    const notification = {
      event,
      timestamp: textOf(timestamp),
      id,
      payload,
      replayed: replayed === true,
      snapshot: snapshot === true,
      late: late === true,
      raw,
    } as TradeNotification;
    if (!snapshot) {
      this.#sink.notification(notification);
      return this.#acknowledge(id, connection);
    }
    connection.standing!.push(notification);
    if (connection.standing!.length > SNAPSHOT_MAX) this.#doubt('message', 'the server sent a snapshot without end');
  }

  #acknowledge(id: Position, connection: Connection): void {
    const now = this.#env.now();
    if (!this.#options.receipts || now - this.#receiptAt < RECEIPT_INTERVAL || this.#connection !== connection) return;
    this.#receiptAt = now;
    connection.socket.send(JSON.stringify({ type: 'ack', event: 'received', payload: { id } }));
  }

  #takeLive({ position, replayed }: Members, connection: Connection): void {
    if (!isPosition(position)) return this.#doubt('message', 'the server is live at no position');
    if (connection.liveSince !== undefined) return;
    if (!connection.standing && numberOf(replayed) !== connection.count)
      return this.#doubt('count', `the server replayed ${replayed} notifications, ${connection.count} came`);
    const { gap, standing } = connection;
    connection.liveSince = this.#env.now();
    connection.standing = connection.gap = undefined;
    this.#wasLive = true;
    this.#isInDoubt = false;
    if (gap) this.#sink.gap(gap);
    if (standing && this.#options.snapshot) this.#sink.snapshot({ position, notifications: standing });
    this.#sink.proven(position);
    if (this.#connection === connection) this.set('live');
  }

  #takePing({ position, delivered }: Members, connection: Connection): void {
    connection.socket.send(PONG);
    if (!isPosition(position)) return this.#doubt('message', 'the server beats at no position');
    if (numberOf(delivered) !== connection.count)
      return this.#doubt('count', `the server sent ${delivered} notifications, ${connection.count} came`);
    this.status.lastBeat = this.#env.now();
    if (!connection.standing) this.#sink.proven(position);
    this.#sink.changed();
  }

  #takeError(event: unknown, { code, message, retry_after_ms }: Members, connection: Connection): void {
    const said = `${textOf(code)}: ${textOf(message)}`;
    connection.retryAfter = Math.max(connection.retryAfter, retryAfterIn(retry_after_ms));
    if (event === 'auth_failed') connection.refusal = said;
    else this.#sink.fault('server', said);
  }

  // Where it fails, the server's 4419 asks for a token again.
  #refreshIn(milliseconds: number): void {
    this.#cancelRefresh?.();
    this.#cancelRefresh = this.#env.after(milliseconds, () => {
      this.refresh().catch((error) => this.#sink.fault('token', 'the token could not be refreshed', error));
    });
  }

  #onClose(code: number, reason: string, connection: Connection): void {
    const advice = adviceFor(code);
    const why = { code, message: connection.refusal || reason };
    const named = retryAfterIn(/retry_after_ms=(\d+)/.exec(reason)?.[1]) || (advice === 'wait' ? connection.retryAfter : 0);
    if (advice === 'stop' || (code === 4401 && this.#wasTokenRefused)) return this.#refuse(why);
    if (code === 4401) this.#wasTokenRefused = true;
    if (advice === 'new-token') this.#token = undefined;
    this.#lose(why, { isHasty: advice === 'at-once' || advice === 'new-token', named });
  }

  // What came cannot be trusted to be all: to the last place that is proven, and on from there.
  #doubt(kind: 'message' | 'count', message: string): void {
    this.#isInDoubt = true;
    this.#sink.fault(kind, message);
    this.#lose({ code: kind, message });
  }

  #refuse(reason: Reason): void {
    this.stop();
    this.#token = undefined;
    this.#wasTokenRefused = this.#wasLive = false;
    this.status.reason = reason;
    this.set('refused');
  }

  // Ends the connection and waits: not at all, as long as the server named, or the longer the more often it failed.
  #lose(reason: Reason, { isHasty = false, named = 0 } = {}): void {
    const now = this.#env.now();
    const liveSince = this.#connection?.liveSince;
    this.stop();
    if (liveSince !== undefined && now - liveSince >= SETTLED) {
      this.#attempts = 0;
      this.#wasHasty = false;
    }
    this.status.reason = reason;
    if (isHasty && !this.#wasHasty) {
      this.#wasHasty = true;
      this.#retryAt(now);
    } else {
      const most = Math.min(2 * BACK_OFF_MIN * 2 ** this.#attempts++, BACK_OFF_MAX);
      this.#notBefore = now + (named || BACK_OFF_MIN);
      this.#retryAt(now + (named || BACK_OFF_MIN + this.#env.random() * (most - BACK_OFF_MIN)));
    }
    this.set(this.#wasLive ? 'stale' : 'connecting');
  }

  #retryAt(time: number): void {
    this.#cancelTimer();
    this.status.retryAt = time;
    this.#cancelTimer = this.#env.after(Math.max(time - this.#env.now(), 0), () => void this.#attempt());
  }
}
