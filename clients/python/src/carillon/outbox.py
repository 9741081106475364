"""Publishing without waiting for it: events are put, and leave in order from a thread or task of the outbox."""

import asyncio
import contextlib
import logging
import random
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from carillon.backoff import Backoff
from carillon.envelope import Envelope, Publishable, enveloped
from carillon.errors import (
    Conflict,
    EventsRefused,
    OutboxClosed,
    Rejected,
    Unavailable,
)
from carillon.outbox_queue import Counts, OutboxQueue, RefusedEvent, WhenFull
from carillon.publishing import RETRY_AFTER_MAX, AsyncEventPublisher, EventPublisher

_log = logging.getLogger("carillon.outbox")

OnRefused = Callable[[RefusedEvent], None]

# For what is in the events. All other trouble passes, or is mended elsewhere: the events stay and are sent again.
_FOR_GOOD = (EventsRefused, Conflict, Rejected)


def _only(event: Publishable) -> Envelope:
    return enveloped(event)[0]


def _tell(on_refused: OnRefused | None, refused: list[RefusedEvent]) -> None:
    for each in refused:
        _log.warning("event %s refused: %s", each.envelope.id, each.fault or each.error)
        try:
            if on_refused is not None:
                on_refused(each)
        except Exception:
            _log.exception("on_refused raised")


class Outbox:
    """Puts never wait for the server, from any thread; one thread of the outbox sends, in the order of the puts.

    While the server cannot be reached or refuses the token, events wait and are tried again, 0.5 to 20 s apart by
    chance. At most `capacity` events wait; `when_full` says what happens to one more. `block_timeout`: seconds, for
    'block'. `on_refused` is called on the outbox's thread for each event that the server will never take. The
    publisher belongs to the outbox's thread until close(), and stays open after it. A process made by fork has to make
    its own.
    """

    def __init__(
        self,
        publisher: EventPublisher,
        *,
        capacity: int,
        when_full: WhenFull,
        block_timeout: float = 1.0,
        on_refused: OnRefused | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._publisher = publisher
        self._block_timeout = block_timeout
        self._on_refused = on_refused
        self._queue = OutboxQueue(capacity, when_full)
        self._backoff = Backoff(random)
        self._changed = threading.Condition()
        self._closed = False
        self._stopped = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="carillon-outbox", daemon=True)
        self._thread.start()

    @property
    def counts(self) -> Counts:
        with self._changed:
            return self._queue.counts

    @property
    def last_error(self) -> Exception | None:
        """Why the events that wait are not sent, such as Unavailable or Unauthorized; None when the last call went
        well."""
        with self._changed:
            return self._error

    def put(self, event: Publishable) -> bool:
        """Whether the event was taken; it was not with 'drop_newest' and no room. Raises InvalidEvent, OutboxFull,
        OutboxClosed."""
        envelope = _only(event)
        # Before the lock: the fork may have been while the thread held it.
        if not self._thread.is_alive() and not self._closed:
            raise OutboxClosed("the outbox's thread is gone: in a process made by fork, make another outbox")
        with self._changed:
            self._changed.wait_for(lambda: self._closed or not self._queue.must_wait, self._block_timeout)
            if self._closed:
                raise OutboxClosed("the outbox is closed")
            is_taken = self._queue.put(envelope)
            self._changed.notify_all()
        return is_taken

    def flush(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds until all that was put before is settled: sent, refused or dropped."""
        with self._changed:
            last = self._queue.last
            return self._changed.wait_for(lambda: self._queue.is_settled(last) or self._stopped, timeout) and (
                self._queue.is_settled(last)
            )

    def close(self, timeout: float = 10.0) -> bool:
        """Takes no more events, waits up to `timeout` seconds for those that wait, and drops the rest. A call to the
        server that is under way is waited for, up to the publisher's own timeout. Whether nothing had to be dropped."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        is_all_sent = self.flush(timeout)
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()
        return is_all_sent

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or not self._queue.is_empty)
                if self._stopped:
                    self._queue.drop_all()
                    return
                batch = self._queue.batch()
                self._changed.notify_all()  # there is room again
            error: Exception | None = None
            try:
                self._publisher.send(batch)
            except Exception as caught:  # also what no publisher should raise: the thread goes on
                error = caught
            self._settle(error)

    def _settle(self, error: Exception | None) -> None:
        refused: list[RefusedEvent] = []
        with self._changed:
            self._error = error
            if error is None:
                self._queue.on_sent()
                self._backoff.reset()
            elif isinstance(error, _FOR_GOOD):
                refused = self._queue.on_refused(error)
            else:
                self._wait(error)
            self._changed.notify_all()
        _tell(self._on_refused, refused)

    def _wait(self, error: Exception) -> None:
        pause = _pause(self._backoff, error)
        _log.warning("nothing is sent for %.1f s: %s", pause, error)
        self._changed.wait_for(lambda: self._stopped, pause)


