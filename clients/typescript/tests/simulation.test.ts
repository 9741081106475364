// Tabs of one browser, a server whose connections break at any point, and chance from a seed. What each tab is handed
// over is what was published, once, in order.

import { describe, expect, test } from 'vitest';
import { CarillonClient } from '../src/carillon.js';
import type { CarillonOptions, Snapshot, TradeNotification } from '../src/types.js';
import { FakeServer, indexOf, positionOf } from './fake_server.js';
import { Clock, FakeBrowser, randomFrom, tokenOf } from './world.js';

const SEEDS = Number(process.env.SEEDS ?? 700);
const FIRST_SEED = Number(process.env.FIRST_SEED ?? 1);
const STEPS = 40;
const TABS_MAX = 4;

/** One tab, and what must come to it next. */
class Tab {
  readonly client: CarillonClient;
  readonly browser: ReturnType<FakeBrowser['tab']>;
  readonly handedOver: number[] = [];
  /** The entry up to which everything was handed over; undefined: it has not begun. */
  at?: number;
  isAfterGap = false;
  #server: FakeServer;
  #isInOrder: boolean;

  constructor(browser: FakeBrowser, server: FakeServer, options: Partial<CarillonOptions>, isInOrder = true) {
    this.#server = server;
    this.#isInOrder = isInOrder;
    if (options.resume !== undefined) this.at = indexOf(options.resume);
    this.browser = browser.tab(server.connect);
    this.client = new CarillonClient(
      {
        url: 'wss://test',
        token: tokenOf('alice'),
        onNotification: (notification) => this.#take(notification),
        onSnapshot: (snapshot) => this.#begin(snapshot),
        onGap: ({ requested }) => {
          if (indexOf(requested!) >= server.oldest) throw new Error('a gap that is none');
          this.isAfterGap = true;
        },
        ...options,
      },
      this.browser.env,
    );
  }

  #begin({ position, notifications }: Snapshot): void {
    const index = indexOf(position);
    if (this.at !== undefined && !this.isAfterGap) throw new Error('a snapshot that was not asked for');
    expect(notifications.map(({ id }) => indexOf(id))).toEqual(this.#server.standingAt(index));
    expect(notifications.every(({ snapshot, replayed }) => snapshot && !replayed)).toBe(true);
    this.at = index;
    this.isAfterGap = false;
  }

  #take({ id, snapshot }: TradeNotification): void {
    const index = indexOf(id);
    if (snapshot || this.isAfterGap || this.at === undefined) throw new Error(`${id} came out of turn`);
    this.handedOver.push(index);
    if (!this.#isInOrder) return;
    const due = this.#server.log.slice(this.at).find(({ event }) => event)?.index;
    if (index !== due) throw new Error(`after ${this.at} came ${index}, not ${due}`);
    this.at = index;
  }
}

class World {
  readonly clock = new Clock();
  readonly random: () => number;
  readonly server: FakeServer;
  readonly browser: FakeBrowser;
  readonly tabs: Tab[] = [];
  #orders = 0;

