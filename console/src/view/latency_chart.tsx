import { useMemo } from 'preact/hooks';
import uPlot from 'uplot';
import type { Stage } from '../operations/stats.ts';
import { percentile } from '../operations/stats.ts';
import { Chart, type Colours } from './chart.tsx';
import { secondsText } from './times.ts';
import { useWords, type Dictionary } from './words.ts';

interface Properties {
  readonly event: string;
  readonly stage: Stage;
}

/** One event's delivery times: the share of each bucket, those beyond the limit in red behind a line. */
export function LatencyChart({ event, stage }: Properties) {
  const words = useWords();
  const { limit_seconds, buckets, count, beyond_limit } = stage;
  const bounds = buckets.map((bucket) => bucket.le_seconds);
  const options = useMemo(() => optionsOf(bounds, limit_seconds), [bounds.join(), limit_seconds]);
  const data = useMemo(() => dataOf(stage), [stage]);
  const facts = [
    percentileText(words, 'p50', stage, 0.5),
    percentileText(words, 'p99', stage, 0.99),
    words.operation.count(count),
  ];
  const title = words.events[event] ?? event;
  return (
    <section class="card-pane" data-testid={`latency-${event}`} data-count={count} data-beyond={beyond_limit}>
      <header class="pane-head">
        <h3>{title}</h3>
        <span>
          <strong class={beyond_limit > 0 ? 'bad' : 'good'}>{words.operation.beyond(beyond_limit)}</strong>{' '}
          <span class="muted">{words.operation.limit(limit_seconds)}</span>
        </span>
      </header>
      <Chart
        options={options}
        data={data}
        height={170}
        label={`${words.operation.latency}, ${title}: ${facts.join(', ')}, ${words.operation.beyond(beyond_limit)}`}
      />
      <p class="facts">
        {facts.map((fact) => (
          <span key={fact}>{fact}</span>
        ))}
      </p>
    </section>
  );
}

function percentileText(words: Dictionary, name: string, stage: Stage, fraction: number): string {
  const found = percentile(stage.buckets, fraction);
  if (!found) return `${name} –`;
  const say = found.isBeyond ? words.operation.percentileBeyond : words.operation.percentile;
  return say(name, secondsText(found.seconds));
}

const isWithin = (bound: number | null, limit: number): boolean => bound !== null && bound <= limit;

function dataOf({ buckets, limit_seconds, count }: Stage): uPlot.AlignedData {
  const share = (number: number): number => (count === 0 ? 0 : (100 * number) / count);
  return [
    buckets.map((_, index) => index),
    buckets.map((bucket) => (isWithin(bucket.le_seconds, limit_seconds) ? share(bucket.count) : null)),
    buckets.map((bucket) => (isWithin(bucket.le_seconds, limit_seconds) ? null : share(bucket.count))),
  ];
}

function optionsOf(bounds: readonly (number | null)[], limit: number) {
  const last = bounds.at(-2) ?? 0;
  const labels = bounds.map((bound) => (bound === null ? `>${secondsText(last)}` : secondsText(bound)));
  const firstBeyond = bounds.findIndex((bound) => !isWithin(bound, limit));
  const bars = uPlot.paths.bars!({ size: [0.86, 60] });
  return (colours: Colours): Omit<uPlot.Options, 'width' | 'height'> => ({
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: [-0.6, bounds.length - 0.4] },
      y: { range: (_, __, most) => [0, Math.max(most, 10)] },
    },
    axes: [
      {
        stroke: colours.muted,
        grid: { show: false },
        ticks: { show: false },
        font: '10px system-ui, sans-serif',
        rotate: -55,
        size: 46,
        gap: 4,
        splits: () => labels.map((_, index) => index),
        values: (_, splits) => splits.map((index) => labels[index] ?? ''),
      },
      {
        stroke: colours.muted,
        grid: { stroke: colours.line, width: 1 },
        ticks: { show: false },
        font: '10px system-ui, sans-serif',
        size: 38,
        values: (_, splits) => splits.map((share) => `${share}%`),
      },
    ],
    series: [
      {},
      { fill: colours.accent, stroke: colours.accent, width: 0, paths: bars, points: { show: false } },
      { fill: colours.bad, stroke: colours.bad, width: 0, paths: bars, points: { show: false } },
    ],
    hooks: { draw: [(chart) => drawLimit(chart, firstBeyond - 0.5, colours.bad)] },
  });
}

function drawLimit(chart: uPlot, at: number, colour: string): void {
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(at, 'x', true));
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
