// The console as a trader has it: signing in, and events as they happen.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { launchChromium } from './chromium.mjs';
import { ConsolePage, openWindow } from './console_page.mjs';
import { alert, order } from './published.mjs';
import { Server } from './server.mjs';

let server, browser;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launchChromium()]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('a token in the fragment signs in, leaves the address bar, and is in no URL that is asked for', async (t) => {
  const window = await openWindow(t, browser);
  const asked = [];
  window.on('request', (request) => asked.push(request.url().split('#')[0]));
  const token = server.token('alice');
  const page = await ConsolePage.open(t, window, server, token);
  await page.is('live');
  assert.equal(page.tab.url(), server.consoleUrl);
  assert.equal(await page.tab.evaluate(() => location.hash), '');
  assert.match(await page.get('user').innerText(), /alice$/);

  asked.push(...page.sockets.map((socket) => socket.url()));
  assert.ok(asked.length >= 3);
  const length = await page.tab.evaluate(() => history.length);
  await page.tab.reload();
  await page.is('live');
  assert.equal(await page.tab.evaluate(() => history.length), length);
  asked.push(...page.sockets.map((socket) => socket.url()));
  for (const url of asked) assert.ok(!url.includes(token.split('.')[2]), url);
});

test('a pasted token signs in, and signing out forgets it', async (t) => {
  const page = await ConsolePage.open(t, await openWindow(t, browser), server);
  await page.tab.getByLabel('Access token').fill(`  ${server.token('alice')}\n`);
  await page.tab.getByRole('button', { name: 'Sign in' }).click();
  await page.is('live');
  await page.get('sign-out').click();
  await page.get('sign-in').waitFor();
  await page.tab.reload();
  await page.get('sign-in').waitFor();
  assert.equal(await page.tab.evaluate(() => JSON.stringify(sessionStorage).includes('eyJ')), false);
});

const faulty = {
  'is no token': [() => 'hello', /this is not a token/],
  'has ended': [() => server.token('alice', { exp: 1_000_000_000 }), /has expired/],
  'was signed by somebody else': [
    () => server.token('alice').replace(/[^.]{43}$/, 'A'.repeat(43)),
    /not signed by a key/,
  ],
};
for (const [what, [make, why]] of Object.entries(faulty)) {
  for (const way of ['pasted', 'in the fragment']) {
    test(`a token that ${what}, ${way}, is refused, and the page says why`, async (t) => {
      const window = await openWindow(t, browser);
      const page = await ConsolePage.open(t, window, server, way === 'pasted' ? undefined : make());
      if (way === 'pasted') {
        await page.get('token').fill(make());
        await page.get('token-submit').click();
      }
      await page.get('refusal').waitFor();
      assert.match(await page.get('refusal').innerText(), why);

      await page.get('token').fill(server.token('alice'));
      await page.get('token-submit').click();
      await page.is('live');
    });
  }
}

test('a signal that is published appears, with all of it', async (t) => {
  const page = await ConsolePage.open(t, await openWindow(t, browser), server, server.token('alice'));
  await page.is('live');
  const instrument = randomUUID();
  await server.publish(`{"event": "new_trade_signal", "payload": {"signal_id": "${randomUUID()}",
    "instrument_id": "${instrument}", "direction": "SELL", "entry_price": 64000.10, "stop_loss": 1.50,
    "take_profit": [0.10, 1e-08], "source_agent_id": "AnalystAgent-001", "confidence": 0.90}}`);
  await page.shows(page.saying('signals', instrument));
  assert.match(await page.saying('signals', instrument).innerText(), /SELL/);
  const shown = (await page.rows('signals')).find((row) => row.instrument === instrument);
  assert.deepEqual(shown, {
    instrument,
    entry: '64000.10',
    stop: '1.50',
    targets: '0.10 · 1e-08',
    confidence: '0.90',
    agent: 'AnalystAgent-001',
  });
});

test('an order goes from SUBMITTED to FILLED in one row, with the digits that were published', async (t) => {
  const page = await ConsolePage.open(t, await openWindow(t, browser), server, server.token('alice'));
  await page.is('live');
  const id = `order-${randomUUID()}`;
  const steps = [
    ['SUBMITTED', '0', ''],
    ['PARTIALLY_FILLED', '0.10', '64000.10'],
    ['FILLED', '1.50', '64000.100'],
  ];
  for (const [status, filled, price] of steps) {
    await server.publish(order('alice', id, status, filled, price));
    await page.shows(page.row('orders', id, status));
    const rows = (await page.rows('orders')).filter((row) => row.order === id);
    assert.equal(rows.length, 1);
    const shown = [rows[0].status, rows[0].filled, rows[0].total, rows[0].average];
    assert.deepEqual(shown, [status.replace('_', ' '), filled, '1.50', price]);
  }
});

test('an alert appears for everybody, and an order for nobody else', async (t) => {
  const window = await openWindow(t, browser);
  // Two tabs of one browser: what is shared between the tabs of a user is not shared here.
  const alice = await ConsolePage.open(t, window, server, server.token('alice'));
  await alice.is('live');
  const bob = await ConsolePage.open(t, window, server, server.token('bob'));
  await bob.is('live');

  const [hers, his] = [`order-${randomUUID()}`, `order-${randomUUID()}`];
  const marker = alert('CRITICAL', randomUUID());
  await server.publish(order('alice', hers, 'SUBMITTED', '0'), order('bob', his, 'SUBMITTED', '0'), marker);
  for (const [page, own, other] of [
    [alice, hers, his],
    [bob, his, hers],
  ]) {
    await page.shows(page.saying('alerts', marker.payload.message));
    await page.shows(page.row('orders', own));
    // The alert was published behind it.
    assert.ok(!(await page.tab.content()).includes(other));
  }
});
