import { describe, expect, it } from 'vitest';
import { Orders } from '../src/state/orders.ts';
import { order } from './events.ts';

const shown = (orders: Orders) =>
  Array.from({ length: orders.length }, (_, index) => {
    const row = orders.at(index)!;
    return `${row.id} ${row.hasEndedUnseen ? 'ended unseen' : row.latest.payload.status}`;
  });

describe('Orders', () => {
  it('changes the state of a row where it is', () => {
    const orders = new Orders(10);
    orders.update(order('a', 'SUBMITTED'));
    orders.update(order('b', 'SUBMITTED'));
    orders.update(order('a', 'PARTIALLY_FILLED', '0.10'));
    expect(shown(orders)).toEqual(['b SUBMITTED', 'a PARTIALLY_FILLED']);
    orders.update(order('a', 'FILLED', '1.50'));
    expect(shown(orders)).toEqual(['b SUBMITTED', 'a FILLED']);
    expect(orders.at(1)).toMatchObject({ updates: 3, latest: { payload: { quantity_filled: '1.50' } } });
    expect([orders.length, orders.added]).toEqual([2, 2]);
  });

  it('lets the oldest that has ended go for a new one', () => {
    const orders = new Orders(3);
    orders.update(order('a', 'SUBMITTED'));
    orders.update(order('b', 'FILLED', '1.50'));
    orders.update(order('c', 'FILLED', '1.50'));
    orders.update(order('d', 'REJECTED'));
    expect(shown(orders)).toEqual(['d REJECTED', 'c FILLED', 'a SUBMITTED']);
    expect(orders.departed).toBe(1);
  });

  it('lets the oldest go where all are open', () => {
    const orders = new Orders(2);
    for (const id of ['a', 'b', 'c']) orders.update(order(id, 'SUBMITTED'));
    expect(shown(orders)).toEqual(['c SUBMITTED', 'b SUBMITTED']);
  });

  it('marks what was open and does not stand any more', () => {
    const orders = new Orders(10);
    orders.update(order('gone', 'PARTIALLY_FILLED', '0.10'));
    orders.update(order('done', 'FILLED', '1.50'));
    orders.update(order('stays', 'SUBMITTED'));
    orders.replaceOpen([order('stays', 'PARTIALLY_FILLED', '0.20'), order('new', 'SUBMITTED')]);
    expect(shown(orders)).toEqual(['new SUBMITTED', 'stays PARTIALLY_FILLED', 'done FILLED', 'gone ended unseen']);
  });

  it('believes an update after all', () => {
    const orders = new Orders(10);
    orders.update(order('a', 'SUBMITTED'));
    orders.replaceOpen([]);
    orders.update(order('a', 'FILLED', '1.50'));
    expect(shown(orders)).toEqual(['a FILLED']);
  });
});
