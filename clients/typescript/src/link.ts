import { adviceFor } from './close_codes.js';
import type { Environment } from './environment.js';
import type { Ledger } from './ledger.js';
import { Retry } from './retry.js';
import { check, readServerMessage, type AuthOk, type ServerMessage } from './server_message.js';
import type {
  CarillonOptions,
  Fault,
  Gap,
  Position,
  Snapshot,
  State,
  TradeNotification,
  WebSocketLike,
} from './types.js';

/** How long nothing may be heard before the server has said how often it beats. */
const FIRST_SILENCE_MAX = 30_000;
const SILENCE_MAX = 3_600_000;
/** The server tells of a token's end so long before (protocol 2.7). */
const EXPIRY_NOTICE = 60_000;
const REFRESH_INTERVAL_MIN = 1_000;
const RECEIPT_INTERVAL = 250;
/** More than a server sends (protocol 6.3, and as many open orders as that many alerts ten times). */
const SNAPSHOT_MAX = 100_000;

const TOKEN = /^[\w-]+(\.[\w-]+)+$/;
const PONG = '{"type":"heartbeat","event":"pong"}';

/** What is known of the connection. Times in ms since 1970. A lost connection is `connecting`. */
export interface LinkStatus {
  state: State;
  lastHeard?: number;
  lastBeat?: number;
  userId?: string;
  grants: readonly string[];
  expiresAt?: number;
  reason?: { code: number | string; message: string };
  retryAt?: number;
}

/** What comes of a connection. `proven`: everything up to there has come. */
export type Item =
  | { notification: TradeNotification }
  | { gap: Gap }
  | { snapshot: Snapshot }
  | { proven: Position }
  | { status: LinkStatus };

export interface Sink {
  /** Asked before each connection; false: not now, `start()` comes when it may. */
  admit(token: string): boolean;
  emit(item: Item): void;
  fault(kind: Fault['kind'], message: string, error?: unknown): void;
}

/** One WebSocket. */
interface Connection {
  socket: WebSocketLike;
  resume?: Position;
  isAccepted?: true;
  /** Notifications that came, as the server's heartbeat counts them. */
  count: number;
  /** The snapshot so far; undefined: none is coming. */
  standing?: TradeNotification[];
  liveSince?: number;
  silenceMax: number;
  /** What the server said of its end. */
  retryAfter?: number;
  refusal?: string;
}

/**
 * The connection to the server and everything between two of them: tokens, heartbeats, what each close code asks for,
 * resuming. The ledger, which its sink keeps, says from where to resume.
 */
export class Link {
  readonly status: LinkStatus = { state: 'connecting', grants: [] };
  #env: Environment;
  #options: CarillonOptions;
  #url: URL;
  #asksSnapshot: boolean;
  #ledger: Ledger;
  #sink: Sink;
  #retry = new Retry();
  #connection?: Connection;
  #token?: string;
  /** Of the attempt or connection that is under way. What belongs to an earlier one no longer matters. */
  #turn = 0;
  /** A token was refused; the one after it is not replaced. */
  #wasTokenRefused = false;
  #notBefore = 0;
  #receiptAt = 0;
  #cancelTimer = () => {};
  /** Since the last `auth_ok`, a refresh is to come or under way. */
  #cancelRefresh?: () => void;
  /** Told when a token was taken, or with an error when the connection ended. */
  #refreshes: ((error?: Error) => void)[] = [];

  constructor(env: Environment, options: CarillonOptions, url: URL, asksSnapshot: boolean, ledger: Ledger, sink: Sink) {
    this.#env = env;
    this.#options = options;
    this.#url = url;
    this.#asksSnapshot = asksSnapshot;
    this.#ledger = ledger;
    this.#sink = sink;
  }

