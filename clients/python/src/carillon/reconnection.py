"""When to connect again, and with which token. No I/O, no time of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from carillon.backoff import Backoff
from carillon.close_codes import Action

RETRY_AFTER_MAX = 300.0  # seconds; a server that asks for more is asked again then
SETTLED_AFTER = 1.0  # seconds; a connection that was live for so long was a good one
AT_ONCE_INTERVAL = 20.0  # seconds; what happens again sooner is a loop


@dataclass(frozen=True)
class NextAttempt:
    """Connect after so many seconds, with a token that was asked for anew where `wants_token`."""

    seconds: float
    wants_token: bool = False


class Reconnection:
    """Bounds how often a client comes back, whatever the server does. `now` is monotonic, in seconds."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._backoff = Backoff(random)
        self._live_since: float | None = None
        self._at_once_when: float | None = None
        self._was_live_since_at_once = False
        self._token_was_refused = False

    def on_auth_ok(self) -> None:
        self._token_was_refused = False

    def on_live(self, now: float) -> None:
        self._live_since = now
        self._was_live_since_at_once = True

    def begin_anew(self) -> None:
        """The caller said so."""
        self._backoff.reset()
        self._live_since = self._at_once_when = None
        self._token_was_refused = False

    def after(self, action: Action, retry_after: float | None, now: float) -> NextAttempt | None:
        """A connection ended, or was not made. None: refused. `retry_after` in seconds, where the server said one."""
        if self._live_since is not None and now - self._live_since >= SETTLED_AFTER:
            self._backoff.reset()
        self._live_since = None
        match action:
            case Action.REFUSED:
                return None
            case Action.BACK_OFF | Action.RETRY_AFTER:
                return NextAttempt(self._wait_as_told(retry_after))
            case Action.RESUME_NOW:
                return NextAttempt(self._at_once(now))
            case Action.NEW_TOKEN_AND_RESUME_NOW:
                return NextAttempt(self._at_once(now), wants_token=True)
            case Action.NEW_TOKEN:
                if self._token_was_refused:
                    return None
                self._token_was_refused = True
                return NextAttempt(self._at_once(now), wants_token=True)

    def _at_once(self, now: float) -> float:
        last = self._at_once_when
        if last is not None and not (self._was_live_since_at_once and now - last >= AT_ONCE_INTERVAL):
            return self._backoff.next()
        self._at_once_when = now
        self._was_live_since_at_once = False
        return 0.0

    def _wait_as_told(self, retry_after: float | None) -> float:
        return self._backoff.next(min(retry_after or 0.0, RETRY_AFTER_MAX))
