"""What a caller sees of a subscription: its position, its buffer, its states, its end."""

import asyncio
import json

import pytest
from fake_server import ScriptedSystem, turns
from paths import VECTORS

from carillon import Notification, Refused, State, subscribe
from carillon.subscription import stream_url
from carillon.system import UpgradeRefused

MESSAGES = json.loads((VECTORS / "client_faults.json").read_text())["messages"]
PATIENCE = 30.0  # seconds; what these tests wait for happens at once


def sends(*names):
    return [{"send": name} for name in names]


def connection(*steps, then="stays", resume=None):
    return {"resume": resume, "steps": list(steps), "then": then}


BEGINNING = sends("auth_ok", "live at p0, 0 replayed")


def system_of(*connections):
    return ScriptedSystem({"connections": list(connections)}, MESSAGES)


def watch(system, **options):
    return subscribe("https://fake", token=system.token, system=system, **options)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, PATIENCE))


def test_an_item_counts_as_handled_when_the_next_is_asked_for():
    async def story():
        system = system_of(connection(*BEGINNING, *sends("notification p1", "notification p2")))
        async with watch(system) as subscription:
            items = aiter(subscription)
            assert subscription.position is None
            await anext(items)
            assert subscription.position is None
            assert (await anext(items)).position == "p1"
            assert subscription.position == "p0"
            assert (await anext(items)).position == "p2"
            assert subscription.position == "p1"
            waiting = asyncio.create_task(anext(items))
            await turns()
            assert subscription.position == "p2"
            waiting.cancel()

    run(story())


def test_a_heartbeat_moves_a_quiet_position():
    async def story():
        system = system_of(connection(*BEGINNING, *sends("ping at p9, 0 delivered")))
        async with watch(system) as subscription:
            items = aiter(subscription)
            await anext(items)
            await system.finished.wait()
            assert subscription.position is None, "the snapshot is still with the caller"
            waiting = asyncio.create_task(anext(items))
            await turns()
            assert subscription.position == "p9"
            waiting.cancel()

    run(story())


def test_a_wrong_count_takes_the_position_back_to_what_was_proved():
    async def story():
        steps = sends("notification p1", "ping at p1, 1 delivered", "notification p2", "ping at p4, 3 delivered")
        system = system_of(connection(*BEGINNING, *steps, {"client_closes": True}, then="backed_off"))
        positions = []
        async with watch(system) as subscription:
            async for item in subscription:
                if isinstance(item, Notification) and item.position == "p2":
                    break
            positions.append(subscription.position)
            await system.finished.wait()
            positions.append(subscription.position)
        assert positions == ["p1", "p1"]
        system = system_of(connection(*BEGINNING, *steps[2:], {"client_closes": True}, then="backed_off"))
        async with watch(system) as subscription:
            items = aiter(subscription)
            await anext(items)
            await anext(items)
            waiting = asyncio.create_task(anext(items))
            await system.finished.wait()
            await turns()
            assert subscription.position == "p0"
            waiting.cancel()

    run(story())


def test_while_the_buffer_is_full_nothing_is_read():
    async def story():
        system = system_of(connection(*BEGINNING, *sends(*["notification p1", "notification p2", "notification p3"])))
        async with watch(system, buffer=2) as subscription:
            items = aiter(subscription)
            await anext(items)
            await turns()
            assert not system.finished.is_set(), "the last one is still in the socket"
            assert [(await anext(items)).position for _ in range(3)] == ["p1", "p2", "p3"]
            await system.finished.wait()

    run(story())


def test_without_a_snapshot_nothing_is_handed_over_at_first():
    async def story():
        system = system_of(connection(*BEGINNING, *sends("notification p1")))
        system.query = "?snapshot=false"
        async with watch(system, snapshot=False) as subscription:
            assert (await anext(aiter(subscription))).position == "p1"

    run(story())


def test_a_token_that_cannot_be_had_is_asked_for_again():
    async def story():
        system = system_of(connection(*BEGINNING))
        plan = [OSError("absent"), RuntimeError("the caller's own"), ""]

        async def token():
            trouble = plan.pop(0) if plan else "token"
            if isinstance(trouble, Exception):
                raise trouble
            return trouble

        states = []
        async with subscribe("https://fake", token=token, system=system, on_state=states.append) as subscription:
            await anext(aiter(subscription))
            assert system.clock - 1000.0 >= 3 * 0.5
        assert states == [State.CATCHING_UP, State.LIVE, State.CLOSED]

    run(story())


def test_what_the_callers_callback_raises_reaches_the_caller():
    async def story():
        system = system_of(connection(*BEGINNING))

        def on_state(state):
            if state is State.LIVE:
                raise RuntimeError("the caller's own")

        with pytest.raises(RuntimeError, match="own"):
            async for _ in watch(system, on_state=on_state):
                pass

    run(story())


@pytest.mark.parametrize(("status", "times"), [(400, 1), (403, 1), (401, 2)])
def test_an_upgrade_that_is_refused_for_good(status, times):
    class Refusing:
        calls = 0

        def now(self):
            return 0.0

        def random(self):
            return 0.0

        async def connect(self, url, token, timeout):
            self.calls += 1
            raise UpgradeRefused(status)

    async def story():
        system = Refusing()
        subscription = subscribe("https://fake", token="t", system=system)
        with pytest.raises(Refused) as refused:
            async for _ in subscription:
                pass
        assert (refused.value.code, refused.value.position, system.calls) == (status, None, times)
        assert subscription.state is State.REFUSED
        await subscription.close()
        assert subscription.state is State.CLOSED
        assert [item async for item in subscription] == []

    run(story())


def test_close_ends_a_loop_that_waits():
    async def story():
        system = system_of(connection(*BEGINNING))
        subscription = watch(system)

        async def read():
            return [item async for item in subscription]

        reading = asyncio.create_task(read())
        await system.finished.wait()
        await subscription.close()
        await subscription.close()
        assert len(await reading) == 1
        assert len(asyncio.all_tasks()) <= 2, "nothing is left running"

    run(story())


@pytest.mark.parametrize(
    ("url", "resume", "snapshot", "expected"),
    [
        ("https://host:1", None, True, "wss://host:1/v1/stream"),
        ("wss://host/v1/stream", "j1.2", True, "wss://host/v1/stream?resume=j1.2"),
        ("https://host/below/", "a~b", False, "wss://host/below/v1/stream?resume=a~b&snapshot=false"),
    ],
)
def test_the_address(url, resume, snapshot, expected):
    assert stream_url(url, resume, snapshot) == expected


@pytest.mark.parametrize("url", ["http://host", "ws://host", "host:8443", ""])
def test_only_tls(url):
    with pytest.raises(ValueError, match="https"):
        subscribe(url, token="t")
