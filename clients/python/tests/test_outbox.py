"""An outbox: its bound, its counts, its order, and what it does with trouble. Its publisher is told when to go on."""

import asyncio
import os
import threading

import pytest

from carillon import (
    AsyncEventPublisher,
    AsyncOutbox,
    Conflict,
    Envelope,
    EventPublisher,
    EventsRefused,
    Fault,
    Outbox,
    OutboxClosed,
    OutboxFull,
    Published,
    Rejected,
    SystemAlert,
    Unauthorized,
    Unavailable,
)
from carillon.outbox_queue import OutboxQueue

PATIENCE = 30.0  # seconds; what these tests wait for happens at once


def alert(number):
    return SystemAlert(alert_id=f"a-{number}", level="INFO", message="m")


class Recording:
    """Keeps what was sent; a call fails with what is planned, then goes well."""

    def __init__(self, *plan):
        self.plan = list(plan)
        self.sent = []
        self.calls = []

    def record(self, batch):
        numbers = [envelope.event.alert_id for envelope in batch]
        self.calls.append(numbers)
        trouble = self.plan.pop(0) if self.plan else None
        if trouble is not None:
            raise trouble
        self.sent += numbers
        return Published(len(batch), 0, None, tuple(envelope.id for envelope in batch))


class Gated(EventPublisher):
    """Sends only while the gate is open."""

    def __init__(self, *plan):
        super().__init__(sleep=lambda seconds: None, random=lambda: 0.0)
        self.recording = Recording(*plan)
        self.gate = threading.Event()
        self.is_sending = threading.Event()

    def send(self, batch):
        self.is_sending.set()
        assert self.gate.wait(PATIENCE)
        return self.recording.record(batch)

    def close(self):
        self.gate.set()


def names(*numbers):
    return [f"a-{number}" for number in numbers]


def held(when_full, capacity=3, **options):
    """An outbox whose publisher holds event 0, with as many waiting as there is room for."""
    publisher = Gated()
    outbox = Outbox(publisher, capacity=capacity, when_full=when_full, **options)
    outbox.put(alert(0))
    assert publisher.is_sending.wait(PATIENCE)
    for number in range(1, capacity + 1):
        assert outbox.put(alert(number))
    return publisher, outbox


def finished(publisher, outbox):
    publisher.gate.set()
    assert outbox.close(PATIENCE)
    return publisher.recording.sent


def test_puts_do_not_wait_and_order_is_kept():
    publisher, outbox = held("raise", 1000)
    assert outbox.counts.queued == 1001
    assert finished(publisher, outbox) == names(*range(1001))
    assert (outbox.counts.queued, outbox.counts.sent) == (0, 1001)


def test_full_and_drop_oldest():
    publisher, outbox = held("drop_oldest")
    assert outbox.put(alert(4))
    assert outbox.counts.dropped == 1
    assert finished(publisher, outbox) == names(0, 2, 3, 4)


def test_full_and_drop_newest():
    publisher, outbox = held("drop_newest")
    assert not outbox.put(alert(4))
    assert outbox.counts.dropped == 1
    assert finished(publisher, outbox) == names(0, 1, 2, 3)


def test_full_and_raise():
    publisher, outbox = held("raise")
    with pytest.raises(OutboxFull):
        outbox.put(alert(4))
    assert (outbox.counts.queued, outbox.counts.dropped) == (4, 0)
    assert finished(publisher, outbox) == names(0, 1, 2, 3)


def test_full_and_block():
    publisher, outbox = held("block", block_timeout=0.0)
    with pytest.raises(OutboxFull):
        outbox.put(alert(4))
    finished(publisher, outbox)
    publisher, outbox = held("block", block_timeout=PATIENCE)
    putting = threading.Thread(target=outbox.put, args=[alert(4)])
    putting.start()
    publisher.gate.set()
    putting.join(PATIENCE)
    assert finished(publisher, outbox) == names(0, 1, 2, 3, 4)


