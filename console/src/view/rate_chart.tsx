import { useMemo } from 'preact/hooks';
import type uPlot from 'uplot';
import type { Rates } from '../operations/history.ts';
import { EVENT_NAMES } from '../operations/stats.ts';
import { Chart, type Colours } from './chart.tsx';
import { useWords } from './words.ts';

/** Five minutes of events per second, a line for each event. */
export function RateChart({ rates, count }: { rates: readonly Rates[]; count: number }) {
  const words = useWords();
  const options = useMemo(() => optionsOf(EVENT_NAMES.map((name) => words.events[name] ?? name)), [words]);
  const data = useMemo(() => dataOf(rates), [rates, count]);
  return (
    <section class="card-pane" data-testid="rates">
      <header class="pane-head">
        <h2>{words.operation.rates}</h2>
      </header>
      <Chart options={options} data={data} height={190} label={words.operation.rates} />
    </section>
  );
}

function dataOf(rates: readonly Rates[]): uPlot.AlignedData {
  return [
    rates.map((each) => each.at / 1000),
    ...EVENT_NAMES.map((name) => rates.map((each) => each.events[name])),
  ] as uPlot.AlignedData;
}

function optionsOf(names: readonly string[]) {
  return (colours: Colours): Omit<uPlot.Options, 'width' | 'height'> => ({
    legend: { live: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
    axes: [
      {
        stroke: colours.muted,
        grid: { stroke: colours.line, width: 1 },
        ticks: { show: false },
        font: '10px system-ui, sans-serif',
        size: 26,
        incrs: [1, 5, 10, 15, 30, 60],
        // 24 hours everywhere, as in the lists.
        values: [
          [60, '{HH}:{mm}', null, null, null, null, null, null, 1],
          [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1],
        ],
      },
      {
        stroke: colours.muted,
        grid: { stroke: colours.line, width: 1 },
        ticks: { show: false },
        font: '10px system-ui, sans-serif',
        size: 44,
      },
    ],
    series: [
      {},
      ...[colours.accent, colours.good, colours.sell].map((stroke, index) => ({
        label: names[index],
        stroke,
        width: 1.5,
        points: { show: false },
      })),
    ],
  });
}
