import { describe, expect, it } from 'vitest';
import { percentile, stageBetween, total } from '../src/operations/stats.ts';
import { stage } from './look.ts';

describe('percentile', () => {
  it('is the bound of the bucket that holds it', () => {
    const { buckets } = stage(50, 49, 1, 0);
    expect(percentile(buckets, 0.5)).toEqual({ seconds: 0.001, isBeyond: false });
    expect(percentile(buckets, 0.51)).toEqual({ seconds: 0.01, isBeyond: false });
    expect(percentile(buckets, 0.99)).toEqual({ seconds: 0.01, isBeyond: false });
    expect(percentile(buckets, 1)).toEqual({ seconds: 2, isBeyond: false });
  });

  it('is beyond the last bound where no bucket bounds it', () => {
    expect(percentile(stage(0, 0, 0, 3).buckets, 0.5)).toEqual({ seconds: 2, isBeyond: true });
  });

  it('is nothing where nothing was measured', () => {
    expect(percentile(stage().buckets, 0.5)).toBeUndefined();
  });
});

it('what was measured between two looks', () => {
  expect(stageBetween(stage(1, 2, 3, 1), stage(5, 2, 4, 3))).toEqual(stage(4, 0, 1, 2));
});

it('the total of counts', () => {
  expect(total({ expired: 3, revoked: 1 })).toBe(4);
  expect(total({})).toBe(0);
});
