import { describe, expect, it } from 'vitest';
import { dictionaries } from '../src/text/languages.ts';
import { refusalText } from '../src/view/refusal.ts';
import { durationText, secondsText, timeOfDay } from '../src/view/times.ts';

describe('refusalText', () => {
  it('says the reason in words, by the word the server gave', () => {
    const reason = { code: 4401, message: 'expired: the token has expired' };
    expect(refusalText(dictionaries.en, reason)).toBe('The server refused: the token has expired. Ask for a new one.');
    expect(refusalText(dictionaries.zh, reason)).toBe('服务器拒绝：令牌已过期。请申请新令牌。');
  });

  it('falls back to the close code, and then to what the server said', () => {
    expect(refusalText(dictionaries.en, { code: 4423, message: '' })).toMatch(/revoked/);
    expect(refusalText(dictionaries.en, { code: 4999, message: 'no more' })).toMatch(/“no more”/);
  });
});

it('has every word of the protocol in both languages', () => {
  const { en, zh } = dictionaries;
  for (const key of ['refusals', 'events'] as const) expect(Object.keys(zh[key])).toEqual(Object.keys(en[key]));
  expect(Object.keys(zh.operation.stages)).toEqual(Object.keys(en.operation.stages));
});

describe('times', () => {
  it('are of the day, with milliseconds where they matter', () => {
    expect(timeOfDay(new Date(2026, 10, 22, 4, 5, 6, 7))).toBe('04:05:06');
    expect(timeOfDay(new Date(2026, 10, 22, 4, 5, 6, 7), true)).toBe('04:05:06.007');
    expect(timeOfDay('soon')).toBe('soon');
  });

  it('are short', () => {
    const inEnglish = (seconds: number) => durationText(seconds, dictionaries.en.operation.units);
    expect([6, 66, 3900, 100_000].map(inEnglish)).toEqual(['6 s', '1 min 6 s', '1 h 5 min', '1 d 3 h']);
    expect(durationText(66, dictionaries.zh.operation.units)).toBe('1 分 6 秒');
    expect([0.00025, 0.0025, 0.05, 2].map(secondsText)).toEqual(['250 µs', '2.5 ms', '50 ms', '2 s']);
  });
});
