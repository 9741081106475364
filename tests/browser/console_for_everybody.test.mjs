// The console for those who read it in other ways: without a mouse, in the dark, in another language, and calmly.

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
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

test('nothing moves on the page while 100 events a second come', async (t) => {
  const window = await openWindow(t, browser);
  await window.addInitScript(() => {
    window.shifts = [];
    const nameOf = ({ node }) => node?.textContent;
    const watch = new PerformanceObserver((list) =>
      window.shifts.push(...list.getEntries().map(({ value, sources }) => [value, ...sources.map(nameOf)])),
    );
    watch.observe({ type: 'layout-shift', buffered: true });
  });
  const page = await ConsolePage.open(t, window, server, server.token('carol'));
  await page.is('live');
  await page.tab.evaluate(() => (window.shifts = []));
  const before = await page.added('signals');
  const orders = Array.from({ length: 7 }, () => `order-${randomUUID()}`);
  const rounds = 40;
  let next = Date.now();
  for (let round = 1; round <= rounds; ++round) {
    const signals = Array.from({ length: 6 }, () => signal('ETH/USDT'));
    const own = order('carol', orders[round % orders.length], 'PARTIALLY_FILLED', `0.${round}`, '64000.10');
    await server.publish(
      ...signals,
      own,
      alert('INFO', 'a'),
      alert('WARNING', 'b '.repeat(300)),
      alert('CRITICAL', 'c'),
    );
    next += 100;
    await until(() => Date.now() >= next, 'the next tenth of a second');
  }
  await until(async () => (await page.added('signals')) === before + 6 * rounds, 'all of it');
  assert.equal(await page.get('orders').locator('[role=row][data-id]').count(), orders.length);
  assert.deepEqual(await page.tab.evaluate(() => window.shifts), []);
});

for (const locale of ['en', 'zh-CN']) {
  test(`the page is accessible in ${locale}`, async (t) => {
    const window = await openWindow(t, browser, { locale });
    const page = await ConsolePage.open(t, window, server);
    await page.isAccessible();
    await page.get('token').fill('nonsense');
    await page.get('token-submit').click();
    await page.get('refusal').waitFor();
    await page.isAccessible();

    await page.get('token').fill(server.token('dave', { exp: Math.floor(Date.now() / 1000) + 90 }));
    await page.get('token-submit').click();
    await page.is('live');
    assert.equal(await page.tab.evaluate(() => document.documentElement.lang), locale === 'en' ? 'en' : 'zh-CN');
    const statuses = ['SUBMITTED', 'PARTIALLY_FILLED', 'FILLED', 'CANCELED', 'REJECTED', 'EXPIRED'];
    const orders = statuses.map((status) =>
      order('dave', `order-${randomUUID()}`, status, status === 'FILLED' ? '1.50' : '0.10'),
    );
    const alerts = ['INFO', 'WARNING', 'ERROR', 'CRITICAL'].map((level) => alert(level, 'A message'));
    const last = alert('INFO', randomUUID());
    await server.publish(...orders, signal('BTC/USDT'), ...alerts, last);
    await page.shows(page.saying('alerts', last.payload.message));
    await page.isAccessible();
    await page.saying('alerts', last.payload.message).click();
    await page.get('details').waitFor();
    await page.isAccessible();
  });
}

test('the colours are those of the system until others are chosen', async (t) => {
  const page = await ConsolePage.open(t, await openWindow(t, browser, { colorScheme: 'dark' }), server);
  await page.hasColours('dark');
  await page.tab.emulateMedia({ colorScheme: 'light' });
  await page.hasColours('light');

  const choose = () => page.get('theme').click(); // light, dark, auto
  await choose();
  await choose();
  await page.hasColours('dark');
  await page.tab.reload();
  await page.hasColours('dark');
  await choose();
  await page.hasColours('light');
});

test('the keyboard alone signs in, goes through the lists and opens what is there', async (t) => {
  const page = await ConsolePage.open(t, await openWindow(t, browser), server);
  const { keyboard } = page.tab;
  await page.tabTo('token');
  await keyboard.insertText(server.token('erin'));
  await keyboard.press('Enter');
  await page.is('live');

  const ids = ['order-1', 'order-2', 'order-3'];
  await server.publish(...ids.map((id) => order('erin', id, 'SUBMITTED', '0.10')));
  await page.shows(page.row('orders', 'order-3'));
  await page.tabTo('orders-title');
  await keyboard.press('ArrowDown');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await page.get('details').getByText('order-2', { exact: true }).waitFor();
  await keyboard.press('Escape');
  await page.get('details').waitFor({ state: 'detached' });

  await page.tabTo('language');
  await keyboard.press('Enter');
  await page.tab.locator('html[lang|="zh"]').waitFor();
  await page.tabTo('sign-out');
  await keyboard.press('Enter');
  await page.get('sign-in').waitFor();
});
