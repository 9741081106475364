"""What every way of publishing shares: batches, attempts, and what came of it."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn, Self

from carillon.backoff import Backoff
from carillon.envelope import Envelope, Publishable, enveloped
from carillon.errors import Conflict, EventsRefused, PublishError, Unavailable

BATCH_EVENTS_MAX = 1000
BATCH_BYTES_MAX = 1024 * 1024
ATTEMPTS = 8
RETRY_AFTER_MAX = 60.0  # seconds; a server that asks for more is asked again then


@dataclass(frozen=True)
class Published:
    """What the log holds now: `accepted` new events and `duplicates` that it had already, under these ids.

    `position` is the log's, where the way of publishing tells one.
    """

    accepted: int
    duplicates: int
    position: str | None
    ids: tuple[str, ...]

    def and_then(self, later: "Published") -> "Published":
        return Published(
            self.accepted + later.accepted,
            self.duplicates + later.duplicates,
            later.position or self.position,
            self.ids + later.ids,
        )


NOTHING_PUBLISHED = Published(0, 0, None, ())


def batches(envelopes: Sequence[Envelope]) -> Iterator[Sequence[Envelope]]:
    """In order, each at most 1000 events and 1 MiB as one JSON array."""
    start, size = 0, 2
    for index, envelope in enumerate(envelopes):
        more = len(envelope.json) + 1
        if index > start and (index - start == BATCH_EVENTS_MAX or size + more > BATCH_BYTES_MAX):
            yield envelopes[start:index]
            start, size = index, 2
        size += more
    if start < len(envelopes):
        yield envelopes[start:]


class _Attempts:
    """The attempts of one batch: at most `limit`, full jitter between them, Retry-After obeyed."""

    def __init__(self, limit: int, random: Callable[[], float]) -> None:
        self._left = limit - 1
        self._backoff = Backoff(random)

    def wait_after(self, error: Unavailable) -> float:
        """Seconds until the next attempt; raises the error when there is none."""
        if self._left <= 0:
            raise error
        self._left -= 1
        return self._backoff.next(min(error.retry_after, RETRY_AFTER_MAX))


def _raise_for_rest(error: PublishError, envelopes: Sequence[Envelope], done: Published) -> NoReturn:
    """The error as the caller's list sees it: indexes count from its begin."""
    offset = len(done.ids)
    error.envelopes = tuple(envelopes[offset:])
    error.accepted = offset
    if isinstance(error, EventsRefused):
        error.faults = tuple(replace(fault, index=fault.index + offset) for fault in error.faults)
    if isinstance(error, Conflict) and error.index is not None:
        error.index += offset
    raise error


class EventPublisher(ABC):
    """Publishes from any thread that has it to itself. Each event goes out under one id, whatever has to be repeated.

    `attempts` bounds how often a batch is sent while nobody takes it.
    """

    def __init__(
        self, *, attempts: int = ATTEMPTS, sleep: Callable[[float], None], random: Callable[[], float]
    ) -> None:
        self._attempts = attempts
        self._sleep = sleep
        self._random = random

    def publish(self, events: Publishable | Sequence[Publishable]) -> Published:
        """Returns when the log holds them all durably. Raises PublishError; what its `envelopes` holds may be given
        here again."""
        envelopes = enveloped(events)
        done = NOTHING_PUBLISHED
        for batch in batches(envelopes):
            try:
                done = done.and_then(self._publish_batch(batch))
            except PublishError as error:
                _raise_for_rest(error, envelopes, done)
        return done

    def _publish_batch(self, batch: Sequence[Envelope]) -> Published:
        attempts = _Attempts(self._attempts, self._random)
        while True:
            try:
                return self.send(batch)
            except Unavailable as error:
                self._sleep(attempts.wait_after(error))

    @abstractmethod
    def send(self, batch: Sequence[Envelope]) -> Published:
        """One attempt with one batch. Raises PublishError; Unavailable where another attempt is worth it."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncEventPublisher(ABC):
    """The same for asyncio. Publishes one call at a time: calls that overlap may reach the log in either order."""

    def __init__(
        self, *, attempts: int = ATTEMPTS, sleep: Callable[[float], Awaitable[None]], random: Callable[[], float]
    ) -> None:
        self._attempts = attempts
        self._sleep = sleep
        self._random = random

    async def publish(self, events: Publishable | Sequence[Publishable]) -> Published:
        """Returns when the log holds them all durably. Raises PublishError; what its `envelopes` holds may be given
        here again."""
        envelopes = enveloped(events)
        done = NOTHING_PUBLISHED
        for batch in batches(envelopes):
            try:
                done = done.and_then(await self._publish_batch(batch))
            except PublishError as error:
                _raise_for_rest(error, envelopes, done)
        return done

    async def _publish_batch(self, batch: Sequence[Envelope]) -> Published:
        attempts = _Attempts(self._attempts, self._random)
        while True:
            try:
                return await self.send(batch)
            except Unavailable as error:
                await self._sleep(attempts.wait_after(error))

    @abstractmethod
    async def send(self, batch: Sequence[Envelope]) -> Published:
        """One attempt with one batch. Raises PublishError; Unavailable where another attempt is worth it."""

    @abstractmethod
    async def close(self) -> None:
        """Lets go of the connection."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
