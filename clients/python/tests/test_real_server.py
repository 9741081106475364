"""The client against a real server over its sockets."""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from harness.waiting import until
from real import alert, ca_of, order, publisher, url_of, watch

from carillon import (
    AsyncPublisher,
    Conflict,
    Envelope,
    EventsRefused,
    Forbidden,
    Gap,
    InvalidEvent,
    Notification,
    OrderUpdate,
    Outbox,
    Refused,
    Snapshot,
    State,
    Unauthorized,
)
from carillon.system import RealSystem

KILLS = 20
PATIENCE = 60.0  # seconds


@pytest.fixture
def server(carillon):
    return carillon({"server": {"drain_window": "0"}}).start()


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE))


def test_what_is_published_arrives_with_its_digits(server):
    async def story():
        async with watch(server) as subscription:
            items = aiter(subscription)
            assert (await anext(items)).notifications == ()
            with publisher(server) as agent:
                sent = order(1, price_avg_filled="64000.10", quantity_filled="1.50e-1", extra={"venue": Decimal("1.0")})
                published = agent.publish(sent)
                assert (published.accepted, published.duplicates) == (1, 0)
            item = await anext(items)
            assert item.event == sent
            assert str(item.event.quantity_total) == "1.50"
            assert item.event.quantity_filled.text == "1.50e-1"
            assert item.event.price_avg_filled.text == "64000.10"
            assert item.event.extra["venue"].text == "1.0"
            assert item.position == published.position
            assert subscription.state is State.LIVE

    run(story())


def test_an_envelope_is_one_event_however_often_it_is_published(server):
    envelope = Envelope(alert(1))
    with publisher(server) as agent:
        assert agent.publish(envelope).accepted == 1
        assert agent.publish([envelope, alert(2)]).duplicates == 1
        with pytest.raises(Conflict) as conflict:
            agent.publish([alert(3), Envelope(alert(4), id=envelope.id)])
        assert conflict.value.index == 1
        assert [each.event.alert_id for each in conflict.value.envelopes] == ["a-3", "a-4"]


def test_many_events_are_split_into_calls(server):
    alerts = [alert(number) for number in range(2500)]
    with publisher(server) as agent:
        published = agent.publish(alerts)
        assert published.accepted == 2500
        assert len(set(published.ids)) == 2500
    assert server.metrics().total("carillon_rest_calls_total") == 3


def test_asyncio_publishes_too(server):
    async def story():
        async def token():
            return server.token("agent", scope="publish")

        async with AsyncPublisher(url_of(server), token=token, ca=ca_of(server)) as agent:
            return await agent.publish([alert(1), alert(2)])

    assert run(story()).accepted == 2


def test_a_refused_token_is_told_and_asked_for_anew(server, tmp_path):
    path = tmp_path / "token"
    path.write_text(server.token("agent", scope="publish", ttl=-100) + "\n")
    with publisher(server, token=path) as agent:
        with pytest.raises(Unauthorized) as refused:
            agent.publish(alert(1))
        assert refused.value.code == "expired"
        path.write_text(server.token("agent", scope="publish"))
        assert agent.publish(refused.value.envelopes).accepted == 1
    with publisher(server, token=server.token("alice")) as agent, pytest.raises(Forbidden):
        agent.publish(alert(2))


def test_what_only_the_server_can_refuse_names_index_and_field(server):
    late = Envelope(alert(2), timestamp=datetime.now(UTC) + timedelta(days=2))
    with publisher(server) as agent, pytest.raises(EventsRefused) as refused:
        agent.publish([alert(1), late])
    assert [(fault.index, fault.field, fault.code) for fault in refused.value.faults] == [
        (1, "timestamp", "out_of_range")
    ]
    with pytest.raises(InvalidEvent) as invalid:
        order(1, quantity_filled=2)
    assert invalid.value.field == "quantity_filled"


def test_what_was_missed_comes_and_a_lost_place_is_a_gap(server):
    async def first(count, **options):
        async with watch(server, **options) as subscription:
            found = []
            async for item in subscription:
                found.append(item)
                if len(found) == count:
                    break
            return found, subscription

    async def story():
        begun, subscription = await first(1)
        position = begun[0].position
        with publisher(server) as agent:
            agent.publish([order(number) for number in range(3)])
        missed, subscription = await first(3, resume=position)
        assert [item.event.order_id for item in missed] == ["o-0", "o-1", "o-2"]
        # The last one is with us, and not said to be handled.
        assert subscription.position == missed[1].position
        again, _ = await first(1, resume=subscription.position)
        assert again[0].event.order_id == "o-2"
        gap, snapshot = (await first(2, resume="j999.1"))[0]
        assert gap == Gap("j999.1", "epoch")
        # A shard that is behind the others has the rest for later.
        shown = [item.event.order_id for item in snapshot.notifications]
        assert shown == ["o-0", "o-1", "o-2"][: len(shown)]

    run(story())


