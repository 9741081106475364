"""The events that wait in an outbox, and what becomes of them. No thread, no time."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from carillon.envelope import Envelope
from carillon.errors import Conflict, EventsRefused, Fault, OutboxFull, PublishError
from carillon.publishing import BATCH_EVENTS_MAX, batches

# What happens to an event for which there is no room: the caller waits, the oldest that waits leaves, the event itself
# is not taken, or OutboxFull is raised.
WhenFull = Literal["block", "drop_oldest", "drop_newest", "raise"]


@dataclass(frozen=True)
class Counts:
    """`queued` wait or are being sent; of all before them the log has `sent`, and never got `dropped` and `refused`."""

    queued: int
    sent: int
    dropped: int
    refused: int


@dataclass(frozen=True)
class RefusedEvent:
    """An event that the server will never take. `fault` names the field where one was named."""

    envelope: Envelope
    error: PublishError
    fault: Fault | None


class OutboxQueue:
    """First in, first out. Holds at most `capacity` events, and one batch more that is being sent."""

    def __init__(self, capacity: int, when_full: WhenFull) -> None:
        if capacity < 1:
            raise ValueError("capacity is one event or more")
        self._capacity = capacity
        self._when_full = when_full
        self._waiting: deque[tuple[int, Envelope]] = deque()
        self._sending: deque[tuple[int, Envelope]] = deque()
        self._one_by_one = 0  # how many of the next to send go out alone
        self._taken = self._sent = self._dropped = self._refused = 0

    @property
    def counts(self) -> Counts:
        return Counts(len(self._waiting) + len(self._sending), self._sent, self._dropped, self._refused)

    @property
    def is_full(self) -> bool:
        return len(self._waiting) >= self._capacity

    @property
    def must_wait(self) -> bool:
        """Whether a put is to wait for room."""
        return self._when_full == "block" and self.is_full

    @property
    def is_empty(self) -> bool:
        return not self._waiting and not self._sending

    @property
    def last(self) -> int:
        """The number of the event that was put last."""
        return self._taken

    def is_settled(self, number: int) -> bool:
        """Whether nothing up to that event waits any more."""
        oldest = self._sending or self._waiting
        return not oldest or oldest[0][0] > number

    def put(self, envelope: Envelope) -> bool:
        """Whether the event was taken; it was not with 'drop_newest' and no room. Raises OutboxFull."""
        if self.is_full:
            if self._when_full not in ("drop_oldest", "drop_newest"):
                raise OutboxFull(f"{self.counts.queued} events wait already")
            self._dropped += 1
            if self._when_full == "drop_newest":
                return False
            self._waiting.popleft()
        self._taken += 1
        self._waiting.append((self._taken, envelope))
        return True

    def drop_all(self) -> None:
        self._dropped += len(self._waiting) + len(self._sending)
        self._waiting.clear()
        self._sending.clear()

    def batch(self) -> Sequence[Envelope]:
        """What to send now; the same again until it was settled, but for what was refused of it. Empty: nothing
        waits."""
        if not self._sending:
            limit = 1 if self._one_by_one else BATCH_EVENTS_MAX
            candidates = [self._waiting[index][1] for index in range(min(limit, len(self._waiting)))]
            for _ in next(batches(candidates), ()):
                self._sending.append(self._waiting.popleft())
            self._one_by_one = max(0, self._one_by_one - 1)
        return [envelope for _, envelope in self._sending]

    def on_sent(self) -> None:
        """The log has the batch."""
        self._sent += len(self._sending)
        self._sending.clear()

    def on_refused(self, error: PublishError) -> list[RefusedEvent]:
        """The batch was refused for what is in it. Gives those that leave; the others go out again."""
        faults: dict[int, Fault | None] = {}
        if isinstance(error, EventsRefused):
            faults = {fault.index: fault for fault in reversed(error.faults) if 0 <= fault.index < len(self._sending)}
        elif isinstance(error, Conflict) and error.index is not None:
            faults = {error.index: None}
        if not faults and len(self._sending) > 1:
            self._send_one_by_one()
            return []
        if not faults:
            faults = {0: None}
        leaving = [RefusedEvent(self._sending[index][1], error, faults[index]) for index in sorted(faults)]
        self._sending = deque(entry for index, entry in enumerate(self._sending) if index not in faults)
        self._refused += len(leaving)
        return leaving

    def _send_one_by_one(self) -> None:
        """Nobody said which of them it was."""
        self._one_by_one = len(self._sending)
        self._waiting.extendleft(reversed(self._sending))
        self._sending.clear()
