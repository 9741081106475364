// @carillon/client in a page of one's own: no bundler, no framework, another origin than the server's.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { launchChromium } from './chromium.mjs';
import { openWindow } from './console_page.mjs';
import { alert, order } from './published.mjs';
import { Server, until } from './server.mjs';

const README = new URL('../../clients/typescript/README.md', import.meta.url);
// Where the runner builds it.
const CLIENT = new URL('node_modules/@carillon/client/', import.meta.url);

// The README's example for a page, as printed.
const [, example] = /```\w+\n([^`]*share: true[^`]*)```/.exec(readFileSync(README, 'utf8'));
const [, host] = /wss:\/\/([\w.]+)/.exec(example);

const PAGE = `<!doctype html><title>A page that trades</title>
<script type="importmap">{"imports": {"@carillon/client": "/client/index.js"}}</script>
<script type="module">
import { Carillon } from '@carillon/client';
const desk = {
  rows: [], states: [],
  replaceStanding: (notifications) => (desk.standing = notifications),
  add: (notification) => desk.rows.push(notification),
  show: (state) => desk.states.push(state),
};
window.desk = desk;
${example}
</script>`;

let server, site, browser;

// The page, the client as it is built, and the tokens of the page's user.
function startSite() {
  return new Promise((resolve) => {
    const site = http.createServer(({ url }, response) => {
      const [, script] = /^\/client\/(\w+\.js)$/.exec(url) ?? [];
      response.setHeader('Content-Type', script ? 'text/javascript' : url === '/' ? 'text/html' : 'text/plain');
      if (script) response.end(readFileSync(new URL(script, CLIENT)));
      else response.end(url === '/' ? PAGE : server.token('alice'));
    });
    site.listen(0, '127.0.0.1', () => {
      site.origin = `http://localhost:${site.address().port}`;
      resolve(site);
    });
  });
}

before(async () => {
  site = await startSite();
  server = await Server.start({ server: [`allowed_origins = ["${site.origin}"]`] });
  browser = await launchChromium([`--host-resolver-rules=MAP ${host}:443 127.0.0.1:${server.port}`]);
});

after(async () => {
  await browser?.close();
  site?.close();
  await server?.stop();
});

test('the example of the README for a page runs as printed, over a kill of the server', async (t) => {
  const window = await openWindow(t, browser);
  const page = await window.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.stack));
  const desk = () => page.evaluate(() => JSON.parse(JSON.stringify(window.desk ?? null)));
  const state = async () => (await desk())?.states.at(-1);

  await server.publish(order('alice', 'o-1', 'SUBMITTED', '0.10'));
  await page.goto(site.origin);
  await until(async () => (await state()) === 'live', 'the state live');
  assert.deepEqual(
    (await desk()).standing.map(({ payload }) => [payload.order_id, payload.quantity_filled]),
    [['o-1', '0.10']],
  );

  const published = [order('alice', 'o-1', 'FILLED', '1.50', '64000.10'), alert('INFO', randomUUID())];
  await server.publish(published[0], order('bob', 'o-2', 'SUBMITTED', '0'));
  await server.kill();
  await until(async () => (await state()) === 'stale', 'the state stale');
  await server.begin();
  await server.publish(published[1]);
  const rows = await until(async () => {
    const { rows } = await desk();
    return rows.length >= published.length && rows;
  }, 'both events');
  assert.deepEqual(
    rows.map(({ event }) => event),
    ['order_update', 'system_alert'],
  );
  assert.equal(rows[0].payload.price_avg_filled, '64000.10');
  assert.equal(rows[1].payload.message, published[1].payload.message);
  await until(async () => (await state()) === 'live', 'the state live');
  assert.ok(!(await desk()).states.includes('refused'));
  assert.deepEqual(faults, []);
});
