// The console while its connection, its token or its server does not last.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { TwoTabBrowser } from './background_tab.mjs';
import { launchChromium } from './chromium.mjs';
import { ConsolePage, openWindow } from './console_page.mjs';
import { Forwarder } from './forwarder.mjs';
import { alert, order, signal } from './published.mjs';
import { Server, until } from './server.mjs';

let browser;

before(async () => {
  browser = await launchChromium();
});

after(() => browser?.close());

// High enough that every row of these tests is drawn.
const TALL = { viewport: { width: 1280, height: 2400 } };

async function startServer(t, config) {
  const server = await Server.start(config);
  t.after(() => server.stop());
  return server;
}

const newSignals = (count) => Array.from({ length: count }, () => signal(randomUUID()));
const newestFirst = (signals) => signals.map((event) => event.payload.instrument_id).reverse();
const inSeconds = (seconds) => Math.floor(Date.now() / 1000) + seconds;

test('a server that is killed three times: stale, live again, and everything there once', async (t) => {
  const server = await startServer(t);
  const page = await ConsolePage.open(t, await openWindow(t, browser, TALL), server, server.token('alice'));
  await page.is('live');
  const published = [];
  const publish = async (events) => {
    await server.publish(...events);
    published.push(...events);
  };
  for (let life = 0; life < 3; ++life) {
    await publish(newSignals(5));
    await server.kill();
    await page.is('stale');
    await server.begin();
    await publish(newSignals(5));
    await page.is('live');
    await publish(newSignals(1));
    await page.fieldIs('signals', 'instrument', newestFirst(published));
  }
  assert.equal(await page.added('signals'), published.length);
});

test('a server that is drained and begins again: the page is back, and everything is there once', async (t) => {
  const server = await startServer(t);
  const page = await ConsolePage.open(t, await openWindow(t, browser, TALL), server, server.token('alice'));
  await page.is('live');
  const published = newSignals(6);
  await server.publish(...published.slice(0, 3));
  assert.equal(await server.drain(), 0);
  await page.is('stale');
  await page.isAccessible();
  await server.begin();
  await server.publish(...published.slice(3));
  await page.is('live');
  await page.fieldIs('signals', 'instrument', newestFirst(published));
});

// Everything that the first token may do ends with it: within a second, no leeway being given.
const noLeeway = { auth: ['leeway = "0s"'] };
const endOf = (exp) => until(() => Date.now() > exp * 1000 + 1000, 'the end of the first token', 20_000);

test('a token that is about to end is replaced on the same connection', async (t) => {
  const server = await startServer(t, noLeeway);
  const exp = inSeconds(6);
  const page = await ConsolePage.open(t, await openWindow(t, browser), server, server.token('alice', { exp }));
  await page.is('live');
  await page.get('new-token').fill(server.token('alice'));
  await page.get('new-token-submit').click();
  await page.get('new-token').waitFor({ state: 'detached' });
  await endOf(exp);

  const [event] = newSignals(1);
  await server.publish(event);
  await page.shows(page.saying('signals', event.payload.instrument_id));
  await page.is('live');
  assert.equal(page.sockets.length, 1);
  assert.equal(await server.metric('carillon_connections'), 1);
  assert.equal(await server.metric('carillon_sessions_closed_total'), 0);
});

test('a token that has ended: the page says so, and goes on from where it was with another one', async (t) => {
  const server = await startServer(t, noLeeway);
  const window = await openWindow(t, browser, TALL);
  const page = await ConsolePage.open(t, window, server, server.token('alice', { exp: inSeconds(4) }));
  await page.is('live');
  const published = newSignals(2);
  await server.publish(published[0]);
  await page.is('stale');
  assert.equal(await server.metric('carillon_sessions_closed_total', { code: '4419' }), 1);
  await server.publish(published[1]);
  await page.get('new-token').fill(server.token('alice'));
  await page.get('new-token-submit').click();
  await page.is('live');
  await page.fieldIs('signals', 'instrument', newestFirst(published));
  assert.equal(page.sockets.length, 2);
});

