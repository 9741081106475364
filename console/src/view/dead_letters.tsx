import type { DeadLetter } from '../operations/rest.ts';
import type { Watch } from '../operations/watch.ts';
import { momentOf } from './times.ts';
import { useWords } from './words.ts';

/** The records that were no events, why, and a way to try them again. */
export function DeadLetters({ watch }: { watch: Watch }) {
  const words = useWords();
  const letters = watch.letters ?? [];
  const isBusy = watch.outcome?.kind === 'replaying';
  return (
    <section class="card-pane letters" aria-labelledby="letters-title" data-testid="dead-letters">
      <header class="pane-head">
        <h2 id="letters-title">{words.letters.title}</h2>
        <span class="spring" />
        <button type="button" data-testid="refresh-letters" onClick={() => void watch.refreshLetters()}>
          {words.letters.refresh}
        </button>
        <button
          type="button"
          data-testid="replay-all"
          disabled={isBusy || letters.length === 0}
          onClick={() => void watch.replay(letters.map((letter) => letter.position))}
        >
          {words.letters.replayAll(letters.length)}
        </button>
      </header>
      <p class="muted letters-help">{words.letters.help}</p>
      <Outcome watch={watch} />
      {letters.length === 0 ? (
        <p class="muted letters-none">{words.letters.none}</p>
      ) : (
        <div class="letters-scroll">
          <table>
            <thead>
              <tr>
                <th scope="col">{words.letters.at}</th>
                <th scope="col">{words.position}</th>
                <th scope="col">{words.letters.reason}</th>
                <th scope="col">{words.letters.detail}</th>
                <th scope="col">{words.letters.record}</th>
                <td />
              </tr>
            </thead>
            <tbody>
              {letters.map((letter) => (
                <Letter
                  key={letter.position}
                  letter={letter}
                  isBusy={isBusy}
                  onReplay={() => void watch.replay([letter.position])}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** A record may be as large as a call's body; of more, the begin tells enough. */
const RECORD_CHARACTERS_MAX = 4096;

function Letter({ letter, isBusy, onReplay }: { letter: DeadLetter; isBusy: boolean; onReplay: () => void }) {
  const words = useWords();
  const record =
    letter.record.length > RECORD_CHARACTERS_MAX ? `${letter.record.slice(0, RECORD_CHARACTERS_MAX)} …` : letter.record;
  return (
    <tr data-position={letter.position}>
      <td>
        <time dateTime={letter.at} title={letter.at}>
          {momentOf(letter.at)}
        </time>
      </td>
      <td>{letter.position}</td>
      <td>
        <strong>{letter.reason}</strong>
      </td>
      <td>{letter.detail}</td>
      <td>
        <details>
          <summary>{record.slice(0, 60)}</summary>
          <pre>{record}</pre>
        </details>
      </td>
      <td>
        <button
          type="button"
          disabled={isBusy}
          aria-label={`${words.letters.replay} ${letter.position}`}
          onClick={onReplay}
        >
          {words.letters.replay}
        </button>
      </td>
    </tr>
  );
}

function Outcome({ watch: { outcome } }: { watch: Watch }) {
  const words = useWords();
  const lines: string[] = [];
  if (outcome?.kind === 'replaying') lines.push(words.letters.replaying);
  if (outcome?.kind === 'failed') lines.push(words.letters.failed(outcome.why));
  if (outcome?.kind === 'replayed') {
    lines.push(words.letters.replayed(outcome.replayed));
    for (const { position, reason } of outcome.refused) lines.push(words.letters.refused(position, reason));
  }
  return (
    <div class={outcome?.kind === 'failed' ? 'outcome bad' : 'outcome'} role="status" data-testid="replay-outcome">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}
