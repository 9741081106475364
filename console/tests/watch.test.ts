import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeadLetter, Rest } from '../src/operations/rest.ts';
import { Watch } from '../src/operations/watch.ts';
import { look } from './look.ts';

const letter: DeadLetter = {
  position: 'j1.1',
  at: '2026-11-22T12:00:00.000Z',
  reason: 'not_json',
  detail: '',
  record: 'x',
};

class FakeNode {
  looks = 0;
  fault: string | undefined;
  letters: DeadLetter[] = [letter];
  lettersAsked = 0;
  deadLetters = 1;

  readonly rest = {
    stats: async () => {
      if (this.fault !== undefined) throw new Error(this.fault);
      this.looks += 1;
      return { ...look(this.looks * 2, this.looks * 10), dead_letters: { not_json: this.deadLetters } };
    },
    deadLetters: async () => {
      this.lettersAsked += 1;
      return this.letters;
    },
    replay: async (positions: readonly string[]) => {
      if (this.fault !== undefined) throw new Error(this.fault);
      this.letters = [];
      return { replayed: positions.length, refused: [] };
    },
  } as unknown as Rest;
}

describe('Watch', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('looks every two seconds while it is on', async () => {
    const node = new FakeNode();
    const watch = new Watch(node.rest, () => {});
    watch.start();
    watch.start();
    await vi.advanceTimersByTimeAsync(6100);
    expect(node.looks).toBe(4);
    watch.stop();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(node.looks).toBe(4);
  });

  it('is one watch, also when it is stopped and started while an answer is on its way', async () => {
    const node = new FakeNode();
    const watch = new Watch(node.rest, () => {});
    watch.start();
    watch.stop();
    watch.start();
    await vi.advanceTimersByTimeAsync(0);
    const looks = node.looks;
    await vi.advanceTimersByTimeAsync(2000);
    expect(node.looks).toBe(looks + 1);
    watch.stop();
  });

  it('says why a look failed, keeps what it had, and goes on', async () => {
    const node = new FakeNode();
    const watch = new Watch(node.rest, () => {});
    watch.start();
    await vi.advanceTimersByTimeAsync(0);
    node.fault = '503: the log takes no events';
    await vi.advanceTimersByTimeAsync(2000);
    expect(watch.failure).toBe('503: the log takes no events');
    expect(watch.history.latest).toBeDefined();
    node.fault = undefined;
    await vi.advanceTimersByTimeAsync(2000);
    expect(watch.failure).toBeUndefined();
    watch.stop();
  });

  it('fetches dead letters again when there are more, or after half a minute', async () => {
    const node = new FakeNode();
    const watch = new Watch(node.rest, () => {});
    watch.start();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(node.lettersAsked).toBe(1);
    node.deadLetters = 2;
    await vi.advanceTimersByTimeAsync(2000);
    expect(node.lettersAsked).toBe(2);
    await vi.advanceTimersByTimeAsync(32_000);
    expect(node.lettersAsked).toBe(3);
    watch.stop();
  });

  it('replays, tells the outcome, and fetches what is left', async () => {
    const node = new FakeNode();
    const watch = new Watch(node.rest, () => {});
    const done = watch.replay(['j1.1']);
    expect(watch.outcome).toEqual({ kind: 'replaying' });
    await done;
    expect(watch.outcome).toEqual({ kind: 'replayed', replayed: 1, refused: [] });
    expect(watch.letters).toEqual([]);
  });

  it('tells that a replay failed', async () => {
    const node = new FakeNode();
    const watch = new Watch(node.rest, () => {});
    node.fault = '403: not an operator';
    await watch.replay(['j1.1']);
    expect(watch.outcome).toEqual({ kind: 'failed', why: '403: not an operator' });
  });
});
