"""SIGTERM (protocol 7.3, cases B27 and K1): clients are told when to come back, nothing accepted is lost, exit 0."""

import signal
import threading
import time

import pytest

from harness import events, journal
from harness.waiting import until

DRAIN = {"server": {"drain_window": "2s"}}


def test_k1_clients_are_told_and_closed_with_1012_over_the_window(carillon):
    server = carillon(DRAIN).start()
    clients = [server.connect(f"user-{i}") for i in range(30)]
    start = time.monotonic()
    server.terminate()
    delays, ends = [], []

    def follow(client):
        code, messages = client.until_closed(timeout=10)
        ends.append(time.monotonic() - start)
        assert code == 1012
        assert messages[-1]["type"] == "ack" and messages[-1]["event"] == "shutting_down"
        delays.append(messages[-1]["payload"]["retry_after_ms"])

    threads = [threading.Thread(target=follow, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(delays) == 30
    assert server.wait(10) == 0
    assert time.monotonic() - start < 2 + 5
    # When they come back is spread: their delays, or their ends, cover a good part of the window.
    returns = [end * 1000 + delay for end, delay in zip(ends, delays, strict=True)]
    assert max(returns) - min(returns) > 700
    assert all(0 <= delay <= 10_000 for delay in delays)


def test_k1_readiness_goes_first_and_health_stays(carillon):
    server = carillon(DRAIN).start()
    with server.connect("alice"):
        server.terminate()
        until(lambda: server.admin_status("/readyz") == 503, 2, "the end of readiness")
        assert server.admin_status("/healthz") == 200
    assert server.wait(10) == 0


def test_b27_new_upgrade_while_draining_is_503_with_retry_after(carillon):
    server = carillon({"server": {"drain_window": "3s"}}).start()
    clients = [server.connect(f"user-{i}") for i in range(10)]
    server.terminate()
    until(lambda: server.admin_status("/readyz") == 503, 2)
    waits = set()
    for _ in range(10):
        with server.raw() as client:
            response = client.upgrade(authorization=f"Bearer {server.token()}")
            assert response.status == 503
            assert response.headers["connection"] == ["close"]
            waits.add(int(response.headers["retry-after"][0]))
    assert min(waits) >= 1
    assert server.wait(10) == 0
    for client in clients:
        client.close()


def test_what_was_accepted_before_the_stop_is_delivered_and_kept(carillon):
    server = carillon(DRAIN).start()
    answered, refused = [], []

    def publish():
        with server.rest() as rest:
            while True:
                event = events.order("alice")
                try:
                    answer = rest.post(event)
                except OSError:
                    return
                (answered if answer.status == 202 else refused).append(event)
                if answer.status != 202:
                    assert answer.status == 503
                    return

    threads = [threading.Thread(target=publish) for _ in range(3)]
    with server.connect("alice") as alice:
        for thread in threads:
            thread.start()
        alice.notifications(50)
        server.terminate()
        code, messages = alice.until_closed(timeout=10)
        assert code == 1012
        told = [m["payload"]["order_id"] for m in messages if m["type"] == "notification"]
        assert len(told) == len(set(told))
    assert server.wait(10) == 0
    for thread in threads:
        thread.join()
    stored = journal.ids(server.journal)
    assert {event["id"] for event in answered} <= set(stored)
    assert not {event["id"] for event in refused} & set(stored)
    server.start()
    assert server.publish(*answered[-100:])["accepted"] == 0


def test_a_stop_without_clients_is_quick_and_an_interrupt_is_a_stop_too(carillon):
    server = carillon({"server": {"drain_window": "10s"}}).start()
    start = time.monotonic()
    server.process.send_signal(signal.SIGINT)
    assert server.wait(5) == 0
    assert time.monotonic() - start < 3


def test_client_that_never_answers_the_close_does_not_hold_the_stop(carillon):
    server = carillon({"server": {"drain_window": "1s"}}).start()
    stuck = [server.raw_stream(f"stuck-{i}", receive_buffer=4096) for i in range(3)]
    half_open = server.raw(handshake=False)
    start = time.monotonic()
    server.terminate()
    assert server.wait(15) == 0
    assert time.monotonic() - start < 8
    for client in (*stuck, half_open):
        client.close()


def test_drain_window_of_zero_closes_at_once(carillon):
    server = carillon({"server": {"drain_window": "0ms"}}).start()
    with server.connect("alice") as alice:
        start = time.monotonic()
        server.terminate()
        assert alice.until_closed()[0] == 1012
        assert time.monotonic() - start < 2
    assert server.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGPIPE, signal.SIGHUP, signal.SIGWINCH])
def test_other_signals_are_survived(carillon, number):
    server = carillon().start()
    with server.connect("alice") as alice:
        for _ in range(50):
            server.process.send_signal(number)
        server.publish(events.alert())
        alice.notification()


def test_k2_kill_in_the_middle_of_a_drain_loses_nothing(carillon):
    server = carillon({"server": {"drain_window": "5s"}}).start()
    event = events.order("alice")
    with server.connect("alice"):
        server.publish(event)
        server.terminate()
        until(lambda: server.admin_status("/readyz") == 503, 2)
        server.kill()
    server.start()
    assert server.publish(event)["duplicates"] == 1


def test_a_stop_while_the_log_is_read_tells_those_who_wait_for_it(carillon):
    server = carillon({"server": {"drain_window": "500ms"}}).start()
    start = server.publish(events.alert())["position"]
    for _ in range(5):
        server.publish(*[events.order("alice") for _ in range(1000)])
    server.kill()
    server.spawn()

    def opened():
        try:
            return server.open(server.token("alice"), resume=start)
        except ConnectionRefusedError:
            return None

    with until(opened, 20, "an accepted connection") as alice:
        server.terminate()
        code, messages = alice.until_closed(10)
        assert code == 1012
        seen = [m["id"] for m in messages if m["type"] == "notification"]
    assert server.wait(30) == 0
    server.start()
    with server.join("alice", resume=seen[-1] if seen else start) as alice:
        assert len(seen) + len(alice.catch_up(20)) == 5000
