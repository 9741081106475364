// Pictures of the console on a busy day, of a server that runs meanwhile: node screenshots.mjs FOLDER.

import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { launchChromium } from './chromium.mjs';
import { Server } from './server.mjs';

const [folder] = process.argv.slice(2);
const TICK_MS = 500;
/** So many before the first picture: the charts have something to show. */
const TICKS = 150;
const CROWD = 40;

// Price, its digits, and what an order is for.
const MARKETS = {
  'BTC/USDT': ['64012.50', 2, ['0.250', '1.50']],
  'ETH/USDT': ['3120.80', 2, ['4.00', '12.50']],
  'SOL/USDT': ['152.310', 3, ['400', '85.0']],
  'XRP/USDT': ['0.52340', 5, ['25000', '9500']],
};
const AGENTS = ['TrendAgent-002', 'AnalystAgent-001', 'ArbAgent-007'];
const ALERTS = [
  ['INFO', 'Rebalancing of portfolio A is done', 'portfolio'],
  ['WARNING', 'Market data of SOL/USDT is 3 s old', 'market-data'],
  ['INFO', 'Strategy mean-reversion was resumed', 'strategy'],
  ['ERROR', 'Risk check took 900 ms; orders wait', 'risk'],
  ['INFO', 'Funding rates were updated', 'market-data'],
  ['CRITICAL', 'Exchange connection lost; trading is paused', 'gateway'],
  ['WARNING', 'Margin is at 80 %', 'risk'],
];

// The same day each time.
let seed = 7;
function below(limit) {
  seed = (seed * 1103515245 + 12345) % 2 ** 31;
  return Math.floor((seed / 2 ** 31) * limit);
}
const oneOf = (list) => list[below(list.length)];

const around = (instrument, percent) => {
  const [price, digits] = MARKETS[instrument];
  return (Number(price) * (1 + percent / 100)).toFixed(digits);
};
const step = () => (below(200) - 100) / 100;

function signal() {
  const instrument = oneOf(Object.keys(MARKETS));
  const direction = oneOf(['BUY', 'SELL']);
  const ahead = direction === 'BUY' ? 1 : -1;
  const targets = [2, 4].map((percent) => around(instrument, ahead * percent));
  return `{"event": "new_trade_signal", "payload": {"signal_id": "${randomUUID()}", "instrument_id": "${instrument}",
    "direction": "${direction}", "entry_price": ${around(instrument, step())}, "stop_loss": ${around(instrument, -2 * ahead)},
    "take_profit": [${targets}], "source_agent_id": "${oneOf(AGENTS)}", "confidence": 0.${60 + below(39)}}}`;
}

function alert(at) {
  const [level, message, component] = ALERTS[at % ALERTS.length];
  return { event: 'system_alert', payload: { alert_id: randomUUID(), level, message, component } };
}

let orders = 1040;
const open = [];

function newOrder() {
  const instrument = oneOf(Object.keys(MARKETS));
  const total = oneOf(MARKETS[instrument][2]);
  const part = (Number(total) * oneOf([0.2, 0.4, 0.6])).toFixed(total.split('.')[1]?.length ?? 0);
  const price = around(instrument, step());
  const ends = [
    ['FILLED', total, price],
    ['FILLED', total, price],
    ['CANCELED', part, price],
    ['EXPIRED', part, price],
  ];
  const course = [['SUBMITTED', '0'], ['PARTIALLY_FILLED', part, price], oneOf(ends)];
  if (below(8) === 0) course.splice(1, 2, ['REJECTED', '0', undefined, 'Margin']);
  return { id: `o-${++orders}`, instrument, side: oneOf(['BUY', 'SELL']), total, course };
}

// The next update of one of alice's orders.
function update() {
  if (open.length < 3) open.push(newOrder());
  const order = oneOf(open);
  const [status, filled, price, reason] = order.course.shift();
  if (order.course.length === 0) open.splice(open.indexOf(order), 1);
  const more = (price ? `, "price_avg_filled": ${price}` : '') + (reason ? `, "reason_failed": "${reason}"` : '');
  return `{"event": "order_update", "user_id": "alice", "payload": {"order_id": "${order.id}",
    "instrument_id": "${order.instrument}", "status": "${status}", "side": "${order.side}", "type": "LIMIT",
    "quantity_total": ${order.total}, "quantity_filled": ${filled}${more}}}`;
}

function joinCrowd(server, at) {
  const headers = { Authorization: `Bearer ${server.token(`user-${at}`)}` };
  const socket = new WebSocket(server.url, { ca: server.certificate, headers });
  socket.on('message', (data) => {
    if (JSON.parse(data).event === 'ping') socket.send('{"type":"heartbeat","event":"pong"}');
  });
  return socket;
}

async function openConsole(browser, server, token, options) {
  const window = await browser.newContext({ viewport: { width: 1440, height: 820 }, locale: 'en', ...options });
  const page = await window.newPage();
  await page.goto(`${server.consoleUrl}#token=${token}`);
  await page.locator('[data-testid=state][data-state=live]').waitFor();
  return page;
}

const server = await Server.start();
const browser = await launchChromium();
try {
  await server.publish(alert(0));
  await server.appendForeign(
    '{"event": "new_trade_signal", "payload": {',
    '{"event": "system_alert", "payload": {"alert_id": "a-9", "level": "LOUD", "message": "Hello"}}',
  );
  const crowd = Array.from({ length: CROWD }, (_, at) => joinCrowd(server, at));
  const exp = Math.floor(Date.now() / 1000) + 8 * 3600;
  const alice = server.token('alice', { exp });
  const operator = server.token('operator', { scope: 'signals orders alerts admin', exp });
  const high = { viewport: { width: 1440, height: 1260 } };
  const pages = {
    'console-light.png': await openConsole(browser, server, alice, { colorScheme: 'light' }),
    'console-dark.png': await openConsole(browser, server, alice, { colorScheme: 'dark' }),
    'console-light.zh-CN.png': await openConsole(browser, server, alice, { colorScheme: 'light', locale: 'zh-CN' }),
    'operations.png': await openConsole(browser, server, operator, high),
    'operations.zh-CN.png': await openConsole(browser, server, operator, { ...high, locale: 'zh-CN' }),
  };
  for (const name of ['operations.png', 'operations.zh-CN.png'])
    await pages[name].getByTestId('tab-operations').click();

  for (let tick = 0; tick < TICKS; ++tick) {
    const events = [...Array.from({ length: 1 + below(3) }, signal), update(), update()];
    if (tick % 6 === 0) events.push(alert(tick / 6));
    await server.publish(...events);
    await pause(TICK_MS);
  }
  for (const [name, page] of Object.entries(pages)) await page.screenshot({ path: path.join(folder, name) });
  for (const socket of crowd) socket.close();
} finally {
  await browser.close();
  await server.stop();
}
