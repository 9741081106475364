// A server that keeps a log, sends by the protocol, and whose connections break when the test says so.

import { FakeSocket, type Clock } from './world.js';

const TERMINAL = ['FILLED', 'CANCELED'];
const HEARTBEAT = 20_000;

export interface Entry {
  index: number;
  /** undefined: it concerns another user. */
  event?: string;
  payload: Record<string, string>;
  timestamp: string;
}

interface Session {
  socket: FakeSocket;
  /** What was handed to the network, in entries of the log. */
  read: number;
  sent: number;
  isLive: boolean;
  isOver: boolean;
  arrival: number;
}

export const positionOf = (index: number) => `m1.${index}`;
export const indexOf = (position: string) => Number(position.split('.')[1]);

export class FakeServer {
  readonly log: Entry[] = [];
  readonly sessions = new Set<Session>();
  isDown = false;
  /** The first entry after which a client can resume. */
  oldest = 0;
  /** Chance that a message is left out and counted all the same. */
  skips = 0;
  #clock: Clock;
  #random: () => number;

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  get open(): number {
    return this.sessions.size;
  }

  publish(event?: string, payload: Record<string, string> = {}): void {
    const timestamp = new Date(this.#clock.now).toISOString();
    this.log.push({ index: this.log.length + 1, event, payload, timestamp });
    for (const session of this.sessions) if (session.isLive) this.#pump(session, {});
  }

  /** What stands at that place, by index. */
  standingAt(index: number): number[] {
    const standing = new Map<string, number>();
    for (const { event, payload, index: at } of this.log.slice(0, index)) {
      const key = event === 'order_update' ? `o${payload.order_id}` : `a${at}`;
      if (event === 'order_update') standing.delete(key);
      const stands = event === 'order_update' ? !TERMINAL.includes(payload.status!) : payload.level === 'ERROR';
      if (event && stands) standing.set(key, at);
    }
    return [...standing.values()];
  }

  connect = (url: string, protocols: string[]): FakeSocket => {
    const socket = new FakeSocket(new URL(url), protocols);
    const session: Session = { socket, read: 0, sent: 0, isLive: false, isOver: false, arrival: 0 };
    socket.onLeave = () => this.#end(session);
    this.sessions.add(session);
    this.#clock.after(this.#random() * 20, () => {
      if (session.isOver) return;
      if (this.isDown) return this.drop(session);
      this.#begin(session);
      this.#beat(session);
    });
    return socket;
  };

  /** What is on its way is lost. */
  drop(session: Session, code = 1006, reason = ''): void {
    this.#end(session);
    this.#clock.after(this.#random() * 50, () => session.socket.end(code, reason));
  }

  #end(session: Session): void {
    session.isOver = true;
    this.sessions.delete(session);
  }

  #begin(session: Session): void {
    const { resume: asked } = session.socket;
    const isComplete = asked !== null && indexOf(asked) >= this.oldest && indexOf(asked) <= this.log.length;
    this.#send(session, 'ack', 'auth_ok', {
      payload: {
        user_id: 'alice',
        grants: [],
        expires_at: new Date(this.#clock.now + 3_600_000 * 24).toISOString(),
        heartbeat_interval_ms: HEARTBEAT,
        heartbeat_timeout_ms: 10_000,
        ...(asked !== null && { resume: isComplete ? { complete: true } : { complete: false, reason: 'trimmed' } }),
      },
    });
    const wantsSnapshot = session.socket.url.searchParams.get('snapshot') !== 'false';
    if (isComplete) session.read = indexOf(asked);
    else if (wantsSnapshot)
      for (const index of this.standingAt(this.log.length))
        this.#notify(session, this.log[index - 1]!, { snapshot: true });
    if (!isComplete) session.read = this.log.length;
    const before = session.sent;
    this.#pump(session, { replayed: true });
    this.#send(session, 'ack', 'live', {
      payload: { position: positionOf(session.read), replayed: session.sent - before },
    });
    session.isLive = true;
  }

  #pump(session: Session, marks: object): void {
    while (session.read < this.log.length) {
      const entry = this.log[session.read++]!;
      if (entry.event) this.#notify(session, entry, marks);
    }
  }

  #notify(session: Session, { index, event, payload, timestamp }: Entry, marks: object): void {
    session.sent++;
    if (this.#random() < this.skips) return;
    this.#send(session, 'notification', event!, { id: positionOf(index), timestamp, ...marks, payload });
  }

  #beat(session: Session): void {
    this.#clock.after(HEARTBEAT * (0.5 + this.#random() / 2), () => {
      if (session.isOver) return;
      this.#send(session, 'heartbeat', 'ping', {
        payload: { position: positionOf(session.read), delivered: session.sent },
      });
      this.#beat(session);
    });
  }

  // In order, each a moment later.
  #send(session: Session, type: string, event: string, members: object): void {
    session.arrival = Math.max(session.arrival, this.#clock.now + this.#random() * 10);
    const timestamp = new Date(this.#clock.now).toISOString();
    const text = JSON.stringify({ type, event, timestamp, ...members });
    this.#clock.after(session.arrival - this.#clock.now, () => session.isOver || session.socket.receive(text));
  }
}