def _pause(backoff: Backoff, error: Exception) -> float:
    at_least = min(error.retry_after, RETRY_AFTER_MAX) if isinstance(error, Unavailable) else 0.0
    return backoff.next(at_least)


class AsyncOutbox:
    """`Outbox` for asyncio: one task sends. For one event loop; `put` waits with 'block' alone.

    It must be entered (`async with`) before the first put.
    """

    def __init__(
        self,
        publisher: AsyncEventPublisher,
        *,
        capacity: int,
        when_full: WhenFull,
        block_timeout: float = 1.0,
        on_refused: OnRefused | None = None,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._publisher = publisher
        self._block_timeout = block_timeout
        self._on_refused = on_refused
        self._queue = OutboxQueue(capacity, when_full)
        self._backoff = Backoff(random)
        self._changed = asyncio.Condition()
        self._closed = True
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    @property
    def counts(self) -> Counts:
        return self._queue.counts

    @property
    def last_error(self) -> Exception | None:
        """Why the events that wait are not sent; None when the last call went well."""
        return self._error

    async def put(self, event: Publishable) -> bool:
        """Whether the event was taken; it was not with 'drop_newest' and no room. Raises InvalidEvent, OutboxFull,
        OutboxClosed."""
        envelope = _only(event)
        async with self._changed:
            await self._wait_for(lambda: self._closed or not self._queue.must_wait, self._block_timeout)
            if self._closed:
                raise OutboxClosed("the outbox is closed")
            is_taken = self._queue.put(envelope)
            self._changed.notify_all()
        return is_taken

    async def _wait_for(self, condition: Callable[[], bool], timeout: float) -> bool:
        """With the condition variable held."""
        if not condition():  # else a timer would be made for every put
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._changed.wait_for(condition)
        return condition()

    async def flush(self, timeout: float) -> bool:
        """Waits up to `timeout` seconds until all that was put before is settled: sent, refused or dropped."""
        last = self._queue.last
        async with self._changed:
            return await self._wait_for(lambda: self._queue.is_settled(last), timeout)

    async def close(self, timeout: float = 10.0) -> bool:
        """Takes no more events, waits up to `timeout` seconds for those that wait, and drops the rest. Whether nothing
        had to be dropped."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()
        is_all_sent = await self.flush(timeout)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        async with self._changed:
            self._queue.drop_all()
            self._changed.notify_all()
        return is_all_sent

    async def __aenter__(self) -> Self:
        self._closed = False
        self._task = asyncio.create_task(self._run(), name="carillon-outbox")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _run(self) -> None:
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._queue.is_empty)
                batch = self._queue.batch()
                self._changed.notify_all()  # there is room again
            refused: list[RefusedEvent] = []
            try:
                await self._publisher.send(batch)
                self._error = None
                self._queue.on_sent()
                self._backoff.reset()
            except _FOR_GOOD as error:
                self._error = error
                refused = self._queue.on_refused(error)
            except Exception as error:  # also what no publisher should raise: the task goes on
                self._error = error
                await self._pause(error)
            async with self._changed:
                self._changed.notify_all()
            _tell(self._on_refused, refused)

    async def _pause(self, error: Exception) -> None:
        pause = _pause(self._backoff, error)
        _log.warning("nothing is sent for %.1f s: %s", pause, error)
        await asyncio.sleep(pause)
