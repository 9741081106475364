// A page in Chromium as a client: what a front end gets from the browser's own WebSocket.

import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { launchChromium } from './chromium.mjs';
import { beginningQuery, oneOfEach, Server, until } from './server.mjs';

let server, browser, site, otherSite;

function startSite() {
  return new Promise((resolve) => {
    const site = http.createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html');
      response.end('<!doctype html><title>A page that trades</title>');
    });
    site.listen(0, '127.0.0.1', () => {
      site.origin = `http://localhost:${site.address().port}`;
      resolve(site);
    });
  });
}

before(async () => {
  [site, otherSite] = await Promise.all([startSite(), startSite()]);
  server = await Server.start({ server: [`allowed_origins = ["${site.origin}"]`] });
  browser = await launchChromium();
});

after(async () => {
  await browser?.close();
  site?.close();
  otherSite?.close();
  await server?.stop();
});

// A page of that site with a WebSocket in it. What happens to the socket is written down in the page's `seen`.
async function openPage(origin, carrier, token, beginning = server.afterNow) {
  const page = await browser.newPage();
  await page.goto(`${origin}/`);
  await page.evaluate(
    ({ url, carrier, token, beginning }) => {
      const protocols = carrier === 'b' ? ['carillon.v1', `carillon.bearer.${token}`] : ['carillon.v1'];
      const socket = new WebSocket(url, protocols);
      const seen = { messages: [], protocol: null, closed: null };
      socket.onopen = () => {
        seen.protocol = socket.protocol;
        if (carrier === 'c') socket.send(JSON.stringify({ type: 'auth', event: 'token', payload: { token, ...beginning } }));
      };
      socket.onmessage = (message) => seen.messages.push(JSON.parse(message.data));
      socket.onclose = ({ code, wasClean }) => (seen.closed = { code, wasClean });
      Object.assign(window, { socket, seen });
    },
    { url: server.url + (carrier === 'c' ? '' : beginningQuery(beginning)), carrier, token, beginning },
  );
  const seen = () => page.evaluate(() => window.seen);
  return {
    page,
    seen,
    event: (name) =>
      until(async () => (await seen()).messages.find((message) => message.event === name), `the message ${name}`),
    // The notifications, once there are that many.
    got: (count) =>
      until(async () => {
        const got = (await seen()).messages.filter((message) => message.type === 'notification');
        return got.length >= count && got;
      }, `${count} notifications`),
    closed: () => until(async () => (await seen()).closed, 'the close'),
  };
}

// The server has noticed that the session is over.
const ended = (session) =>
  until(
    () => server.log().split('\n').some((line) => line.includes(session) && /closed|lost/.test(line)),
    'the end of the session',
  );

for (const carrier of ['b', 'c']) {
  test(`carrier ${carrier}: a page gets every kind, and an answer to its ping`, async () => {
    const client = await openPage(site.origin, carrier, server.token('alice'));
    assert.equal((await client.event('auth_ok')).payload.user_id, 'alice');
    assert.equal((await client.seen()).protocol, 'carillon.v1');
    await client.event('live');

    const events = oneOfEach('alice');
    await server.publish(...oneOfEach('bob').slice(1, 2), ...events);
    const got = await client.got(3);
    assert.deepEqual(got.map((n) => [n.event, n.payload]), events.map((e) => [e.event, e.payload]));

    await client.page.evaluate(() => window.socket.send('{"type":"heartbeat","event":"ping"}'));
    await client.event('pong');
    await client.page.evaluate(() => window.socket.close(1000, 'leaving'));
    assert.deepEqual(await client.closed(), { code: 1000, wasClean: true });
    await client.page.close();
  });

  test(`carrier ${carrier}: a page with a bad token reads auth_failed and the code 4401`, async () => {
    const client = await openPage(site.origin, carrier, server.token('alice', { exp: 1_000_000_000 }));
    assert.deepEqual(await client.closed(), { code: 4401, wasClean: true });
    const { messages } = await client.seen();
    assert.deepEqual(messages.map((m) => [m.event, m.payload.code]), [['auth_failed', 'expired']]);
    await client.page.close();
  });
}

for (const carrier of ['b', 'c']) {
  test(`carrier ${carrier}: a page that was away comes back to exactly what it missed, and then to what is live`, async () => {
    const payloadsOf = (list) => list.map(({ payload }) => payload);
    const first = await openPage(site.origin, carrier, server.token('alice'));
    await first.event('live');
    await server.publish(...oneOfEach('alice'));
    const last = (await first.got(3)).at(-1).id;
    const session = (await first.event('auth_ok')).payload.session_id;
    await first.page.close();
    await ended(session);

    const missed = [...oneOfEach('alice'), ...oneOfEach('alice')];
    const { position } = await server.publish(oneOfEach('bob')[1], ...missed);
    await server.pushed();
    const again = await openPage(site.origin, carrier, server.token('alice'), { resume: last });
    assert.deepEqual((await again.event('auth_ok')).payload.resume, { requested: last, complete: true });
    assert.deepEqual((await again.event('live')).payload, { position, replayed: 6 });
    const replayed = await again.got(6);
    assert.deepEqual(payloadsOf(replayed), payloadsOf(missed));
    assert.ok(replayed.every((notification) => notification.replayed === true));

    const live = oneOfEach('alice');
    await server.publish(...live);
    const after = (await again.got(9)).slice(6);
    assert.deepEqual(payloadsOf(after), payloadsOf(live));
    assert.ok(after.every((notification) => !('replayed' in notification)));
    await again.page.close();
  });
}

test('a page of another origin gets no connection', async () => {
  const client = await openPage(otherSite.origin, 'b', server.token('alice'));
  assert.equal((await client.closed()).code, 1006);
  assert.deepEqual((await client.seen()).messages, []);
  await until(() => /"status":403/.test(server.log()), 'the line in the log');
  await client.page.close();
});

test('a page that is reloaded ends its session, and comes back', async () => {
  const client = await openPage(site.origin, 'b', server.token('alice'));
  const first = (await client.event('auth_ok')).payload.session_id;
  await client.page.close();
  await ended(first);
  const again = await openPage(site.origin, 'b', server.token('alice'));
  assert.notEqual((await again.event('auth_ok')).payload.session_id, first);
  await again.page.close();
});
