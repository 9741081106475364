// What a caller sees, beside the contract's table: tokens, callbacks, iterators, storage, pages and tabs.

import { beforeEach, expect, test } from 'vitest';
import { CarillonClient } from '../src/carillon.js';
import type { CarillonOptions, Fault, StorageLike } from '../src/types.js';
import { Mirror } from '../src/mirror.js';
import { FakeServer } from './fake_server.js';
import { Clock, FakeBrowser, FakeSocket, settle, tokenOf } from './world.js';

const ALICE = tokenOf('alice');

let clock: Clock;
let browser: FakeBrowser;
let server: FakeServer;
let sockets: FakeSocket[];
let faults: Fault[];

beforeEach(() => {
  clock = new Clock();
  browser = new FakeBrowser(clock, () => 0.5);
  server = new FakeServer(clock, () => 0.5);
  sockets = [];
  faults = [];
});

/** A client of a server that keeps to the protocol. */
function client(options: Partial<CarillonOptions> = {}) {
  const tab = browser.tab(server.connect);
  return { ...tab, carillon: new CarillonClient({ url: 'wss://test', token: ALICE, ...options }, tab.env) };
}

/** A client whose server is spoken by the test. */
function spoken(options: Partial<CarillonOptions> = {}) {
  const tab = browser.tab((url, protocols) => sockets[sockets.push(new FakeSocket(new URL(url), protocols)) - 1]!);
  const onFault = (fault: Fault) => faults.push(fault);
  return { ...tab, carillon: new CarillonClient({ url: 'wss://test', token: ALICE, onFault, ...options }, tab.env) };
}

const alert = (payload = {}) => server.publish('system_alert', { level: 'INFO', ...payload });

function authOk(life: number, user_id = 'alice'): string {
  const payload = {
    user_id,
    grants: [],
    expires_at: new Date(clock.now + life).toISOString(),
    heartbeat_interval_ms: 20_000,
    heartbeat_timeout_ms: 10_000,
  };
  return JSON.stringify({ type: 'ack', event: 'auth_ok', timestamp: new Date(clock.now).toISOString(), payload });
}

const message = (type: string, event: string, payload: object, more = {}) =>
  JSON.stringify({ type, event, payload, ...more });
const live = (position = 'p0') => message('ack', 'live', { position, replayed: 0 });

test('a url is of a server that speaks TLS', async () => {
  for (const [given, opened] of [
    ['wss://test', 'wss://test/v1/stream?snapshot=false'],
    ['https://test:8443/', 'wss://test:8443/v1/stream?snapshot=false'],
    ['wss://test/push?a=1#b', 'wss://test/push?a=1&snapshot=false'],
  ]) {
    spoken({ url: given });
    await settle();
    expect(sockets.at(-1)!.url.href).toBe(opened);
    expect(sockets.at(-1)!.protocols).toEqual(['carillon.v1', `carillon.bearer.${ALICE}`]);
  }
  for (const url of ['ws://test', 'http://test', 'x']) expect(() => spoken({ url })).toThrow(TypeError);
});

test('a token that lives shorter than the notice is refreshed by its own time, and not at each notice', async () => {
  let asked = 0;
  spoken({ token: () => tokenOf('alice', { jti: asked++ }) });
  await settle();
  const [socket] = sockets;
  for (let refresh = 1; refresh <= 3; refresh++) {
    socket!.receive(authOk(10_000));
    socket!.receive(message('ack', 'auth_expiring', { expires_at: '' }));
    await clock.advance(4_999);
    expect(asked).toBe(refresh);
    await clock.advance(1);
    expect(asked).toBe(refresh + 1);
    expect(JSON.parse(socket!.sent.at(-1)!).payload.token).toBe(tokenOf('alice', { jti: refresh }));
  }
});

test('refreshToken() resolves when the server has taken it, and rejects when the connection is lost', async () => {
  const { carillon } = spoken();
  await settle();
  sockets[0]!.receive(authOk(1e6));
  const taken = carillon.refreshToken();
  await settle();
  sockets[0]!.receive(authOk(2e6));
  await taken;
  expect(carillon.status.expiresAt).toEqual(new Date(clock.now + 2e6));
  const lost = carillon.refreshToken();
  await settle();
  sockets[0]!.end();
  await expect(lost).rejects.toThrow('ended');
});

