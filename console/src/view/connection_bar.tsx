import type { Status } from '@carillon/client';
import { useSeconds } from './hooks.ts';
import { momentOf } from './times.ts';
import { useWords } from './words.ts';

/** How the connection is: always there, always in the same place. */
export function ConnectionBar({ status }: { status: Status }) {
  const words = useWords();
  const now = useSeconds();
  const beat =
    status.lastBeat === undefined
      ? words.noneYet
      : words.ago(Math.max(0, Math.round((now - status.lastBeat.getTime()) / 1000)));
  return (
    <section class="connection" aria-label={words.connection} data-testid="connection">
      <strong class="state" data-testid="state" data-state={status.state}>
        {words.states[status.state]}
      </strong>
      <dl>
        <div class="fact-position">
          <dt>{words.position}</dt>
          <dd data-testid="position" title={status.position}>
            {status.position ?? '—'}
          </dd>
        </div>
        <div>
          <dt>{words.lastBeat}</dt>
          <dd data-testid="last-beat">{beat}</dd>
        </div>
        <div>
          <dt>{words.delivered}</dt>
          <dd data-testid="delivered">{status.delivered}</dd>
        </div>
        <div class="fact-expires">
          <dt>{words.session}</dt>
          <dd data-testid="expires">{status.expiresAt === undefined ? '—' : momentOf(status.expiresAt, now)}</dd>
        </div>
      </dl>
      {status.shared && <span class="muted shared">{words.sharedConnection}</span>}
    </section>
  );
}
