// Node's ws package as a client, by every carrier of the token.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { beginningQuery, oneOfEach, Server, until } from './server.mjs';

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

class Client {
  constructor(carrier, token, beginning = server.afterNow) {
    const options = { ca: server.certificate };
    if (carrier === 'a') options.headers = { Authorization: `Bearer ${token}` };
    const protocols = carrier === 'b' ? ['carillon.v1', `carillon.bearer.${token}`] : [];
    const query = carrier === 'c' ? '' : beginningQuery(beginning);
    this.socket = new WebSocket(server.url + query, protocols, options);
    this.messages = [];
    this.socket.on('message', (data) => this.messages.push(JSON.parse(data)));
    this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
    this.refused = new Promise((resolve) => this.socket.on('unexpected-response', (_, response) => resolve(response)));
    this.socket.on('error', () => {});
    if (carrier === 'c') {
      this.socket.on('open', () => this.send({ type: 'auth', event: 'token', payload: { token, ...beginning } }));
    }
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  event(name) {
    return until(() => this.messages.find((message) => message.event === name), `the message ${name}`);
  }

  notifications() {
    return this.messages.filter((message) => message.type === 'notification');
  }

  // Once there are that many.
  async got(count) {
    await until(() => this.notifications().length >= count, `${count} notifications`);
    return this.notifications();
  }
}

for (const carrier of ['a', 'b', 'c']) {
  test(`carrier ${carrier}: authenticated, gets every kind, pings and is answered`, async () => {
    const client = new Client(carrier, server.token('alice'));
    const ok = await client.event('auth_ok');
    assert.equal(client.messages[0], ok);
    assert.equal(ok.payload.user_id, 'alice');
    assert.equal(client.socket.protocol, carrier === 'b' ? 'carillon.v1' : '');
    assert.equal(client.socket.extensions, '');
    await client.event('live');

    const events = oneOfEach('alice');
    await server.publish(...oneOfEach('bob').slice(1, 2), ...events);
    const got = await client.got(3);
    assert.deepEqual(got.map((n) => [n.event, n.payload]), events.map((e) => [e.event, e.payload]));

    client.send({ type: 'heartbeat', event: 'ping' });
    await client.event('pong');
    client.socket.ping('are you there');
    assert.equal(String((await once(client.socket, 'pong'))[0]), 'are you there');
    client.socket.close(1000, 'done');
    assert.equal(await client.closed, 1000);
  });
}

const payloadsOf = (list) => list.map(({ payload }) => payload);

for (const carrier of ['a', 'b', 'c']) {
  test(`carrier ${carrier}: a client that is cut comes back to exactly what it missed, and then to what is live`, async () => {
    const first = new Client(carrier, server.token('alice'));
    await first.event('live');
    await server.publish(...oneOfEach('alice'));
    const last = (await first.got(3)).at(-1).id;
    first.socket.terminate();
    await first.closed;

    const missed = [...oneOfEach('alice'), ...oneOfEach('alice')];
    const { position } = await server.publish(oneOfEach('bob')[1], ...missed);
    await server.pushed();
    const again = new Client(carrier, server.token('alice'), { resume: last });
    const { resume } = (await again.event('auth_ok')).payload;
    assert.deepEqual(resume, { requested: last, complete: true });
    assert.deepEqual((await again.event('live')).payload, { position, replayed: 6 });
    assert.deepEqual(payloadsOf(again.notifications()), payloadsOf(missed));
    assert.ok(again.notifications().every(({ replayed }) => replayed === true));

    const live = oneOfEach('alice');
    await server.publish(...live);
    const after = (await again.got(9)).slice(6);
    assert.deepEqual(payloadsOf(after), payloadsOf(live));
    assert.ok(after.every((notification) => !('replayed' in notification)));
    again.socket.close(1000);
    assert.equal(await again.closed, 1000);
  });
}

test('a client whose position nobody knows is told before anything else, and gets what stands', async () => {
  const [, order] = oneOfEach('carol');
  await server.publish(order);
  await server.pushed();
  const client = new Client('b', server.token('carol', { scope: 'orders' }), { resume: 'j0.1' });
  await client.event('live');
  const [ok, ...standing] = client.messages.slice(0, -1);
  assert.deepEqual(ok.payload.resume, { requested: 'j0.1', complete: false, reason: 'epoch' });
  assert.deepEqual(standing.map((n) => [n.event, n.snapshot]).at(-1), ['order_update', true]);
  assert.deepEqual(standing.at(-1).payload, order.payload);
  client.socket.close(1000);
  await client.closed;
});

test('a bad token is 401 by carrier a, and auth_failed then 4401 by b and c', async () => {
  const expired = () => server.token('alice', { exp: 1_000_000_000 });
  const response = await new Client('a', expired()).refused;
  assert.equal(response.statusCode, 401);
  assert.equal(response.headers['www-authenticate'], 'Bearer error="invalid_token"');
  response.destroy();
  for (const carrier of ['b', 'c']) {
    const client = new Client(carrier, expired());
    assert.equal(await client.closed, 4401);
    assert.deepEqual(client.messages.map((m) => [m.event, m.payload.code]), [['auth_failed', 'expired']]);
  }
});