def test_a_put_that_waits_is_told_of_the_end():
    publisher, outbox = held("block", block_timeout=PATIENCE)
    told = []

    def put():
        with pytest.raises(OutboxClosed):
            outbox.put(alert(4))
        told.append(True)

    putting = threading.Thread(target=put)
    putting.start()
    publisher.gate.set()
    outbox.close(PATIENCE)
    with pytest.raises(OutboxClosed):
        outbox.put(alert(5))
    putting.join(PATIENCE)
    # It came before the end, and found room, or after it.
    assert told or "a-4" in publisher.recording.sent


@pytest.mark.parametrize("trouble", [Unavailable("down"), Unauthorized("no", "expired"), OSError("broken"), KeyError()])
def test_trouble_is_waited_out_with_the_same_events(trouble):
    publisher = Gated(trouble)
    publisher.gate.set()
    with Outbox(publisher, capacity=10, when_full="raise", random=lambda: 0.0) as outbox:
        outbox.put(alert(0))
        outbox.put(alert(1))
        assert outbox.flush(PATIENCE)
        assert outbox.last_error is None
    assert publisher.recording.sent == names(0, 1)
    assert outbox.counts.refused == 0


def refusing(*plan, count=4):
    """What is sent and what is told as refused, of events that go out in one batch."""
    publisher, outbox = Gated(*plan), None
    refused = []
    outbox = Outbox(publisher, capacity=10, when_full="raise", on_refused=refused.append, random=lambda: 0.0)
    outbox.put(alert("first"))
    assert publisher.is_sending.wait(PATIENCE)
    for number in range(count):
        outbox.put(alert(number))
    return finished(publisher, outbox), refused, outbox.counts


def test_refused_events_leave_and_the_others_go_on():
    fault = Fault("/timestamp", "out_of_range", "too late", index=1)
    sent, refused, counts = refusing(None, EventsRefused("no", [fault, Fault("", "missing", "x", index=3)]))
    assert sent == names("first", 0, 2)
    assert [(each.envelope.event.alert_id, each.fault and each.fault.field) for each in refused] == [
        ("a-1", "timestamp"),
        ("a-3", ""),
    ]
    assert (counts.sent, counts.refused, counts.dropped) == (3, 2, 0)


def test_a_conflict_leaves():
    sent, refused, _ = refusing(None, Conflict("no", 2))
    assert sent == names("first", 0, 1, 3)
    assert isinstance(refused[0].error, Conflict)


def test_where_nobody_says_which_one_they_go_one_by_one():
    """A call of four is refused as a whole, and then the second of them alone."""
    sent, refused, _ = refusing(None, Rejected("no", 400), None, Rejected("no", 400))
    assert sent == names("first", 0, 2, 3)
    assert [each.envelope.event.alert_id for each in refused] == names(1)


def test_a_callback_that_raises_stops_nothing():
    publisher = Gated(Rejected("no", 400))
    publisher.gate.set()

    def on_refused(_):
        raise RuntimeError("the caller's own")

    with Outbox(publisher, capacity=10, when_full="raise", on_refused=on_refused) as outbox:
        outbox.put(alert(0))
        assert outbox.flush(PATIENCE)
        outbox.put(alert(1))
    assert publisher.recording.sent == names(1)


def test_what_is_not_sent_by_the_end_is_dropped_and_counted():
    publisher = Gated(*[Unavailable("down", retry_after=60.0)])
    publisher.gate.set()
    outbox = Outbox(publisher, capacity=10, when_full="raise")
    for number in range(3):
        outbox.put(alert(number))
    assert not outbox.flush(0.0)
    assert not outbox.close(0.0)
    counts = outbox.counts
    assert (counts.queued, counts.sent + counts.dropped) == (0, 3)


def test_a_flush_waits_for_what_was_put_before_it():
    queue = OutboxQueue(10, "raise")
    for number in range(3):
        queue.put(Envelope(alert(number)))
    last = queue.last
    queue.batch()
    queue.put(Envelope(alert(3)))
    assert not queue.is_settled(last)
    queue.on_sent()
    assert queue.is_settled(last)
    assert not queue.is_empty


def test_after_a_fork_an_outbox_is_its_parent_s():
    with Outbox(Gated(), capacity=9, when_full="raise") as outbox:
        child = os.fork()
        if child == 0:
            try:
                outbox.put(alert(1))
            except OutboxClosed:
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0


