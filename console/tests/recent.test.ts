import { describe, expect, it } from 'vitest';
import { RecentRows } from '../src/state/recent.ts';

describe('RecentRows', () => {
  it('has the newest first', () => {
    const rows = new RecentRows<number>(3);
    for (const row of [1, 2]) rows.add(row);
    expect([rows.at(0), rows.at(1), rows.at(2), rows.at(-1)]).toEqual([2, 1, undefined, undefined]);
    expect([rows.length, rows.added, rows.departed]).toEqual([2, 2, 0]);
  });

  it('lets the oldest go at its bound, and counts it', () => {
    const rows = new RecentRows<number>(3);
    for (let row = 1; row <= 5; ++row) rows.add(row);
    expect([rows.at(0), rows.at(1), rows.at(2), rows.at(3)]).toEqual([5, 4, 3, undefined]);
    expect([rows.length, rows.added, rows.departed]).toEqual([3, 5, 2]);
  });
});
