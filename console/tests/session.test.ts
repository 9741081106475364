import type { CarillonOptions, Status } from '@carillon/client';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Session } from '../src/session.ts';

// The client as a session sees it: it asks for tokens, and has a status.
const client = vi.hoisted(() => ({
  options: undefined as unknown as CarillonOptions,
  status: {} as unknown,
  refreshes: 0,
  connects: 0,
}));

vi.mock('@carillon/client', () => ({
  Carillon: class {
    constructor(options: CarillonOptions) {
      client.options = options;
    }
    get status() {
      return client.status;
    }
    refreshToken() {
      client.refreshes += 1;
      return Promise.resolve();
    }
    connect() {
      client.connects += 1;
    }
  },
}));

const ask = () => (client.options.token as () => string | Promise<string>)();
const say = (status: Partial<Status>) => (client.status = { state: 'connecting', delivered: 0, grants: [], ...status });

const kept = new Map<string, string>();

beforeEach(() => {
  kept.clear();
  Object.assign(client, { refreshes: 0, connects: 0 });
  vi.stubGlobal('location', { host: 'trading.example' });
  vi.stubGlobal('sessionStorage', { setItem: (key: string, value: string) => kept.set(key, value) });
  vi.stubGlobal('requestAnimationFrame', () => 0);
  say({});
});

describe('Session', () => {
  it('gives the token again as long as nobody has taken it, so that a refusal is one', () => {
    const session = new Session('first');
    expect([ask(), ask()]).toEqual(['first', 'first']);
    expect(session.isTokenWanted).toBe(false);
  });

  it('waits for another token when the one it gave is not enough any more', async () => {
    const session = new Session('first');
    ask();
    say({ state: 'live', userId: 'alice' });
    const [asked, askedAgain] = [ask(), ask()];
    expect(session.isTokenWanted).toBe(true);
    session.renew('second');
    expect(await Promise.all([asked, askedAgain])).toEqual(['second', 'second']);
    expect([session.isTokenWanted, session.token, client.refreshes]).toEqual([false, 'second', 0]);
    expect([...kept.values()]).toEqual(['second']);
  });

  it('gives a token in band that comes before one is asked for', async () => {
    const session = new Session('first');
    ask();
    say({ state: 'live', userId: 'alice' });
    session.renew('second');
    expect(client.refreshes).toBe(1);
    expect([ask(), session.isTokenWanted]).toEqual(['second', false]);
  });

  it('wants no token while another tab has the connection, and takes that over with one that is given', () => {
    const session = new Session('first');
    ask();
    say({ state: 'live', userId: 'alice' });
    void ask();
    say({ state: 'live', userId: 'alice', shared: true });
    expect(session.isTokenWanted).toBe(false);
    session.renew('second');
    expect([client.refreshes, ask(), session.isTokenWanted]).toEqual([1, 'second', false]);
    say({ state: 'live', userId: 'alice' });
    expect(session.isTokenWanted).toBe(false);
  });

  it('connects again with a token given after a refusal', () => {
    const session = new Session('first');
    ask();
    say({ state: 'refused', userId: 'alice' });
    session.renew('second');
    expect([client.connects, client.refreshes]).toEqual([1, 0]);
    expect(ask()).toBe('second');
  });

  it('notes a gap until it is dismissed', () => {
    const session = new Session('first');
    client.options.onGap!({ reason: 'trimmed' });
    expect(session.board.gap?.reason).toBe('trimmed');
    session.dismissGap();
    expect(session.board.gap).toBeUndefined();
  });
});