test('a token function that fails or never answers is asked again, with time between', async () => {
  let asked = 0;
  const { carillon } = spoken({
    token: () => (asked++ ? new Promise<string>(() => {}) : Promise.reject(new Error('offline'))),
  });
  await settle();
  expect(faults.map(({ kind }) => kind)).toEqual(['token']);
  expect(carillon.status).toMatchObject({ state: 'connecting', reason: { code: 'token', message: 'Error: offline' } });
  await clock.advance(749);
  expect(asked).toBe(1);
  await clock.advance(1);
  expect(asked).toBe(2);
  await clock.advance(30_000 + 20_000);
  expect(asked).toBe(3);
});

test.each(['', 'no token', 'a,b', 'x'])('what is no token is refused before it is sent: %j', async (token) => {
  const { carillon } = spoken({ token });
  await settle();
  expect(carillon.status.state).toBe('refused');
  expect(sockets).toEqual([]);
});

test('white space around a token does not count', async () => {
  spoken({ token: () => ` ${ALICE}\n` });
  await settle();
  expect(sockets[0]!.token).toBe(ALICE);
});

test("another user's token is refused, and so are that user's events", async () => {
  const { carillon } = spoken();
  await settle();
  sockets[0]!.receive(authOk(1e6));
  sockets[0]!.receive(live());
  sockets[0]!.end(4419);
  await clock.advance(0);
  sockets[1]!.receive(authOk(1e6, 'bob'));
  expect(carillon.status).toMatchObject({ state: 'refused', reason: { code: 4403 }, userId: 'alice' });
  expect(sockets[1]!.isClosedByClient).toBe(true);
});

test('callbacks that throw are reported and change nothing', async () => {
  const fail = () => {
    throw new Error('mine');
  };
  const { carillon, reported } = client({ onNotification: fail, onSnapshot: fail, onStatus: fail });
  const seen: string[] = [];
  carillon.subscribe(fail);
  carillon.subscribe(({ state }) => seen.push(state));
  await clock.advance(1_000);
  alert();
  await clock.advance(1_000);
  expect(carillon.status).toMatchObject({ state: 'live', delivered: 1, position: 'm1.1' });
  expect(seen).toContain('live');
  expect(new Set(reported.map(String))).toEqual(new Set(['Error: mine']));
  const { carillon: other, reported: hard } = client({ onStatus: fail, onFault: fail });
  await clock.advance(1_000);
  expect(other.status.state).toBe('live');
  expect(hard.length).toBeGreaterThan(0);
});

test('an iterator that is too far behind gives what it holds and then fails; others go on', async () => {
  const { carillon } = client();
  const slow = carillon[Symbol.asyncIterator]();
  const left = carillon[Symbol.asyncIterator]();
  await clock.advance(1_000);
  const first = slow.next();
  for (let count = 0; count < 10_002; count++) alert();
  await clock.advance(1_000);
  expect((await first).value!.id).toBe('m1.1');
  for (let count = 2; count <= 10_001; count++) expect((await slow.next()).done).toBe(false);
  await expect(slow.next()).rejects.toThrow(RangeError);
  expect((await slow.next()).done).toBe(true);
  expect((await left.next()).value!.id).toBe('m1.1');
  await left.return(undefined);
  expect(carillon.status.delivered).toBe(10_002);
});

test('close() ends connection, timers and iterators; connect() goes on from the position', async () => {
  const { carillon } = client({ onSnapshot: () => {} });
  await clock.advance(1_000);
  const iterator = carillon[Symbol.asyncIterator]();
  alert();
  await clock.advance(1_000);
  carillon.close();
  expect(carillon.status.state).toBe('closed');
  expect((await iterator.next()).value!.id).toBe('m1.1');
  expect((await iterator.next()).done).toBe(true);
  await clock.advance(100_000);
  expect(server.open).toBe(0);
  alert();
  carillon.connect();
  expect(carillon.status.state).toBe('stale');
  await clock.advance(1_000);
  expect(carillon.status).toMatchObject({ state: 'live', delivered: 2, position: 'm1.2' });
});

