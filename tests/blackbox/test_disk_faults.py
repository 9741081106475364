"""A disk that is full or lies (product: durable before visible; cases I8, I9): publishing stops, pushing does not, and
nothing that was answered with 202 is lost."""

import threading
import time

import pytest

from harness import events, journal
from harness.faults import Faults
from harness.server import StartFailed
from harness.waiting import until

BRISK = {"heartbeat": {"interval": "500ms", "timeout": "5s"}}


@pytest.fixture
def faulty(carillon):
    """(a running server, its faults)"""
    server = carillon(BRISK)
    faults = Faults(server)
    return server.start(environment=faults.environment), faults


def fill_until_refused(rest):
    """Publishes until the answer is not 202; returns (the ids answered with 202, the refused event, its answer). A page of
    the file may have room for some more."""
    accepted = []
    while len(accepted) < 1000:
        event = events.alert(message="m" * 4000)
        answer = rest.post(event)
        if answer.status != 202:
            return accepted, event, answer
        accepted.append(event["id"])
    raise AssertionError("a full disk took a thousand events")


def test_i9_full_disk_is_503_with_retry_after_and_pushing_goes_on(faulty):
    server, faults = faulty
    with server.connect("alice") as alice:
        server.publish(events.alert())
        alice.notification()
        with faults.full():
            with server.rest() as rest:
                accepted, refused, answer = fill_until_refused(rest)
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) >= 1
            assert [n["payload"]["message"][0] for n in alice.notifications(len(accepted))] == ["m"] * len(accepted)
            for _ in range(2):
                alice.next_of("ping")
            alice.send({"type": "heartbeat", "event": "ping"})
            alice.next_of("pong")
            server.connect("bob").close()
            assert server.admin_status("/healthz") == 200

            # The journal may have found room within its files meanwhile, for as long as that lasts.
            def is_not_ready():
                nonlocal refused
                with server.rest() as rest:
                    more, refused, _ = fill_until_refused(rest)
                alice.notifications(len(more))
                accepted.extend(more)
                return server.admin_status("/readyz") == 503

            until(is_not_ready, what="a server that is not ready")

        def publish_again():
            with server.rest() as rest:
                answer = rest.post(refused)
                return answer if answer.status == 202 else None

        answer = until(publish_again, 10, "the recovery of the journal")
        # It was refused for good: this is the first time the log has it, and alice sees it once.
        assert answer.json["accepted"] == 1
        marker = events.alert()
        server.publish(marker)
        first, second = alice.notifications(2)
        assert first["payload"] == refused["payload"]
        assert second["payload"] == marker["payload"]
        until(lambda: server.admin_status("/readyz") == 200, what="readiness")
    assert server.stop() == 0
    stored = journal.ids(server.journal)
    assert set(accepted) < set(stored)
    assert len(stored) == len(set(stored))


def test_i9_full_disk_is_logged_once_and_not_for_every_call(faulty):
    server, faults = faulty
    with faults.full(), server.rest() as rest:
        fill_until_refused(rest)
    mark = server.log_size()
    with faults.full():
        for _ in range(20):
            with server.rest() as rest:
                rest.post(events.alert(message="m" * 4000))
    assert len([line for line in server.log_lines(mark) if line["level"] == "error"]) <= 5
    assert [line for line in server.log_lines() if line["level"] in ("error", "warning")]


def test_i9_server_that_is_full_can_be_stopped_and_started(faulty):
    server, faults = faulty
    with faults.full():
        with server.rest() as rest:
            accepted, _, _ = fill_until_refused(rest)
        assert server.stop() == 0
    server.start()
    assert set(accepted) <= set(journal.ids(server.journal))
    server.publish(events.alert())


def test_i8_failed_fsync_ends_the_process_and_no_202_follows(faulty):
    server, faults = faulty
    server.publish(*[events.alert() for _ in range(10)])
    answered, lock = [], threading.Lock()

    def publish(worker):
        try:
            with server.rest() as rest:
                while True:
                    event = events.alert()
                    answer = rest.post(event)
                    with lock:
                        answered.append((time.monotonic(), event["id"], answer.status))
                    if answer.status != 202:
                        return
        except OSError:
            return  # the process has ended

    threads = [threading.Thread(target=publish, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(answered) > 50)
    with faults.failing_sync():
        failed_at = time.monotonic()
        code = server.wait(10)
    for thread in threads:
        thread.join()
    assert code > 0
    # Calls whose sync was done before the fault may be answered a moment after it.
    assert not [a for a in answered if a[2] == 202 and a[0] > failed_at + 0.5]
    assert {status for _, _, status in answered} <= {202, 503}
    told = [line for line in server.output().splitlines() if '"level":"error"' in line]
    assert any("journal.db" in line and ("sync" in line or "I/O" in line) for line in told), told

    server.start()
    stored = set(journal.ids(server.journal))
    assert {event_id for _, event_id, status in answered if status == 202} <= stored


def test_i8_clients_of_a_server_whose_journal_failed_are_let_go(faulty):
    server, faults = faulty
    with server.connect("alice") as alice, faults.failing_sync():
        with server.rest() as rest:
            try:
                assert rest.post(events.alert(message="never durable")).status == 503
            except OSError:
                pass  # the process has ended before it answered
        code, messages = alice.until_ended(10)
        assert code in (None, 1001, 1011, 1012)
        assert "system_alert" not in [m["event"] for m in messages]
        assert server.wait(10) > 0


def test_i9_server_starts_on_a_full_disk_and_takes_events_when_there_is_room(carillon):
    server = carillon()
    faults = Faults(server)
    server.start(environment=faults.environment)
    server.publish(events.alert())
    assert server.stop() == 0
    with faults.full():
        server.start(environment=faults.environment)
        with server.rest() as rest:
            assert fill_until_refused(rest)[2].status == 503
    with server.connect("alice") as alice:
        event = events.order("alice")

        def is_taken():
            with server.rest() as rest:
                return rest.post(event).status == 202

        until(is_taken, 10, "the recovery of the journal")
        assert alice.notification()["payload"] == event["payload"]


@pytest.mark.parametrize("is_new", [True, False], ids=["new journal", "journal in use"])
def test_i8_server_does_not_start_on_a_disk_that_cannot_sync(carillon, is_new):
    server = carillon()
    faults = Faults(server)
    if not is_new:
        server.start(environment=faults.environment)
        server.publish(events.alert())
        server.kill()
    with faults.failing_sync(), pytest.raises(StartFailed) as refusal:
        server.start(environment=faults.environment)
    assert refusal.value.code == 1
    assert "journal.db" in refusal.value.output
    server.start(environment=faults.environment)


def test_i9_new_journal_on_a_full_disk_is_refused_by_name(carillon):
    server = carillon()
    faults = Faults(server)
    with faults.full(), pytest.raises(StartFailed) as refusal:
        server.start(environment=faults.environment)
    assert "journal.db" in refusal.value.output and "full" in refusal.value.output
    server.start(environment=faults.environment)
    server.publish(events.alert())
