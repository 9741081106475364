// The contract's table of a server that fails in every way there is.

import { describe, expect, test } from 'vitest';
import { CarillonClient } from '../src/carillon.js';
import { contract } from './contract.js';
import { Clock, FakeBrowser, FakeSocket, settle, tokenOf } from './world.js';

const BACK_OFF_MAX = 20_000;

type Step =
  | { send: string; times?: number }
  | { send_binary: string }
  | { expect: object }
  | { silence_ms: number }
  | { close: number; reason: string }
  | { drop: true }
  | { client_closes: true }
  | { refuse: number }
  | { hold: true };

interface Row {
  name: string;
  connections: {
    resume: string | null;
    new_token?: true;
    steps: Step[];
    then: 'stays' | 'none' | 'at_once' | 'backed_off' | { after_ms: number };
  }[];
  expect: { states: string[]; handed_over: string[]; snapshots: string[][]; gaps: string[] };
}

const table = contract<{ now: string; messages: Record<string, string>; rows: Row[] }>('vectors/client_faults.json');

class World {
  readonly clock = new Clock();
  readonly sockets: FakeSocket[] = [];
  readonly states: string[] = [];
  readonly handedOver: string[] = [];
  readonly snapshots: string[][] = [];
  readonly gaps: string[] = [];
  readonly client: CarillonClient;
  #tokens = 0;
  /** Messages of the client that a step has seen. */
  #seen = 0;

  constructor() {
    this.clock.now = Date.parse(table.now);
    const browser = new FakeBrowser(this.clock, () => 0.5);
    const { env } = browser.tab((url, protocols) => {
      const socket = new FakeSocket(new URL(url), protocols);
      this.sockets.push(socket);
      this.#seen = 0;
      return socket;
    });
    this.client = new CarillonClient(
      {
        url: 'wss://test',
        token: () => tokenOf('alice', { jti: this.#tokens++ }),
        onNotification: ({ id }) => this.handedOver.push(id),
        onSnapshot: ({ notifications }) => this.snapshots.push(notifications.map(({ id }) => id)),
        onGap: ({ reason }) => this.gaps.push(reason),
        onStatus: ({ state }) => state === this.states.at(-1) || this.states.push(state),
      },
      env,
    );
  }

  async take(step: Step): Promise<void> {
    const socket = this.sockets.at(-1)!;
    if ('send' in step) socket.receive(table.messages[step.send]!.repeat(step.times ?? 1));
    else if ('send_binary' in step) socket.receive(Buffer.from(step.send_binary, 'hex').buffer);
    else if ('silence_ms' in step) await this.clock.advance(step.silence_ms);
    else if ('close' in step) socket.end(step.close, step.reason);
    else if ('drop' in step || 'refuse' in step) socket.end();
    else if ('client_closes' in step) expect(socket.isClosedByClient).toBe(true);
    else if ('expect' in step) this.#expectSent(step.expect);
    await settle();
  }

  #expectSent(members: object): void {
    const { sent } = this.sockets.at(-1)!;
    const isIt = (text: string) => {
      const message = JSON.parse(text);
      return Object.entries(members).every(([name, value]) => message[name] === value);
    };
    const at = sent.findIndex((text, index) => index >= this.#seen && isIt(text));
    expect(at, `${JSON.stringify(members)} was sent`).toBeGreaterThanOrEqual(0);
    this.#seen = at + 1;
  }

  /** The next connection comes when it should, and not before. */
  async wait(then: Row['connections'][0]['then']): Promise<void> {
    const { length } = this.sockets;
    if (then === 'stays' || then === 'none') {
      expect(this.client.status.retryAt).toBeUndefined();
      if (then === 'stays') expect(this.sockets.at(-1)!.isClosedByClient).toBe(false);
      else expect(this.client.status.state).toBe('refused');
      return;
    }
    const wait = this.client.status.retryAt!.getTime() - this.clock.now;
    if (then === 'at_once') expect(wait).toBe(0);
    else if (then !== 'backed_off') expect(wait).toBe(then.after_ms);
    else expect(wait > 0 && wait <= BACK_OFF_MAX, `${wait} ms`).toBe(true);
    if (wait > 0) await this.clock.advance(wait - 1);
    expect(this.sockets.length, 'not before').toBe(length);
    await this.clock.advance(wait > 0 ? 1 : 0);
    expect(this.sockets.length, 'the next connection').toBe(length + 1);
  }
}

describe('client_faults.json', () => {
  test.each(table.rows.map((row) => [row.name, row] as const))('%s', async (_, { connections, expect: expected }) => {
    const world = new World();
    await settle();
    let token = '';
    for (const [index, { resume, new_token, steps, then }] of connections.entries()) {
      const socket = world.sockets.at(-1)!;
      expect(world.sockets.length).toBe(index + 1);
      expect(socket.resume).toBe(resume);
      if (new_token) expect(socket.token).not.toBe(token);
      token = socket.token;
      for (const step of steps) await world.take(step);
      const isLast = index === connections.length - 1;
      if (!isLast || typeof then === 'string') await world.wait(then);
    }
    world.states.unshift('connecting');
    const states = world.states.filter((state, index) => state !== world.states[index - 1]);
    expect({ states, handed_over: world.handedOver, snapshots: world.snapshots, gaps: world.gaps }).toEqual(expected);
  });
});