class Memory implements StorageLike {
  readonly items = new Map<string, string>();
  getItem = (key: string) => this.items.get(key) ?? null;
  setItem = (key: string, value: string) => void this.items.set(key, value);
}

test('a position that was kept is resumed from, by its user only', async () => {
  const persist = { key: 'here', storage: new Memory() };
  const { carillon } = client({ persist });
  await clock.advance(1_000);
  alert();
  await clock.advance(1_000);
  carillon.close();
  for (const [token, resume] of [
    [ALICE, 'm1.1'],
    [tokenOf('bob b'), null],
    [tokenOf('alic'), null],
  ] as const) {
    spoken({ persist, token });
    await settle();
    expect(sockets.at(-1)!.resume).toBe(resume);
  }
});

test('a storage that fails is reported once, and events come all the same', async () => {
  const setItem = () => {
    throw new Error('full');
  };
  const { carillon } = client({
    persist: { key: 'x', storage: { getItem: () => null, setItem } },
    onFault: (fault) => faults.push(fault),
  });
  await clock.advance(1_000);
  for (let count = 0; count < 3; count++) alert();
  await clock.advance(1_000);
  expect(carillon.status.delivered).toBe(3);
  expect(faults.map(({ kind }) => kind)).toEqual(['storage']);
});

test('a page that is shown again does not wait, but as long as the server asked for', async () => {
  const { wake } = spoken();
  await settle();
  for (let count = 0; count < 6; count++) {
    sockets.at(-1)!.end();
    await clock.advance(count < 5 ? 20_000 : 500);
  }
  const before = sockets.length;
  wake();
  await clock.advance(0);
  expect(sockets.length).toBe(before + 1);
  sockets.at(-1)!.end(4429, 'retry_after_ms=5000');
  wake();
  await clock.advance(4_999);
  expect(sockets.length).toBe(before + 1);
  await clock.advance(1);
  expect(sockets.length).toBe(before + 2);
});

test('a silence that a sleeping page did not notice is noticed when it wakes', async () => {
  const { carillon, wake } = spoken();
  await settle();
  sockets[0]!.receive(authOk(1e6));
  sockets[0]!.receive(live());
  clock.now += 60_000; // no timer ran meanwhile
  wake();
  expect(carillon.status.state).toBe('stale');
});

test('receipts are sent at most four times a second', async () => {
  spoken({ receipts: true });
  await settle();
  sockets[0]!.receive(authOk(1e6));
  sockets[0]!.receive(live());
  for (let count = 1; count <= 100; count++) {
    sockets[0]!.receive(message('notification', 'system_alert', {}, { id: `p${count}` }));
    await clock.advance(10);
  }
  const receipts = sockets[0]!.sent.filter((text) => text.includes('received'));
  expect(receipts).toHaveLength(4);
  expect(JSON.parse(receipts[0]!)).toEqual({ type: 'ack', event: 'received', payload: { id: 'p1' } });
});

test('tabs of the same user share; another user, scope, URL or name does not', async () => {
  const options: Partial<CarillonOptions>[] = [
    {},
    {},
    { token: tokenOf('bob') },
    { token: tokenOf('alice', { scope: 'alerts' }) },
    { url: 'wss://test/other' },
    { share: 'name' },
    { token: 'a.b.c' }, // says nobody's name
  ];
  const tabs = options.map((each) => client({ share: true, ...each }));
  await clock.advance(5_000);
  expect(tabs.map(({ carillon }) => carillon.status.state)).toEqual(options.map(() => 'live'));
  expect(server.open).toBe(6);
});

