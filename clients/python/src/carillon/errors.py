"""What can go wrong when publishing. Every error is a CarillonError."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carillon.envelope import Envelope


class CarillonError(Exception):
    """The base of all errors of this package."""


@dataclass(frozen=True)
class Fault:
    """What is wrong with one member of one event, in the words of protocol 8.5.

    `pointer` is RFC 6901 from the envelope's root, `/payload/entry_price`; `code` one of missing, wrong_type,
    out_of_range, not_allowed, bad_timestamp, too_large, not_json; `index` the event's place in what was published.
    """

    pointer: str
    code: str
    message: str
    index: int = 0

    @property
    def field(self) -> str:
        """The member's name, with an index where it is an element: `take_profit[1]`. Empty: the envelope itself."""
        parts = [part.replace("~1", "/").replace("~0", "~") for part in self.pointer.split("/")[1:]]
        if parts and parts[0] == "payload":
            parts = parts[1:]
        name = ""
        for part in parts:
            name += f"[{part}]" if part.isdecimal() else f".{part}" if name else part
        return name

    def __str__(self) -> str:
        return f"{self.field or 'the event'}: {self.message} ({self.code})"


class InvalidEvent(CarillonError, ValueError):
    """An event breaks a rule of protocol section 5 or 8, found before anything was sent."""

    def __init__(self, pointer: str, code: str, message: str) -> None:
        self.fault = Fault(pointer, code, message)
        super().__init__(str(self.fault))

    @property
    def field(self) -> str:
        return self.fault.field

    @property
    def pointer(self) -> str:
        return self.fault.pointer

    @property
    def code(self) -> str:
        return self.fault.code

    @property
    def message(self) -> str:
        return self.fault.message


class PublishError(CarillonError):
    """Not all was published.

    `envelopes` are those that were not, or of which it is not known, in order and with their ids: publishing them again
    is safe, whatever happened. `accepted` events before them were. `status` is the HTTP status, None without an answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.envelopes: Sequence[Envelope] = ()
        self.accepted = 0


class Unavailable(PublishError):
    """Nobody could take the events within the attempts allowed: timeouts, lost connections, 503. The outcome is
    unknown.

    `retry_after`: seconds for which the server asked to be left alone.
    """

    def __init__(self, message: str, status: int | None = None, retry_after: float = 0.0) -> None:
        super().__init__(message, status)
        self.retry_after = retry_after


class Unauthorized(PublishError):
    """401: the token was refused, a newly asked for one too. `code` is the word of protocol 4.4, such as `expired`."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message, 401)
        self.code = code


class NoToken(PublishError):
    """The file that holds the token cannot be read, or the function that fetches it failed: see `__cause__`."""


class Forbidden(PublishError):
    """403: the token is good and lacks the grant `publish`."""


class EventsRefused(PublishError):
    """422: `faults` names every bad event by index, field and code. Of the call's events nothing was accepted."""

    def __init__(self, message: str, faults: Sequence[Fault]) -> None:
        super().__init__(message, 422)
        self.faults = tuple(faults)


class Conflict(PublishError):
    """409: an id is in the log with other content. `index` is the event's, None where the server did not name it."""

    def __init__(self, message: str, index: int | None) -> None:
        super().__init__(message, 409)
        self.index = index


class Rejected(PublishError):
    """Any other answer that repeating the call does not mend."""


class OutboxFull(CarillonError):
    """An outbox with `when_full='raise'`, or 'block' for longer than its timeout, had no room. The event was not
    taken."""


class OutboxClosed(CarillonError):
    """The outbox takes no more events."""


class MissingExtra(CarillonError, ImportError):
    """A client library is not installed; the message says how to install it."""


class Refused(CarillonError):
    """The server said no to a subscription in a way that trying again does not mend (protocol 7).

    `code` is the close code, or the HTTP status of a refused upgrade; `position` the one to resume from later.
    """

    def __init__(self, code: int, reason: str, position: str | None) -> None:
        super().__init__(f"refused with {code}: {reason}" if reason else f"refused with {code}")
        self.code = code
        self.reason = reason
        self.position = position
