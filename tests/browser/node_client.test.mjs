// Node's ws package as a client, by every carrier of the token.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { oneOfEach, Server, until } from './server.mjs';

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

class Client {
  constructor(carrier, token) {
    const options = { ca: server.certificate };
    if (carrier === 'a') options.headers = { Authorization: `Bearer ${token}` };
    const protocols = carrier === 'b' ? ['carillon.v1', `carillon.bearer.${token}`] : [];
    this.socket = new WebSocket(server.url, protocols, options);
    this.messages = [];
    this.socket.on('message', (data) => this.messages.push(JSON.parse(data)));
    this.closed = new Promise((resolve) => this.socket.on('close', (code) => resolve(code)));
    this.refused = new Promise((resolve) => this.socket.on('unexpected-response', (_, response) => resolve(response)));
    this.socket.on('error', () => {});
    if (carrier === 'c') {
      this.socket.on('open', () => this.send({ type: 'auth', event: 'token', payload: { token } }));
    }
  }

  send(message) {
    this.socket.send(JSON.stringify(message));
  }

  event(name) {
    return until(() => this.messages.find((message) => message.event === name), `the message ${name}`);
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

    const events = oneOfEach('alice');
    await server.publish(...oneOfEach('bob').slice(1, 2), ...events);
    await client.event('system_alert');
    const got = client.messages.filter((message) => message.type === 'notification');
    assert.deepEqual(got.map((n) => [n.event, n.payload]), events.map((e) => [e.event, e.payload]));

    client.send({ type: 'heartbeat', event: 'ping' });
    await client.event('pong');
    client.socket.ping('are you there');
    assert.equal(String((await once(client.socket, 'pong'))[0]), 'are you there');
    client.socket.close(1000, 'done');
    assert.equal(await client.closed, 1000);
  });
}

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