test('a tab that joins sees no alert older than an hour', async () => {
  client({ share: true });
  await clock.advance(1_000);
  alert({ level: 'ERROR' });
  await clock.advance(3_600_001);
  alert({ level: 'CRITICAL' });
  alert({ level: 'WARNING' });
  await clock.advance(1_000);
  const standing: string[][] = [];
  client({ share: true, onSnapshot: ({ notifications }) => standing.push(notifications.map(({ id }) => id)) });
  await clock.advance(1_000);
  expect(standing).toEqual([['m1.2']]);
  expect(server.open).toBe(1);
});

test('a leading tab that is refused leaves, and the next tries with its own token', async () => {
  const first = spoken({ share: true });
  await clock.advance(10);
  const second = client({ share: true });
  await clock.advance(10);
  sockets[0]!.receive(authOk(1e6));
  sockets[0]!.receive(live('m1.0'));
  await clock.advance(10);
  sockets[0]!.end(4423, 'revoked');
  expect(first.carillon.status).toMatchObject({ state: 'refused', shared: false });
  await clock.advance(1_000);
  expect(second.carillon.status).toMatchObject({ state: 'live', shared: false });
  first.carillon.connect();
  await clock.advance(1_000);
  expect(first.carillon.status).toMatchObject({ state: 'live', shared: true });
  expect(server.open).toBe(1);
});

test('without locks or a channel, each tab has its own connection', async () => {
  const noChannel = () => {
    throw new Error('no channels');
  };
  for (const lack of [{ locks: undefined }, { channel: noChannel }]) {
    const { env } = browser.tab(server.connect);
    const before = server.open;
    const tab = new CarillonClient({ url: 'wss://test', token: ALICE, share: true }, Object.assign(env, lack));
    await clock.advance(1_000);
    expect(tab.status).toMatchObject({ state: 'live', shared: false });
    expect(server.open).toBe(before + 1);
  }
});

test('an iterator that failed gives nothing of what came after the hole', async () => {
  const { carillon } = client();
  const slow = carillon[Symbol.asyncIterator]();
  await clock.advance(1_000);
  for (let count = 0; count < 10_001; count++) alert();
  await clock.advance(1_000);
  await slow.next();
  alert();
  await clock.advance(1_000);
  for (let count = 2; count <= 10_000; count++) expect((await slow.next()).value!.id).toBe(`m1.${count}`);
  await expect(slow.next()).rejects.toThrow(RangeError);
});

test('close() in any callback is the end', async () => {
  const closes = (options: (close: () => void) => Partial<CarillonOptions>) => {
    const made: { carillon?: CarillonClient } = {};
    return Object.assign(made, spoken(options(() => made.carillon?.close())));
  };
  for (const [options, text] of [
    [(onGap) => ({ resume: 'p0', onGap }), authOk(1e6)],
    [(onFault) => ({ onFault }), '{'],
    [(onStatus) => ({ onStatus }), authOk(1e6)],
  ] as [(close: () => void) => Partial<CarillonOptions>, string][]) {
    const { carillon } = closes(options);
    await settle();
    const before = sockets.length;
    sockets.at(-1)!.receive(text);
    expect(carillon.status.state).toBe('closed');
    await clock.advance(100_000);
    expect(carillon.status.state).toBe('closed');
    expect(sockets.length).toBe(before);
  }
  // Also when it is about to connect again.
  const { carillon } = closes((close) => ({ onStatus: ({ state }) => state === 'connecting' && close() }));
  carillon.close();
  carillon.connect();
  const before = sockets.length;
  await clock.advance(100_000);
  expect(carillon.status.state).toBe('closed');
  expect(sockets.length).toBe(before);
});

test('a token that comes late is used, and not asked for again', async () => {
  let asked = 0;
  let answer!: (token: string) => void;
  spoken({ token: () => (asked++, new Promise<string>((resolve) => (answer = resolve))) });
  await clock.advance(30_001); // given up, and not yet asked again
  expect(asked).toBe(1);
  answer(ALICE);
  await clock.advance(20_000);
  expect([asked, sockets.length]).toEqual([1, 1]);
});

