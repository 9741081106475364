"""A client that does not read (protocol 7.2, cases F11 and D24): closed with 4420, never dropped from in silence, and
nobody else waits for it."""

import time

import pytest

from harness import events, frames
from harness.waiting import until

pytestmark = pytest.mark.usefixtures("undisturbed")

CONFIG = {"limits": {"queue_age_max": "3s"}, "window": {"bytes": "4MiB"}}


@pytest.fixture(scope="module", autouse=True)
def full_window(server):
    """The recent window takes its share of memory before anybody measures."""
    fill(server, "nobody", 8)


def fill(server, user, megabytes):
    """Publishes that much to one user."""
    batch = [events.narrowed(events.alert(message="m" * 4096), user) for _ in range(200)]
    with server.rest() as rest:
        for _ in range(megabytes * 1024 * 1024 // (200 * 4096)):
            rest.publish(*[{**event, "id": events.fresh_id()} for event in batch])


def logged_close(server, client, mark, timeout):
    def lines():
        return [line for line in server.ends_of(client, mark) if line.get("code") == 4420]

    return until(lines, timeout, "the log line of a close with 4420")


def test_d24_client_that_stops_reading_is_4420_at_the_queue_limit_and_freed(server):
    mark, before = server.log_size(), server.connections()
    with server.raw_stream("slow", receive_buffer=4096) as client:
        start = time.monotonic()
        fill(server, "slow", 12)
        (line,) = logged_close(server, client, mark, 2)
        until(lambda: server.connections() <= before, 5, "the slow connection's end")
        assert time.monotonic() - start < 9
    assert line["level"] in ("info", "warning")


def test_slow_client_that_reads_again_finds_4420_after_what_was_sent(server):
    mark = server.log_size()
    with server.raw_stream("slow", receive_buffer=4096) as client:
        fill(server, "slow", 12)
        logged_close(server, client, mark, 2)
        closed = client.read_close(10)
        assert closed.code == 4420
        ids = [m["id"] for m in closed.messages if m["type"] == "notification"]
        assert len(ids) == len(set(ids)) > 0


def test_f11_zero_window_with_answered_heartbeats_is_4420_by_queue_age(carillon):
    server = carillon(
        {
            "limits": {"queue_bytes_max": "64MiB", "queue_age_max": "1s"},
            "heartbeat": {"interval": "1s", "timeout": "5s"},
        }
    ).start()
    mark = server.log_size()
    with server.raw_stream("slow", receive_buffer=4096) as client:
        start = time.monotonic()
        fill(server, "slow", 12)
        filled = time.monotonic()

        def closed():
            try:
                client.send(frames.pong())
            except OSError:
                pass
            return [line for line in server.ends_of(client, mark) if line.get("code")]

        # One pong a poll would be over the rate; the poll's own pace is 100 a second.
        pace = iter(range(10**9))
        line = until(lambda: closed() if next(pace) % 50 == 0 else None, 10, "the close")[0]
        assert line["code"] == 4420
        assert 0.5 < time.monotonic() - start and time.monotonic() - filled < 4


def test_reading_client_of_the_same_user_misses_nothing(server):
    with server.raw_stream("pair", receive_buffer=4096), server.connect("pair") as reader:
        fill(server, "pair", 12)
        ids = [n["id"] for n in reader.notifications(12 * 1024 * 1024 // (200 * 4096) * 200, timeout=20)]
        assert len(ids) == len(set(ids))
