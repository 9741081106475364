// A client's life beside a real server that is killed again and again.

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Server, until } from '../../../tests/browser/server.mjs';
import { Carillon } from '../src/node.js';
import type { TradeNotification } from '../src/types.js';

const KILLS = 20;
const BATCH = 7;

let server: Server;
beforeAll(async () => void (server = await Server.start()), 30_000);
afterAll(() => server.stop());

/** Publishes without end, in order; a call whose outcome is not known is repeated with the same ids. */
class Publisher {
  published = 0;
  #isEnding = false;
  readonly ended = this.#run();

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.ended;
  }

  async #run(): Promise<void> {
    while (!this.#isEnding) {
      const events = Array.from({ length: BATCH }, (_, index) => alert(this.published + index));
      await until(() => server.publish(...events).catch(() => undefined), 'an answer of the server', 60_000);
      this.published += BATCH;
      await sleep(5);
    }
  }
}

const alert = (number: number) => ({
  id: `e-${number}`,
  event: 'system_alert',
  payload: { alert_id: String(number), level: 'INFO', message: 'm', exact: 0.1 },
});

const numbersOf = (list: TradeNotification[]) =>
  list.map((each) => each.event === 'system_alert' && Number(each.payload.alert_id));

test(`0 lost, 0 repeated, in order, while the server is killed ${KILLS} times`, { timeout: 300_000 }, async () => {
  const got: TradeNotification[] = [];
  const states: string[] = [];
  const faults: unknown[] = [];
  const client = new Carillon({
    url: server.url,
    ca: server.certificate,
    token: () => server.token('alice'),
    receipts: true,
    onNotification: (notification) => got.push(notification),
    onStatus: ({ state }) => states.push(state),
    onGap: (gap) => faults.push(gap),
    onFault: (fault) => faults.push(fault),
  });
  const iterated: string[] = [];
  const iteration = (async () => {
    for await (const { id } of client) iterated.push(id);
  })();
  const isLive = () => until(() => client.status.state === 'live', 'live', 60_000);
  await isLive();

  const publisher = new Publisher();
  for (let kill = 0; kill < KILLS; kill++) {
    // Mostly when it has been live for a while, and every fourth time while it still catches up or has just done so.
    if (kill % 4 !== 3) await isLive().then(() => sleep(1_000 + 300 * Math.random()));
    else await until(() => client.status.state !== 'stale', 'a connection', 60_000);
    await server.kill();
    await until(() => client.status.state === 'stale', 'stale');
    await server.begin();
  }
  await publisher.end();
  await until(() => got.length >= publisher.published, 'everything', 60_000);
  await isLive();
  await sleep(200); // what came twice would be here by now

  expect(numbersOf(got)).toEqual(Array.from({ length: publisher.published }, (_, number) => number));
  expect(got.some(({ replayed }) => replayed) && got.some(({ replayed }) => !replayed)).toBe(true);
  expect(got[0]!.payload).toHaveProperty('exact', '0.1');
  expect(faults).toEqual([]);
  expect(states.filter((state) => state === 'refused')).toEqual([]);
  client.close();
  await iteration;
  expect(iterated).toEqual(got.map(({ id }) => id));
  console.log(`${publisher.published} events, ${KILLS} kills`);
});