test('what this version does not know of a snapshot moves no position', async () => {
  spoken();
  await settle();
  sockets[0]!.receive(authOk(1e6));
  sockets[0]!.receive(message('notification', 'horoscope', {}, { id: 'p7', snapshot: true }));
  sockets[0]!.end();
  await clock.advance(20_000);
  expect(sockets[1]!.resume).toBe(null);
});

test('a position that is kept is not beyond what may be missing', async () => {
  const persist = { key: 'here', storage: new Memory() };
  spoken({ persist });
  await settle();
  sockets[0]!.receive(authOk(1e6));
  sockets[0]!.receive(live());
  sockets[0]!.receive(message('heartbeat', 'ping', { position: 'p1', delivered: 0 }));
  sockets[0]!.receive(message('notification', 'system_alert', {}, { id: 'p3' }));
  sockets[0]!.receive(message('heartbeat', 'ping', { position: 'p3', delivered: 2 }));
  expect(persist.storage.items.get('here')).toBe('p1 alice');
  await clock.advance(20_000);
  expect(sockets[1]!.resume).toBe('p1');
});

test("no token of another user is sent by a tab of the first one's group", async () => {
  const tokens = [ALICE, tokenOf('bob')];
  const { carillon } = spoken({ share: true, token: () => tokens.shift()! });
  await clock.advance(1_000);
  sockets[0]!.end(4401, 'expired');
  await clock.advance(1_000);
  expect(carillon.status).toMatchObject({ state: 'refused', reason: { code: 4403 } });
  expect(sockets.length).toBe(1);
});

test('names of users do not run into scopes', async () => {
  client({ share: true, token: tokenOf('alice', { scope: 'signals orders' }) });
  client({ share: true, token: tokenOf('alice signals', { scope: 'orders' }) });
  await clock.advance(5_000);
  expect(server.open).toBe(2);
});

test('what is kept for tabs that join is no alert older than an hour', () => {
  const mirror = new Mirror();
  mirror.begin([]);
  const { now } = clock;
  const take = (number: number, at: number) =>
    mirror.take(
      {
        event: 'system_alert',
        timestamp: new Date(at).toISOString(),
        id: `p${number}`,
        payload: { alert_id: 'a', level: 'ERROR', message: 'm' },
        replayed: false,
        snapshot: false,
        late: false,
        raw: '',
      },
      at,
    );
  for (let number = 0; number < 100; number++) take(number, now + number * 60_001);
  expect(mirror.standing(0)!.length).toBeLessThan(63);
});

test('close() when another tab takes over leaves nothing behind', async () => {
  const options: Partial<CarillonOptions> = { share: true };
  const first = client({ ...options, onStatus: ({ state }) => state === 'stale' && first.carillon.close() });
  await clock.advance(1_000);
  first.pause(true);
  const second = client(options);
  await clock.advance(100_000);
  expect(second.carillon.status.state).toBe('live');
  first.pause(false);
  await clock.advance(200_000);
  expect(first.carillon.status.state).toBe('closed');
});

test('a token that a tab without the connection is given is used: it takes the connection over', async () => {
  const tokens = [ALICE, tokenOf('alice', { jti: 2 })];
  const first = spoken({ share: true });
  await clock.advance(10);
  const second = spoken({ share: true, token: () => tokens.shift()! });
  await clock.advance(10);
  sockets[0]!.receive(authOk(1e6));
  sockets[0]!.receive(live());
  await clock.advance(100);
  expect(second.carillon.status).toMatchObject({ state: 'live', shared: true });
  await second.carillon.refreshToken();
  await clock.advance(100);
  expect(sockets[0]!.isClosedByClient).toBe(true);
  expect(sockets.length).toBe(2);
  expect([sockets[1]!.token, sockets[1]!.resume]).toEqual([tokenOf('alice', { jti: 2 }), 'p0']);
  expect(first.carillon.status.state).toBe('stale');
  sockets[1]!.receive(authOk(1e6));
  sockets[1]!.end(4423, 'revoked');
  await clock.advance(100);
  expect(second.carillon.status.state).toBe('refused');
  expect(sockets.at(-1)!.token).toBe(ALICE); // the first leads again
});