def test_a_refused_token_ends_the_iteration_and_iterating_tries_again(server):
    tokens = [server.token("alice", ttl=-100), server.token("alice", ttl=-100), server.token("alice")]
    states = []

    async def story():
        async with watch(server, token=lambda: tokens.pop(0), on_state=states.append) as subscription:
            with pytest.raises(Refused) as refused:
                await anext(aiter(subscription))
            assert refused.value.code == 401
            assert subscription.state is State.REFUSED
            assert isinstance(await anext(aiter(subscription)), Snapshot)
        assert subscription.state is State.CLOSED

    run(story())
    assert states == [State.REFUSED, State.CONNECTING, State.CATCHING_UP, State.LIVE, State.CLOSED]


def test_the_token_is_refreshed_in_band(server):
    """The first has less than the minute that is left when the server asks for another."""
    tokens = [server.token("alice", ttl=30), server.token("alice", ttl=3600)]
    states = []

    async def story():
        async with watch(server, token=lambda: tokens.pop(0), on_state=states.append) as subscription:
            items = aiter(subscription)
            await anext(items)
            while tokens:
                await asyncio.sleep(0)
            with publisher(server) as agent:
                agent.publish(alert(1))
            assert (await anext(items)).event.alert_id == "a-1"

    run(story())
    assert states == [State.CATCHING_UP, State.LIVE, State.CLOSED]


def test_leaving_the_loop_ends_the_session(server):
    async def story():
        async for _ in watch(server):
            break
        await asyncio.to_thread(until, lambda: server.connections() == 0, what="the end of the session")

    run(story())


def test_a_caller_that_is_slow_gets_everything_all_the_same(carillon):
    """What it does not take waits in the socket, until the server closes with 4420."""
    server = carillon({"server": {"drain_window": "0"}, "limits": {"queue_age_max": "1s"}}).start()
    count = 100

    def is_closed_for_slowness():
        return server.metrics().count("carillon_sessions_closed_total", code="4420") == 1

    def publish():
        with publisher(server) as agent:
            agent.publish([order(number, extra={"filler": "x" * 200_000}) for number in range(count)])
        until(is_closed_for_slowness, PATIENCE, "a session closed as too slow")

    async def story():
        async with watch(server, buffer=4) as subscription:
            items = aiter(subscription)
            await anext(items)
            await asyncio.to_thread(publish)
            seen = [(await anext(items)).event.order_id for _ in range(count)]
        assert seen == [f"o-{number}" for number in range(count)]

    run(story())


class Impatient(RealSystem):
    """Waits as short as is allowed, so that twenty lives fit into half a minute."""

    def random(self):
        return 0.0


class Load:
    """Publishes through an outbox until it is told to stop, alice's orders and alerts to all in turn."""

    def __init__(self, server):
        self.ids = []
        self._stop = threading.Event()
        self._server = server
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        with publisher(self._server, attempts=1, timeout=5.0) as agent:
            outbox = Outbox(agent, capacity=100_000, when_full="raise", random=lambda: 0.0)
            number = 0
            while not self._stop.wait(0.002):
                event = order(number) if number % 2 else alert(number)
                self.ids.append(event.order_id if number % 2 else event.alert_id)
                outbox.put(event)
                number += 1
            self.is_all_sent = outbox.close(PATIENCE)
            self.counts = outbox.counts

    def finish(self):
        self._stop.set()
        self._thread.join()


def test_a_server_that_is_killed_twenty_times_loses_and_repeats_nothing(server):
    seen, states, gaps = [], [], []

    async def follow(stop_at):
        async with watch(server, on_state=states.append, system=Impatient(ca_of(server))) as subscription:
            async for item in subscription:
                match item:
                    case Notification(event=OrderUpdate() as event):
                        seen.append(event.order_id)
                    case Notification(event=event):
                        seen.append(event.alert_id)
                    case Gap():
                        gaps.append(item)
                    case Snapshot():
                        assert not item.notifications
                if stop_at.done() and len(seen) >= stop_at.result():
                    return

    async def story():
        stop_at = asyncio.get_running_loop().create_future()
        follower = asyncio.create_task(follow(stop_at))
        while State.LIVE not in states:
            await asyncio.sleep(0.01)
        load = await asyncio.to_thread(Load, server)
        for kills in range(KILLS):
            before = len(seen)

            def is_under_way(kills=kills, before=before):
                return states.count(State.CATCHING_UP) > kills and len(seen) > before + 20

            await asyncio.to_thread(until, is_under_way, PATIENCE, "events under way")
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        await asyncio.to_thread(load.finish)
        assert load.is_all_sent, load.counts
        stop_at.set_result(len(load.ids))
        await asyncio.to_thread(until, lambda: len(seen) >= len(load.ids), PATIENCE, "all events")
        with publisher(server) as agent:
            agent.publish(alert("last"))
        await follower
        return load

    load = asyncio.run(asyncio.wait_for(story(), 300))
    assert seen[: len(load.ids)] == load.ids
    assert gaps == []
    assert states.count(State.CATCHING_UP) == KILLS + 1
    assert (load.counts.sent, load.counts.dropped, load.counts.refused) == (len(load.ids), 0, 0)
