// The console as an operator has it: how the node does, and what to do about records that were no events.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { launchChromium } from './chromium.mjs';
import { ConsolePage, openWindow } from './console_page.mjs';
import { alert, order, signal } from './published.mjs';
import { Server, until } from './server.mjs';

let server, browser;

before(async () => {
  [server, browser] = await Promise.all([Server.start(), launchChromium()]);
  await server.publish(signal('BTC/USDT')); // so that there is a journal
  await server.appendForeign('{broken');
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

const operator = () => server.token('operator', { scope: 'signals orders alerts admin' });

async function openOperations(t, options) {
  const page = await ConsolePage.open(t, await openWindow(t, browser, options), server, operator());
  await page.get('tab-operations').click();
  await page.get('figure-sessions').waitFor();
  return page;
}

// An alert that is too far in the future, and in some seconds is not.
function soonValid(message) {
  const event = alert('ERROR', message);
  return { ...event, timestamp: new Date(Date.now() + 86_400_000 + 3_000).toISOString() };
}

const letter = (page, reason) =>
  page.get('dead-letters').locator('tbody tr', { has: page.tab.getByText(reason, { exact: true }) });

test('the figures follow what happens', async (t) => {
  const page = await openOperations(t);
  const text = (testId) => page.get(testId).innerText();
  await until(async () => (await text('figure-sessions')) === '1', 'one session');
  const other = await ConsolePage.open(t, await openWindow(t, browser), server, server.token('alice'));
  await other.is('live');
  await until(async () => (await text('figure-sessions')) === '2', 'two sessions');
  assert.match(await text('figure-ready'), /^Ready/);
  assert.match(await text('figure-log'), /^writable/);

  await server.publish(...Array.from({ length: 20 }, () => signal('BTC/USDT')));
  await until(async () => Number(await text('figure-events-per-second')) > 0, 'a rate of events');

  // It is another's, and has no other end than this one.
  const id = `order-${randomUUID()}`;
  await server.publish(
    order('alice', id, 'FILLED', '1.50', '64000.10'),
    order('alice', id, 'SUBMITTED', '0'),
    order('bob', id, 'FILLED', '1.50'),
  );
  await page.get('counts-withheld').locator('tr[data-word]').first().waitFor();
  await page.get('counts-dead-letter-reasons').locator('tr[data-word=owner_mismatch]').waitFor();
  const refused = await server.call('GET', '/v1/stats', 'nonsense');
  assert.equal(refused.status, 401);
});

test('a dead letter has its reason, and is replayed once it is valid', async (t) => {
  const message = randomUUID();
  await server.appendForeign(JSON.stringify(soonValid(message)));
  const page = await openOperations(t);
  await letter(page, 'not_json').waitFor();
  await letter(page, 'not_json').getByRole('button', { name: 'Replay' }).click();
  await page
    .get('replay-outcome')
    .getByText(/is still refused: not_json/)
    .waitFor();

  const future = page.get('dead-letters').locator('tbody tr', { hasText: message });
  await until(
    async () => {
      if ((await future.count()) === 0) return true;
      await future.getByRole('button', { name: 'Replay' }).click();
      await page
        .get('replay-outcome')
        .getByText(/was replayed|is still refused/)
        .waitFor();
      return false;
    },
    'the replay',
    20_000,
  );
  await page
    .get('replay-outcome')
    .getByText(/^1 record was replayed/)
    .waitFor();
  assert.equal(await letter(page, 'not_json').count(), 1);
  await page.get('tab-trading').click();
  await page.saying('alerts', message).waitFor();
});

test('who is no operator has no such view, and no answer', async (t) => {
  const page = await ConsolePage.open(t, await openWindow(t, browser), server, server.token('alice'));
  await page.is('live');
  await page.get('tab-trading').waitFor();
  assert.equal(await page.get('tab-operations').count(), 0);
  const body = JSON.stringify({ positions: ['j1.1'] });
  for (const [method, path, sent] of [
    ['GET', '/v1/stats'],
    ['GET', '/v1/dead-letters'],
    ['POST', '/v1/dead-letters/replay', body],
  ]) {
    assert.equal((await server.call(method, path, server.token('alice'), sent)).status, 403, path);
  }
});

test('the keyboard alone goes to the operations and replays a dead letter', async (t) => {
  const message = randomUUID();
  await server.appendForeign(JSON.stringify({ event: 'system_alert', payload: { message } }));
  const page = await ConsolePage.open(t, await openWindow(t, browser), server, operator());
  await page.is('live');
  await page.tabTo('tab-trading');
  await page.tab.keyboard.press('ArrowRight');
  const row = page.get('dead-letters').locator('tbody tr', { hasText: message });
  await row.waitFor();
  assert.equal(await page.focused(), 'tab-operations');
  const button = await row.getByRole('button').getAttribute('aria-label');
  await page.tabTo(button);
  await page.tab.keyboard.press('Enter');
  await page
    .get('replay-outcome')
    .getByText(/is still refused/)
    .waitFor();
});

for (const locale of ['en', 'zh-CN']) {
  test(`the operations are accessible in ${locale}`, async (t) => {
    const page = await openOperations(t, { locale });
    await letter(page, 'not_json').waitFor();
    await page.isAccessible();
  });
}
