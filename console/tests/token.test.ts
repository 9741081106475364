import { beforeEach, describe, expect, it, vi } from 'vitest';
import { takeTokenFromFragment, tokenOf } from '../src/token.ts';

const replaced: unknown[] = [];

function openedAt(hash: string): void {
  vi.stubGlobal('location', { pathname: '/console/', search: '?a=b', hash });
  vi.stubGlobal('history', { replaceState: (...given: unknown[]) => replaced.push(given) });
}

describe('takeTokenFromFragment', () => {
  beforeEach(() => void (replaced.length = 0));

  it('takes the token out of the address', () => {
    openedAt('#token=aaa.bbb.ccc');
    expect(takeTokenFromFragment()).toBe('aaa.bbb.ccc');
    expect(replaced).toEqual([[null, '', '/console/?a=b']]);
  });

  it('takes off what came along', () => {
    openedAt('#token=%20aaa.bbb.ccc%0A');
    expect(takeTokenFromFragment()).toBe('aaa.bbb.ccc');
  });

  it('clears the address also of what is no token', () => {
    openedAt('#token=%');
    expect(takeTokenFromFragment()).toBe('%');
    openedAt('#token=');
    expect(takeTokenFromFragment()).toBeUndefined();
    expect(replaced).toHaveLength(2);
  });

  it('leaves other fragments alone', () => {
    openedAt('#main');
    expect(takeTokenFromFragment()).toBeUndefined();
    expect(replaced).toEqual([]);
  });
});

it('what is pasted is cleaned of blanks', () => {
  expect(tokenOf(' aaa.\n bbb.ccc\t')).toBe('aaa.bbb.ccc');
  expect(tokenOf(' \n')).toBeUndefined();
});