test('two tabs of one user have one connection, and the other goes on when its tab is closed', async (t) => {
  const server = await startServer(t);
  const window = await openWindow(t, browser, TALL);
  const published = newSignals(3);
  const first = await ConsolePage.open(t, window, server, server.token('alice'));
  await first.is('live');
  await server.publish(published[0]);
  await first.shows(first.saying('signals', published[0].payload.instrument_id));

  const second = await ConsolePage.open(t, window, server, server.token('alice'));
  await second.is('live');
  await server.publish(published[1], order('alice', 'o-1', 'SUBMITTED', '0.10'));
  for (const page of [first, second]) {
    await page.shows(page.saying('signals', published[1].payload.instrument_id));
    await page.shows(page.row('orders', 'o-1', 'SUBMITTED'));
  }
  assert.equal(await server.metric('carillon_sessions'), 1);
  assert.deepEqual([first.sockets.length, second.sockets.length], [1, 0]);

  await first.tab.close();
  await server.publish(published[2], order('alice', 'o-1', 'FILLED', '1.50', '64000.10'));
  await second.shows(second.row('orders', 'o-1', 'FILLED'));
  await second.is('live');
  await second.fieldIs('signals', 'instrument', newestFirst(published.slice(1)));
  assert.equal(await second.get('orders').locator('[role=row][data-id]').count(), 1);
  await until(async () => (await server.metric('carillon_sessions')) === 1, 'one session');
});

test('a server that is killed under two tabs: each has everything once, by one connection', async (t) => {
  const server = await startServer(t);
  const window = await openWindow(t, browser, TALL);
  const tabs = [];
  for (let count = 0; count < 2; ++count) {
    tabs.push(await ConsolePage.open(t, window, server, server.token('alice')));
    await tabs.at(-1).is('live');
  }
  const published = newSignals(6);
  await server.publish(...published.slice(0, 3));
  await server.kill();
  for (const page of tabs) await page.is('stale');
  await server.begin();
  await server.publish(...published.slice(3));
  for (const page of tabs) {
    await page.is('live');
    await page.fieldIs('signals', 'instrument', newestFirst(published));
  }
  assert.equal(await server.metric('carillon_sessions'), 1);
});

test('tabs of two users have a connection each', async (t) => {
  const server = await startServer(t);
  const window = await openWindow(t, browser);
  const alice = await ConsolePage.open(t, window, server, server.token('alice'));
  await alice.is('live');
  const bob = await ConsolePage.open(t, window, server, server.token('bob'));
  await bob.is('live');
  assert.equal(await server.metric('carillon_sessions'), 2);
  assert.deepEqual([alice.sockets.length, bob.sockets.length], [1, 1]);
});

test('a tab in the background stays connected for longer than a silent one would', async (t) => {
  const server = await startServer(t, { heartbeat: ['interval = "1s"', 'timeout = "1s"'] });
  const browser = await TwoTabBrowser.start();
  t.after(() => browser.stop());
  const tab = await browser.open(`${server.consoleUrl}#token=${server.token('alice')}`);
  const datum = (testId, name) => tab.evaluate(`document.querySelector('[data-testid=${testId}]')?.dataset.${name}`);
  const state = () => datum('state', 'state');
  const added = () => datum('signals-count', 'added');
  await until(async () => (await state()) === 'live', 'the state live');
  await browser.open('about:blank');
  assert.equal(await tab.evaluate('document.visibilityState'), 'hidden');

  await server.publish(...newSignals(1));
  const end = Date.now() + 5_000;
  await until(() => Date.now() > end, 'two silences and more');
  await server.publish(...newSignals(1));
  await tab.toFront();
  await until(async () => (await added()) === '2', 'both signals');
  assert.equal(await state(), 'live');
  assert.equal(await server.metric('carillon_sessions_closed_total'), 0);
});

test('a gap is said, and what stands is fetched', async (t) => {
  // With less memory than what is published meanwhile takes.
  const server = await startServer(t, {
    window: ['bytes = "1MiB"'],
    'log.journal': ['retention_bytes = "1MiB"'],
  });
  const way = await Forwarder.start(server.port);
  t.after(() => way.stop());
  const consoleUrl = server.consoleUrl.replace(server.port, way.port);
  const window = await openWindow(t, browser, TALL);
  const page = await ConsolePage.open(t, window, { consoleUrl }, server.token('alice'));
  await page.is('live');
  await server.publish(order('alice', 'o-ends', 'SUBMITTED', '0'), order('alice', 'o-stays', 'SUBMITTED', '0'));
  await page.shows(page.row('orders', 'o-stays'));

  way.cut();
  await page.is('stale');
  await server.publish(order('alice', 'o-ends', 'FILLED', '1.50', '64000.10'));
  for (let part = 0; part < 3; ++part) {
    await server.publish(...Array.from({ length: 200 }, () => alert('INFO', 'x'.repeat(4000))));
  }
  await server.pushed();
  way.mend();
  await page.get('gap').waitFor();
  assert.match(await page.get('gap').innerText(), /no longer holds what followed/);
  await page.isAccessible();
  await page.is('live');
  await page.row('orders', 'o-ends', 'ENDED_UNSEEN').waitFor();
  await page.row('orders', 'o-stays', 'SUBMITTED').waitFor();
  await page.get('notice').getByRole('button').click();
  await page.get('gap').waitFor({ state: 'detached' });
});
