import { describe, expect, it } from 'vitest';
import { Frames } from '../src/state/frames.ts';

describe('Frames', () => {
  it('tells once per frame, whatever happened in it', () => {
    const due: (() => void)[] = [];
    const frames = new Frames((tell) => due.push(tell));
    let told = 0;
    const end = frames.listen(() => (told += 1));
    for (let change = 0; change < 5; ++change) frames.changed();
    expect([due.length, told]).toEqual([1, 0]);
    due.shift()!();
    expect(told).toBe(1);
    frames.changed();
    due.shift()!();
    expect(told).toBe(2);
    end();
    frames.changed();
    due.shift()!();
    expect(told).toBe(2);
  });
});