def test_a_capacity_is_one_or_more():
    with pytest.raises(ValueError, match="one event"):
        OutboxQueue(0, "raise")


class AsyncGated(AsyncEventPublisher):
    def __init__(self, *plan):
        super().__init__(sleep=asyncio.sleep, random=lambda: 0.0)
        self.recording = Recording(*plan)
        self.gate = asyncio.Event()

    async def send(self, batch):
        await self.gate.wait()
        return self.recording.record(batch)

    async def close(self):
        self.gate.set()


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE))


async def one_held(outbox):
    """Event 0 is being sent, and the outbox full."""
    await outbox.put(alert(0))
    while outbox._queue._waiting:
        await asyncio.sleep(0)
    for number in range(1, 4):
        await outbox.put(alert(number))


@pytest.mark.parametrize(
    ("when_full", "sent", "dropped"),
    [("drop_oldest", names(0, 2, 3, 4), 1), ("drop_newest", names(0, 1, 2, 3), 1), ("raise", names(0, 1, 2, 3), 0)],
)
def test_an_asyncio_outbox_is_bounded_too(when_full, sent, dropped):
    async def story():
        publisher = AsyncGated()
        async with AsyncOutbox(publisher, capacity=3, when_full=when_full) as outbox:
            await one_held(outbox)
            if when_full == "raise":
                with pytest.raises(OutboxFull):
                    await outbox.put(alert(4))
            else:
                assert await outbox.put(alert(4)) is (when_full == "drop_oldest")
            publisher.gate.set()
            assert await outbox.flush(PATIENCE)
        assert publisher.recording.sent == sent
        assert outbox.counts.dropped == dropped
        with pytest.raises(OutboxClosed):
            await outbox.put(alert(5))

    run(story())


def test_an_asyncio_outbox_blocks_for_so_long():
    async def story():
        publisher = AsyncGated()
        async with AsyncOutbox(publisher, capacity=3, when_full="block", block_timeout=0.0) as outbox:
            await one_held(outbox)
            with pytest.raises(OutboxFull):
                await outbox.put(alert(4))
            publisher.gate.set()
            assert await outbox.flush(PATIENCE)
        assert publisher.recording.sent == names(0, 1, 2, 3)

    run(story())


def test_an_asyncio_put_that_waits_is_told_of_the_end_at_once():
    async def story():
        publisher = AsyncGated()
        async with AsyncOutbox(publisher, capacity=3, when_full="block", block_timeout=PATIENCE) as outbox:
            await one_held(outbox)
            putting = asyncio.create_task(outbox.put(alert(4)))
            await asyncio.sleep(0)  # it has found no room
            closing = asyncio.create_task(outbox.close(PATIENCE))
            with pytest.raises(OutboxClosed):
                await putting
            assert not closing.done()
            publisher.gate.set()
            assert await closing
        assert publisher.recording.sent == names(0, 1, 2, 3)

    run(story())


def test_an_asyncio_flush_ends_when_what_it_waits_for_is_dropped():
    async def story():
        async with AsyncOutbox(AsyncGated(), capacity=3, when_full="raise") as outbox:
            await one_held(outbox)
            flushing = asyncio.create_task(outbox.flush(2 * PATIENCE))
            await asyncio.sleep(0)  # it waits
            assert not await outbox.close(0.0)
            assert await flushing
        assert outbox.counts.dropped == 4

    run(story())


def test_an_asyncio_outbox_goes_on_after_trouble_and_tells_of_what_is_refused():
    async def story():
        refused = []
        publisher = AsyncGated(Unavailable("down"), Conflict("no", 0))
        async with AsyncOutbox(
            publisher, capacity=10, when_full="raise", on_refused=refused.append, random=lambda: 0.0
        ) as outbox:
            publisher.gate.set()
            await outbox.put(alert(0))
            assert await outbox.flush(PATIENCE)
            await outbox.put(alert(1))
        assert publisher.recording.sent == names(1)
        assert [each.envelope.event.alert_id for each in refused] == names(0)
        assert outbox.counts.refused == 1

    run(story())
