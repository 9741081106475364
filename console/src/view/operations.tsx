import type { ComponentChildren } from 'preact';
import { useEffect, useReducer, useState } from 'preact/hooks';
import { Rest } from '../operations/rest.ts';
import { EVENT_NAMES, STAGE_NAMES, total, type Counts, type StageName, type Stats } from '../operations/stats.ts';
import { Watch } from '../operations/watch.ts';
import type { Session } from '../session.ts';
import { DeadLetters } from './dead_letters.tsx';
import { LatencyChart } from './latency_chart.tsx';
import { RateChart } from './rate_chart.tsx';
import { durationText } from './times.ts';
import { useWords, wordFor } from './words.ts';

/** Looks at the node while it is on the screen. */
function useWatch(session: Session): Watch {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const [watch] = useState(() => new Watch(new Rest(() => session.token), () => redraw(undefined)));
  useEffect(() => {
    const follow = (): void => (document.visibilityState === 'visible' ? watch.start() : watch.stop());
    follow();
    document.addEventListener('visibilitychange', follow);
    return () => {
      document.removeEventListener('visibilitychange', follow);
      watch.stop();
    };
  }, [watch]);
  return watch;
}

/** How the node does, for who has the grant `admin`. */
export function Operations({ session }: { session: Session }) {
  const words = useWords();
  const watch = useWatch(session);
  const stats = watch.history.latest;
  if (!stats) {
    return (
      <p class="operations-wait muted" data-testid="operations">
        {watch.failure === undefined ? words.operation.loading : words.operation.failed(watch.failure)}
      </p>
    );
  }
  return (
    <div class="operations" data-testid="operations">
      {watch.failure !== undefined && (
        <p class="notice notice-stale" data-testid="operations-failure">
          {words.operation.failed(watch.failure)}
        </p>
      )}
      <Figures stats={stats} watch={watch} />
      <RateChart rates={watch.history.rates} count={watch.history.rates.at(-1)?.at ?? 0} />
      <Latency watch={watch} />
      <Refusals stats={stats} />
      <DeadLetters watch={watch} />
    </div>
  );
}

function Figures({ stats, watch }: { stats: Stats; watch: Watch }) {
  const words = useWords();
  const rates = watch.history.rates.at(-1);
  const perSecond = rates && EVENT_NAMES.reduce((sum, name) => sum + rates.events[name], 0);
  const { log } = stats;
  const isLogWell = log.connected && log.writable;
  return (
    <dl class="figures">
      <Figure
        id="ready"
        title={words.operation.node}
        isBad={!stats.ready}
        note={`${words.operation.version} ${stats.version}`}
      >
        {stats.ready ? words.operation.ready : words.operation.notReady(stats.obstacle ?? '')}
      </Figure>
      <Figure id="uptime" title={words.operation.uptime}>
        {durationText(stats.uptime_seconds, words.operation.units)}
      </Figure>
      <Figure id="sessions" title={words.operation.clients} note={words.operation.connections(stats.connections)}>
        {stats.sessions}
      </Figure>
      <Figure
        id="events-per-second"
        title={words.operation.eventsPerSecond}
        note={words.operation.sentPerSecond(rates ? rates.sent.toFixed(1) : '–')}
      >
        {perSecond === undefined ? '–' : perSecond.toFixed(1)}
      </Figure>
      <Figure id="late" title={words.operation.late} note={words.operation.lateHelp}>
        {EVENT_NAMES.reduce((sum, name) => sum + stats.events[name].late, 0)}
      </Figure>
      <Figure
        id="behind"
        title={words.operation.behind}
        note={words.operation.behindHelp}
        isBad={stats.sessions_behind > 0}
      >
        {stats.sessions_behind}
      </Figure>
      <Figure id="slow" title={words.operation.slow} note={words.operation.slowHelp}>
        {stats.slow_clients}
      </Figure>
      <Figure
        id="log"
        title={words.operation.log}
        note={`${log.kind}, ${words.operation.lag(log.lag_milliseconds)}`}
        isBad={!isLogWell}
      >
        {!log.connected
          ? words.operation.disconnected
          : log.writable
            ? words.operation.writable
            : words.operation.notWritable}
      </Figure>
    </dl>
  );
}

