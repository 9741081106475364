import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';

interface Properties {
  /** Made anew when it is another object; it gets the colours of the page as they are then. */
  readonly options: (colours: Colours) => Omit<uPlot.Options, 'width' | 'height'>;
  readonly data: uPlot.AlignedData;
  readonly height: number;
  /** What the chart says, for who cannot see it. */
  readonly label: string;
}

export interface Colours {
  readonly ink: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly good: string;
  readonly warn: string;
  readonly bad: string;
  readonly sell: string;
}

function coloursOfPage(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: of('ink'),
    muted: of('muted'),
    line: of('line'),
    accent: of('accent'),
    good: of('good'),
    warn: of('warn'),
    bad: of('bad'),
    sell: of('sell'),
  };
}

/** A chart as wide as its place and of a fixed height, so that it moves nothing when it is drawn. */
export function Chart({ options, data, height, label }: Properties) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>();
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current!;
    const draw = (): void => {
      chart.current?.destroy();
      chart.current = new uPlot(
        { ...options(coloursOfPage()), width: element.clientWidth, height },
        latest.current,
        element,
      );
    };
    draw();
    const sizes = new ResizeObserver(() => chart.current!.setSize({ width: element.clientWidth, height }));
    sizes.observe(element);
    const colours = new MutationObserver(draw);
    colours.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      colours.disconnect();
      sizes.disconnect();
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [options, height]);
  useEffect(() => chart.current?.setData(data), [data]);

  return <div ref={place} class="chart" role="img" aria-label={label} style={{ height: `${height}px` }} />;
}
