import type { Session } from '../session.ts';
import { useSeconds } from './hooks.ts';
import { refusalText } from './refusal.ts';
import { timeOfDay } from './times.ts';
import { TokenForm } from './token_form.tsx';
import { useWords, wordFor } from './words.ts';

/** How long before its end a token is asked for: before the server tells of it (protocol 2.7), with time to find one. */
const EXPIRING_MILLISECONDS = 120_000;

/** One line that says in words how things are and what there is to do. Always there, so that it moves nothing. */
export function NoticeBar({ session }: { session: Session }) {
  const words = useWords();
  const now = useSeconds();
  const { state, reason, retryAt, lastHeard, expiresAt } = session.status;
  const { gap } = session.board;
  const renew = (
    <TokenForm
      id="new-token"
      label={words.notice.newToken}
      submit={words.notice.useToken}
      onToken={(token) => session.renew(token)}
    />
  );

  if (state === 'refused') {
    return (
      <div class="notice notice-fault" data-testid="notice">
        <p>{reason ? refusalText(words, reason) : words.notice.tokenWanted}</p>
        {renew}
      </div>
    );
  }
  if (state === 'stale') {
    const said = [words.notice.stale];
    if (lastHeard) said.push(words.notice.lastHeard(timeOfDay(lastHeard)));
    if (session.isTokenWanted) said.push(reason ? refusalText(words, reason) : '', words.notice.tokenWanted);
    else if (retryAt) said.push(words.notice.retryIn(Math.max(0, Math.ceil((retryAt.getTime() - now) / 1000))));
    return (
      <div class="notice notice-stale" data-testid="notice">
        <p>{said.join(' ')}</p>
        {session.isTokenWanted && renew}
      </div>
    );
  }
  if (session.isTokenWanted || (expiresAt && expiresAt.getTime() - now < EXPIRING_MILLISECONDS)) {
    return (
      <div class="notice notice-quiet" data-testid="notice">
        <p>{expiresAt ? words.notice.expiring(timeOfDay(expiresAt)) : words.notice.tokenWanted}</p>
        {renew}
      </div>
    );
  }
  if (gap) {
    return (
      <div class="notice notice-gap" data-testid="notice">
        <p data-testid="gap">{words.gap.text(wordFor({ ...words.gap, text: '' }, gap.reason), timeOfDay(gap.at))}</p>
        <button type="button" onClick={() => session.dismissGap()}>
          {words.dismiss}
        </button>
      </div>
    );
  }
  return (
    <div class="notice" data-testid="notice">
      <p class="muted">{words.notice[state]}</p>
    </div>
  );
}