  /** Connects now. What there was is ended. */
  start(): void {
    this.stop();
    const turn = this.#turn;
    this.set('connecting');
    if (turn === this.#turn) void this.#attempt();
  }

  /** Ends what there is, without a word to the sink. */
  stop(): void {
    this.#turn++;
    this.#cancelTimer();
    this.#cancelRefresh?.();
    this.#cancelRefresh = this.status.retryAt = undefined;
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.socket.close(1000);
    for (const done of this.#refreshes.splice(0)) done(new Error('connection ended'));
  }

  set(state: State): void {
    this.status.state = state;
    this.#tell();
  }

  /** There is reason to hurry: what is waited for is tried as soon as it may be. */
  wake(): void {
    if (this.#connection) this.#watchSilence();
    else if (this.status.retryAt !== undefined) this.#attemptAt(Math.max(this.#notBefore, this.#env.now()));
  }

  /**
   * Asks for a token and gives it to the server. Resolves when the server has taken it, or at once without a connection;
   * rejects when there is no token or the connection was lost.
   */
  async refresh(): Promise<void> {
    const token = (this.#token = await this.#ask());
    const connection = this.#connection;
    if (!connection?.isAccepted) return;
    connection.socket.send(JSON.stringify({ type: 'auth', event: 'token', payload: { token } }));
    return new Promise((resolve, reject) => this.#refreshes.push((error) => (error ? reject(error) : resolve())));
  }

  /** The next connection asks for another. */
  forgetToken(): void {
    this.#token = undefined;
  }

  /** As refresh(); where it fails, the server's 4419 asks for a token again. */
  renew(): void {
    this.#cancelRefresh = () => {};
    this.refresh().catch((error) => this.#sink.fault('token', String(error), error));
  }

  #tell(): void {
    this.#sink.emit({ status: { ...this.status } });
  }

  async #ask(): Promise<string> {
    const { token } = this.#options;
    return (typeof token === 'function' ? await token() : token).trim();
  }

  async #attempt(): Promise<void> {
    const turn = ++this.#turn;
    this.status.retryAt = undefined;
    this.#cancelTimer();
    this.#cancelTimer = this.#env.after(FIRST_SILENCE_MAX, () => this.#lose('token', 'none came'));
    try {
      const token = this.#token ?? (await this.#ask());
      // One that comes late is the next attempt's: who was asked need not be asked again.
      if (turn !== this.#turn) return void (this.#token ??= token);
      this.#token = token;
    } catch (error) {
      return turn === this.#turn ? this.#fail('token', error) : undefined;
    }
    this.#cancelTimer();
    if (!TOKEN.test(this.#token)) return this.refuse('token', 'not a token');
    if (this.#sink.admit(this.#token)) this.#open(this.#token);
  }

  #open(token: string): void {
    const resume = this.#ledger.position;
    const url = new URL(this.#url);
    if (resume !== undefined) url.searchParams.set('resume', resume);
    if (!this.#asksSnapshot) url.searchParams.set('snapshot', 'false');
    let socket: WebSocketLike;
    try {
      const open = this.#options.socket ?? this.#env.socket;
      socket = open(url.href, ['carillon.v1', `carillon.bearer.${token}`], this.#options);
    } catch (error) {
      return this.refuse('socket', String(error));
    }
    const connection: Connection = { socket, resume, count: 0, silenceMax: FIRST_SILENCE_MAX };
    this.#connection = connection;
    const isCurrent = () => this.#connection === connection;
    socket.onerror = () => {};
    socket.onmessage = ({ data }: { data: unknown }) => isCurrent() && this.#hear(data, connection);
    socket.onclose = ({ code, reason }: { code: number; reason: string }) =>
      isCurrent() && this.#onClose(code, reason, connection);
    this.status.lastHeard = this.#env.now();
    this.#watchSilence();
  }

  // Looks again when it would be time: a timer for each message would cost more.
  #watchSilence(): void {
    this.#cancelTimer();
    const now = this.#env.now();
    const { silenceMax } = this.#connection!;
    // After a clock was set back, any silence would look short.
    const heard = (this.status.lastHeard = Math.min(this.status.lastHeard!, now));
    if (now - heard >= silenceMax) return this.#lose('silent', `${silenceMax} ms`);
    this.#cancelTimer = this.#env.after(heard + silenceMax - now, () => this.#watchSilence());
  }

  #hear(data: unknown, connection: Connection): void {
    this.status.lastHeard = this.#env.now();
    try {
      const message = readServerMessage(data);
      if (message) this.#take(message, connection);
    } catch (error) {
      this.#fail('message', error);
    }
  }

  #take(message: ServerMessage, connection: Connection): void {
    const { kind } = message;
    check(connection.isAccepted || kind === 'auth_ok' || kind === 'error', 'order of messages');
    switch (kind) {
      case 'auth_ok':
        return this.#takeAuthOk(message.payload, message.timestamp, connection);
      case 'notification':
        return this.#takeNotification(message, connection);
      case 'live':
        return this.#takeLive(message.payload, connection);
      case 'ping':
        return this.#takePing(message.payload, connection);
      case 'auth_expiring':
        // A token that never lived longer than the notice is refreshed by its own time.
        if (!this.#cancelRefresh) this.renew();
        return;
    }
    connection.retryAfter = Number(message.payload.retry_after_ms) || connection.retryAfter;
    if (kind !== 'error') return;
    const said = `${message.payload.code}: ${message.payload.message}`;
    if (message.event === 'auth_failed') connection.refusal = said;
    this.#sink.fault('server', said);
  }

  #takeAuthOk(ok: AuthOk, timestamp: string, connection: Connection): void {
    const { status } = this;
    if (status.userId !== undefined && status.userId !== ok.user_id) return this.refuse(4403, 'another user');
    if (!connection.isAccepted) this.#begin(ok.resume, connection);
    if (this.#connection !== connection) return;
    status.userId = ok.user_id;
    status.grants = ok.grants;
    status.expiresAt = Date.parse(ok.expires_at);
    connection.silenceMax = Math.min(ok.heartbeat_interval_ms + ok.heartbeat_timeout_ms, SILENCE_MAX);
    this.#wasTokenRefused = false;
    this.#watchSilence();
    this.#cancelRefresh?.();
    // By the server's clock; ours may be off.
    const life = status.expiresAt - Date.parse(timestamp);
    this.#cancelRefresh =
      life <= EXPIRY_NOTICE ? this.#env.after(Math.max(life / 2, REFRESH_INTERVAL_MIN), () => this.renew()) : undefined;
    for (const done of this.#refreshes.splice(0)) done();
    this.#tell();
  }

  #begin(answer: AuthOk['resume'], connection: Connection): void {
    connection.isAccepted = true;
    this.status.state = 'catching-up';
    const requested = connection.resume;
    if (requested !== undefined && answer?.complete) return;
    connection.standing = [];
    if (requested !== undefined) this.#sink.emit({ gap: { reason: answer?.reason || 'unknown', requested } });
  }

  #takeNotification({ id, notification }: ServerMessage & { kind: 'notification' }, connection: Connection): void {
    const { standing, liveSince } = connection;
    connection.count++;
    if (!notification) return standing ? undefined : void this.#ledger.take(id);
    const { snapshot, replayed } = notification;
    check(snapshot ? standing : liveSince !== undefined || (replayed && !standing), 'order of messages');
    if (standing) {
      check(standing.push(notification) <= SNAPSHOT_MAX, 'snapshot');
      return;
    }
    this.#sink.emit({ notification });
    const now = this.#env.now();
    if (!this.#options.receipts || now - this.#receiptAt < RECEIPT_INTERVAL || this.#connection !== connection) return;
    this.#receiptAt = now;
    connection.socket.send(JSON.stringify({ type: 'ack', event: 'received', payload: { id } }));
  }

  #takeLive({ position, replayed }: { position: Position; replayed: number }, connection: Connection): void {
    const { standing, liveSince, count } = connection;
    if (liveSince !== undefined) return;
    if (!standing && replayed !== count) return this.#doubt(replayed, count);
    connection.liveSince = this.#env.now();
    connection.standing = undefined;
    if (standing && this.#asksSnapshot) this.#sink.emit({ snapshot: { position, notifications: standing } });
    this.#sink.emit({ proven: position });
    if (this.#connection !== connection) return;
    this.status.reason = undefined;
    this.set('live');
  }

  #takePing({ position, delivered }: { position: Position; delivered: number }, connection: Connection): void {
    connection.socket.send(PONG);
    if (delivered !== connection.count) return this.#doubt(delivered, connection.count);
    this.status.lastBeat = this.#env.now();
    if (!connection.standing) this.#sink.emit({ proven: position });
    this.#tell();
  }

  #onClose(code: number, reason: string, connection: Connection): void {
    const advice = adviceFor(code);
    const why = connection.refusal || reason;
    if (advice === 'refused' || (advice === 'new_token' && this.#wasTokenRefused)) return this.refuse(code, why);
    if (advice === 'new_token') this.#wasTokenRefused = true;
    const needsToken = advice.startsWith('new_token');
    if (needsToken) this.#token = undefined;
    const named = Number(/retry_after_ms=(\d+)/.exec(reason)?.[1]);
    if (named) connection.retryAfter = named;
    this.#lose(code, why, needsToken || advice === 'resume_now');
  }

  // Not all that was sent has come, or more: to the last place that is proven, and on from there.
  #doubt(sent: number, came: number): void {
    const { proven } = this.#ledger;
    if (proven !== undefined) this.#sink.emit({ proven });
    this.#fail('count', new Error(`${sent} sent, ${came} came`));
  }

  #fail(kind: 'message' | 'count' | 'token', error: unknown): void {
    const message = String(error);
    const turn = this.#turn;
    this.#sink.fault(kind, message, error);
    if (turn === this.#turn) this.#lose(kind, message);
  }

  /** Ends what there is, for good unless `start()` is called. */
  refuse(code: number | string, message: string): void {
    this.stop();
    this.#token = undefined;
    this.#wasTokenRefused = false;
    this.status.reason = { code, message };
    this.set('refused');
  }

  #lose(code: number | string, message: string, isHasty = false): void {
    const { liveSince, retryAfter = 0 } = this.#connection ?? {};
    this.stop();
    this.status.reason = { code, message };
    const { at, notBefore } = this.#retry.lost(this.#env.now(), this.#env.random(), isHasty, retryAfter, liveSince);
    this.#notBefore = notBefore;
    this.#attemptAt(at);
    this.set('connecting');
  }

  #attemptAt(time: number): void {
    this.#cancelTimer();
    this.status.retryAt = time;
    this.#cancelTimer = this.#env.after(Math.max(time - this.#env.now(), 0), () => void this.#attempt());
  }
}