  constructor(seed: number) {
    this.random = randomFrom(seed);
    this.server = new FakeServer(this.clock, this.random);
    this.browser = new FakeBrowser(this.clock, this.random);
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  one<T>(list: Iterable<T>): T | undefined {
    const all = [...list];
    return all[Math.floor(this.random() * all.length)];
  }

  open(options: Partial<CarillonOptions> = {}, isInOrder = true): void {
    if (this.tabs.length < TABS_MAX) this.tabs.push(new Tab(this.browser, this.server, options, isInOrder));
  }

  publish(): void {
    const kind = this.random();
    const order_id = String(this.chance(0.5) ? this.#orders++ : Math.floor(this.random() * this.#orders));
    if (kind < 0.4) this.server.publish();
    else if (kind < 0.7)
      this.server.publish('order_update', { order_id, status: this.chance(0.3) ? 'FILLED' : 'SUBMITTED' });
    else if (kind < 0.9) this.server.publish('system_alert', { level: this.chance(0.5) ? 'ERROR' : 'INFO' });
    else this.server.publish('new_trade_signal', {});
  }

  /** Ends one tab, as when it is closed or crashes. */
  lose(): void {
    const tab = this.one(this.tabs);
    if (!tab || this.tabs.length < 2) return;
    this.tabs.splice(this.tabs.indexOf(tab), 1);
    if (this.chance(0.4)) tab.client.close();
    tab.browser.die();
    this.check(tab);
  }

  async step(isShared: boolean): Promise<void> {
    const what = this.random();
    const session = this.one(this.server.sessions);
    const tab = this.one(this.tabs);
    if (what < 0.5) for (let count = this.random() * 6; count > 0; count--) this.publish();
    else if (what < 0.65) session && this.server.drop(session, this.one([1006, 1011, 1012, 4411, 4419, 4420, 4429]));
    else if (what < 0.7) this.server.isDown = this.chance(0.4);
    else if (what < 0.8) this.open({ share: isShared, ...this.#beginning() });
    else if (what < 0.88) this.lose();
    else if (what < 0.92) tab?.browser.wake();
    else if (what < 0.96) tab?.browser.freeze(this.chance(0.5));
    else if (what < 0.98) tab?.browser.pause(this.chance(0.6));
    else if (this.chance(0.6)) this.server.oldest = this.server.log.length;
    await this.clock.advance(this.chance(0.2) ? this.random() * 30_000 : this.random() * 300);
  }

  #beginning(): Partial<CarillonOptions> {
    const { length } = this.server.log;
    return this.chance(0.3) ? { resume: positionOf(Math.floor(this.random() * (length + 1))) } : {};
  }

  /** Nothing fails any more: everybody gets everything. */
  async calm(): Promise<void> {
    this.server.isDown = false;
    this.server.skips = 0;
    for (const { browser } of this.tabs) {
      browser.freeze(false);
      browser.pause(false);
    }
    await this.clock.advance(240_000);
    for (let count = 0; count < 3; count++) {
      this.server.publish('system_alert', { level: 'INFO' });
      await this.clock.advance(30_000);
    }
  }

  check(tab: Tab): void {
    for (const error of tab.browser.reported) throw error;
  }
}

async function live(seed: number, isShared: boolean): Promise<void> {
  const world = new World(seed);
  world.open({ share: isShared });
  for (let step = 0; step < STEPS; step++) await world.step(isShared);
  await world.calm();
  for (const tab of world.tabs) {
    world.check(tab);
    expect(tab.client.status.state).toBe('live');
    expect(tab.at).toBe(world.server.log.length);
  }
  // One of those that share has the connection.
  const others = world.tabs.filter(({ client }) => client.status.shared);
  expect(others.length).toBe(isShared ? world.tabs.length - 1 : 0);
  expect(world.server.open).toBe(isShared ? 1 : world.tabs.length);
}

/** The server leaves messages out; what its heartbeats then say makes the client fetch them. */
async function skip(seed: number): Promise<void> {
  const world = new World(seed);
  for (let tab = 0; tab < 3; tab++) world.open({ share: tab > 0, resume: positionOf(0) }, false);
  await world.clock.advance(5_000);
  world.server.skips = 0.05;
  for (let step = 0; step < STEPS; step++) {
    for (let count = world.random() * 3; count > 0; count--) world.publish();
    await world.clock.advance(world.random() * 3_000);
  }
  await world.calm();
  const published = world.server.log.filter(({ event }) => event).map(({ index }) => index);
  for (const tab of world.tabs) {
    world.check(tab);
    expect([...tab.handedOver].sort((a, b) => a - b)).toEqual(published);
  }
}

describe('by seeds', () => {
  const run = async (trial: (seed: number) => Promise<void>) => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
      await trial(seed).catch((cause) => Promise.reject(new Error(`seed ${seed}`, { cause })));
    }
  };
  const options = { timeout: 600_000 };
  test('each client gets what was published, once, in order', options, () => run((seed) => live(seed, false)));
  test('so does each tab that shares a connection', options, () => run((seed) => live(seed, true)));
  test('what a server left out comes, once', options, () => run(skip));
});