interface FigureProperties {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly isBad?: boolean;
  readonly children: ComponentChildren;
}

const Figure = ({ id, title, note, isBad, children }: FigureProperties) => (
  <div class={isBad ? 'figure figure-bad' : 'figure'}>
    <dt>{title}</dt>
    <dd data-testid={`figure-${id}`}>{children}</dd>
    {note && (
      <dd class="figure-note" title={note}>
        {note}
      </dd>
    )}
  </div>
);

type Window = 'lastMinute' | 'sinceStart';

function Latency({ watch }: { watch: Watch }) {
  const words = useWords();
  const [stage, setStage] = useState<StageName>('accepted_to_written');
  const [window, setWindow] = useState<Window>('sinceStart');
  return (
    <section class="latency" aria-labelledby="latency-title">
      <header class="section-head">
        <h2 id="latency-title">{words.operation.latency}</h2>
        <Choice
          label={words.operation.stage}
          testId="stage"
          of={STAGE_NAMES}
          chosen={stage}
          text={(name) => wordFor(words.operation.stages, name)}
          onChoice={setStage}
        />
        <Choice
          label={words.operation.window}
          testId="window"
          of={['sinceStart', 'lastMinute'] as const}
          chosen={window}
          text={(name) => words.operation[name]}
          onChoice={setWindow}
        />
      </header>
      <div class="latency-charts">
        {EVENT_NAMES.map((event) => (
          <LatencyChart key={event} event={event} stage={watch.history[window](event, stage)!} />
        ))}
      </div>
    </section>
  );
}

interface ChoiceProperties<Word extends string> {
  readonly label: string;
  readonly testId: string;
  readonly of: readonly Word[];
  readonly chosen: Word;
  readonly text: (word: Word) => string;
  readonly onChoice: (word: Word) => void;
}

const Choice = <Word extends string>({ label, testId, of, chosen, text, onChoice }: ChoiceProperties<Word>) => (
  <div class="choice" role="group" aria-label={label} data-testid={testId}>
    {of.map((word) => (
      <button key={word} type="button" aria-pressed={word === chosen} onClick={() => onChoice(word)}>
        {text(word)}
      </button>
    ))}
  </div>
);

function Refusals({ stats }: { stats: Stats }) {
  const words = useWords();
  const { operation } = words;
  const tables: readonly [string, string, Counts][] = [
    ['withheld', operation.withheld, stats.withheld],
    ['dead-letter-reasons', operation.deadLetterReasons, stats.dead_letters],
    ['auth-failed', operation.authFailed, stats.auth_failed],
    ['invalid-messages', operation.invalidMessages, stats.invalid_messages],
    ['sessions-closed', operation.sessionsClosed, stats.sessions_closed],
    ['resumes', operation.resumes, stats.resumes],
    ['rest-calls', operation.restCalls, stats.rest_calls],
    ['http-responses', operation.httpResponses, stats.http_responses],
  ];
  return (
    <section aria-labelledby="refusals-title">
      <header class="section-head">
        <h2 id="refusals-title">{operation.refusals}</h2>
      </header>
      <div class="counts-tables">
        {tables.map(([id, title, counts]) => (
          <CountsTable key={id} id={id} title={title} counts={counts} />
        ))}
      </div>
    </section>
  );
}

/** How many rows are shown: clients may close with any code. */
const COUNTS_MAX = 12;

function CountsTable({ id, title, counts }: { id: string; title: string; counts: Counts }) {
  const words = useWords();
  const rows = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .slice(0, COUNTS_MAX);
  return (
    <div class="card-pane">
      <table class="counts" data-testid={`counts-${id}`}>
        <caption>{title}</caption>
        <tbody>
          {rows.map(([word, count]) => (
            <tr key={word} data-word={word}>
              <th scope="row">{word}</th>
              <td>{count}</td>
            </tr>
          ))}
          {rows.length === 0 && (
            <tr>
              <th scope="row" class="muted">
                {words.operation.none}
              </th>
              <td>0</td>
            </tr>
          )}
          {rows.length > 1 && (
            <tr class="total">
              <th scope="row">{words.operation.total}</th>
              <td>{total(counts)}</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}
