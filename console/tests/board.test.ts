import { describe, expect, it } from 'vitest';
import { Board } from '../src/state/board.ts';
import { alert, order, signal } from './events.ts';

const lengths = ({ signals, orders, alerts }: Board) => [signals.length, orders.length, alerts.length];

describe('Board', () => {
  it('puts each notification into its pane', () => {
    const board = new Board();
    board.take(signal('s'));
    board.take(order('o', 'SUBMITTED'));
    board.take(alert('a'));
    expect(lengths(board)).toEqual([1, 1, 1]);
  });

  it('shows an alert once that a snapshot brings again, at another position', () => {
    const board = new Board();
    board.take(alert('a', 'j1.7'));
    board.takeSnapshot([alert('a', 'j2.3'), alert('b', 'j2.4')]);
    expect(lengths(board)).toEqual([0, 0, 2]);
    expect(board.alerts.at(0)?.payload.alert_id).toBe('b');
  });

  it('holds a bounded number of each', () => {
    const board = new Board();
    for (let count = 0; count < 1200; ++count) {
      board.take(signal(`${count}`));
      board.take(order(`${count}`, 'SUBMITTED'));
      board.take(alert(`${count}`));
    }
    expect(lengths(board)).toEqual([500, 500, 500]);
    expect([board.signals.departed, board.orders.departed, board.alerts.departed]).toEqual([700, 700, 700]);
  });
});
