"""The event envelope (protocol 8): what is published, with the id that makes repeating it safe."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from uuid import uuid4

from carillon import check, json_text
from carillon.events import Event, OrderUpdate, payload_of

ID_CHARACTERS_MAX = 128
AUDIENCE_USERS_MAX = 1000
PAYLOAD_BYTES_MAX = 256 * 1024


def _new_id() -> str:
    return str(uuid4())


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Envelope:
    """An event with the id under which it is published, once, however often it is sent.

    `id` is 1 to 128 printable ASCII characters; one is made when none is given. `timestamp` is when it happened, with
    a time zone, cut to milliseconds; the default is now. `audience` narrows a signal or an alert to these users, 1 to
    1000. Raises InvalidEvent.
    """

    event: Event
    id: str = field(default_factory=_new_id)
    timestamp: datetime = field(default_factory=_now)
    audience: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check.text("/id", self.id, ID_CHARACTERS_MAX)
        if not self.id.isascii():
            raise check.fault("/id", "not_allowed", "must be printable ASCII")
        if not isinstance(self.timestamp, datetime):
            raise check.fault("/timestamp", "wrong_type", "must be a datetime")
        if self.timestamp.tzinfo is None:
            raise check.fault("/timestamp", "bad_timestamp", "must have a time zone, such as datetime.now(UTC)")
        try:
            self.timestamp.astimezone(UTC)
        except OverflowError:
            raise check.fault("/timestamp", "out_of_range", "must be in the years 1 to 9999 of UTC") from None
        if self.audience is not None:
            object.__setattr__(self, "audience", self._checked_audience(self.audience))
        if len(json_text.write(payload_of(self.event)).encode()) > PAYLOAD_BYTES_MAX:
            raise check.fault("/payload", "too_large", f"must be at most {PAYLOAD_BYTES_MAX} bytes of compact JSON")
        _ = self.json  # from now on it is what was checked, whatever becomes of what is in `extra`

    def _checked_audience(self, audience: Sequence[str]) -> tuple[str, ...]:
        if isinstance(self.event, OrderUpdate):
            raise check.fault(
                "/audience", "not_allowed", "narrows signals and alerts; an order_update goes to its user_id"
            )
        if isinstance(audience, str):
            raise check.fault("/audience/users", "wrong_type", "must be a sequence of users")
        if not 1 <= len(audience) <= AUDIENCE_USERS_MAX:
            raise check.fault("/audience/users", "out_of_range", f"must name 1 to {AUDIENCE_USERS_MAX} users")
        return tuple(check.text(f"/audience/users/{index}", user) for index, user in enumerate(audience))

    @property
    def key(self) -> str:
        """What keeps its order in a log of several partitions: the user, or else the kind of event."""
        return self.event.user_id if isinstance(self.event, OrderUpdate) else self.event.event

    @cached_property
    def json(self) -> bytes:
        """The record of protocol 8.7: the same bytes each time."""
        time = self.timestamp.astimezone(UTC).replace(tzinfo=None)
        members: dict[str, object] = {
            "id": self.id,
            "event": self.event.event,
            "timestamp": time.isoformat(timespec="milliseconds") + "Z",
        }
        if isinstance(self.event, OrderUpdate):
            members["user_id"] = self.event.user_id
        if self.audience is not None:
            members["audience"] = {"users": self.audience}
        members["payload"] = payload_of(self.event)
        return json_text.write(members).encode()


# What `publish` takes: one event or envelope, or many.
Publishable = Event | Envelope


def enveloped(events: Publishable | Sequence[Publishable]) -> list[Envelope]:
    """Events get an envelope, and an id, here; envelopes keep theirs."""
    items = events if isinstance(events, Sequence) else [events]
    return [item if isinstance(item, Envelope) else Envelope(item) for item in items]
