import { describe, expect, it } from 'vitest';
import { StatsHistory } from '../src/operations/history.ts';
import { look, stage } from './look.ts';

function historyOf(...looks: ReturnType<typeof look>[]): StatsHistory {
  const history = new StatsHistory();
  for (const each of looks) history.add(each);
  return history;
}

describe('StatsHistory', () => {
  it('has a rate for each time between two looks', () => {
    const { rates } = historyOf(look(10, 100), look(12, 110), look(14.5, 110));
    expect(rates.map((each) => [each.events.new_trade_signal, each.events.order_update, each.sent])).toEqual([
      [5, 0, 50],
      [0, 0, 0],
    ]);
  });

  it('knows what was measured since the start, and in the last minute', () => {
    const history = historyOf(look(0, 10), look(30, 20), look(80, 50));
    expect(history.sinceStart('new_trade_signal', 'event_to_accepted')).toEqual(stage(50));
    expect(history.lastMinute('new_trade_signal', 'event_to_accepted')).toEqual(stage(30));
  });

  it('begins anew when the node did', () => {
    const history = historyOf(look(10, 100), look(12, 110), look(20, 3, 15));
    expect(history.rates).toEqual([]);
    history.add(look(22, 5, 15));
    expect(history.rates.map((each) => each.events.new_trade_signal)).toEqual([1]);
    expect(history.lastMinute('new_trade_signal', 'event_to_accepted')).toEqual(stage(2));
  });

  it('makes no rate of one look given twice', () => {
    expect(historyOf(look(10, 100), look(10, 100)).rates).toEqual([]);
  });

  it('is bounded', () => {
    const history = new StatsHistory();
    for (let at = 0; at < 1000; at += 2) history.add(look(at, at));
    expect(history.rates).toHaveLength(150);
  });
});
