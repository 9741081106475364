"""Leaving and coming back (protocol 6.1, 6.2, 6.4): everything missed, in order, once, and then what is live (cases J)."""

import json
import re
import threading
import time

import pytest

from harness import events, frames, journal
from harness.raw_client import PeerClosed
from harness.server import Carillon
from harness.waiting import until

CONFIG = {"server": {"shards": 3}, "heartbeat": {"interval": "1s", "timeout": "20s"}}
ONE_SHARD = {"server": {"shards": 1}}


def answer(session):
    return session.auth_ok["payload"].get("resume")


def payloads(notifications):
    return [notification["payload"] for notification in notifications]


def assert_missed(session, position, missed):
    """`session` resumed at `position`, and what it caught up with were exactly the events `missed`."""
    assert answer(session) == {"requested": position, "complete": True}
    assert payloads(session.caught_up) == payloads(missed)
    assert all(notification["replayed"] is True for notification in session.caught_up)
    assert session.live["payload"]["replayed"] == len(missed)


# --- J1: what was missed, the seam, what is live -----------------------------------------------------------------


@pytest.mark.parametrize("carrier", ["a", "b", "c"])
def test_j1_missed_events_follow_once_in_order_marked_replayed_and_then_live_ones(server, carrier):
    with server.connect("alice", carrier) as alice:
        server.publish(events.order("alice"))
        last = alice.notification()["id"]
    missed = [events.order("alice") if i % 2 else events.signal() for i in range(100)]
    others = [events.order("bob"), events.narrowed(events.alert(level="CRITICAL"), "bob")]
    position = server.publish(*missed[:50], *others, *missed[50:])["position"]
    with server.join_behind("alice", carrier, resume=last) as alice:
        assert_missed(alice, last, missed)
        assert alice.live["payload"]["position"] == position
        after = events.alert()
        server.publish(after)
        got = alice.notification()
        assert got["payload"] == after["payload"]
        assert "replayed" not in got and "snapshot" not in got


def test_a_replayed_notification_is_the_live_one_but_for_its_mark(carillon):
    server = carillon(ONE_SHARD).start()
    late = {**events.alert(), "timestamp": "2025-11-22T12:00:00.123Z"}
    with server.connect("alice") as alice:
        start = alice.live["payload"]["position"]
        server.publish(late, events.order("alice", price_avg_filled=0.10), events.signal())
        live = [alice.notification_text() for _ in range(3)]
    server.join_behind("nobody").close()
    with server.join("alice", resume=start) as again:
        for text in live:
            assert again.notification_text() == re.sub(r'("id":"[^"]*")', r'\1,"replayed":true', text, count=1)
    assert ',"late":true' in live[0] and ',"late":true' not in live[1]


def test_a_client_that_missed_nothing_is_live_at_once(server):
    position = server.publish(events.order("alice"))["position"]
    with server.join_behind("alice", resume=position) as alice:
        assert_missed(alice, position, [])
        assert alice.live["payload"]["position"] == position


def test_any_position_that_the_client_was_told_can_be_resumed_at(server):
    """That of another user's event, of a call's answer, of a heartbeat and of the live acknowledgement."""
    with server.connect("alice") as alice:
        told = [alice.live["payload"]["position"], server.publish(events.order("bob"))["position"]]
        ping = alice.next_of("ping", timeout=3)
        while ping["payload"]["position"] != told[-1]:
            ping = alice.next_of("ping", timeout=3)
    missed = [events.order("alice"), events.alert()]
    server.publish(*missed)
    for position in told:
        with server.join_behind("alice", resume=position) as alice:
            assert_missed(alice, position, missed)


def test_the_missed_are_those_that_the_grants_and_the_audience_allow(server):
    position = server.publish(events.alert())["position"]
    mine = events.order("alice")
    narrowed = events.narrowed(events.alert(), "alice", "carol")
    server.publish(events.signal(), mine, events.order("bob"), events.narrowed(events.signal(), "bob"), narrowed)
    with server.join_behind("alice", resume=position, scope="orders") as alice:
        assert_missed(alice, position, [mine, narrowed])


def test_resume_by_the_query_and_by_the_message_is_the_same(server):
    position = server.publish(events.alert())["position"]
    missed = events.order("alice")
    server.publish(missed)
    encoded = "".join(f"%{ord(letter):02x}" for letter in position)
    with server.join_behind("alice", query=f"?resume={encoded}&snapshot=false") as alice:
        assert_missed(alice, position, [missed])
    # A connection that brings its token in the first message may have said in the query where it was.
    with server.join_behind("alice", "c", query=f"?resume={position}") as alice:
        assert_missed(alice, position, [missed])


def test_a_refresh_does_not_resume_again(server):
    position = server.publish(events.alert())["position"]
    server.publish(events.order("alice"))
    with server.connect("alice", resume=position) as alice:
        alice.authenticate(server.token("alice"), resume=position, snapshot=True)
        assert "resume" not in alice.next_of("auth_ok")["payload"]
        marker = events.alert()
        server.publish(marker)
        assert alice.notification()["payload"] == marker["payload"]


def test_j15_two_devices_are_independent(server):
    positions = [server.publish(events.order("alice"))["position"]]
    batch = [events.order("alice") for _ in range(20)]
    for event in batch:
        positions.append(server.publish(event)["position"])
    with (
        server.join_behind("alice", resume=positions[0]) as old,
        server.join_behind("alice", resume=positions[15]) as new,
    ):
        assert_missed(old, positions[0], batch)
        assert_missed(new, positions[15], batch[15:])
        marker = events.alert()
        server.publish(marker)
        assert old.notification() == new.notification()


def test_6_4_every_reconnect_under_load_joins_without_gap_or_repeat(server):
    """Many reconnects, on all shards, while events come in: replay and live meet at a new place each time."""
    sent, got, enough = [], [], threading.Event()
    with server.connect("alice") as alice:
        last = alice.live["payload"]["position"]

    def publish():
        with server.rest() as rest:
            while not enough.is_set():
                if len(sent) - len(got) > 20:  # never far ahead of the reader, however fast the machine is
                    enough.wait(0.002)
                    continue
                batch = [events.order("alice") for _ in range(5)]
                rest.publish(*batch)
                sent.extend(batch)

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        for i in range(60):
            with server.join("alice", resume=last) as alice:
                assert answer(alice)["complete"] is True
                got += alice.catch_up()
                assert all(n.get("replayed") is True for n in alice.caught_up)
                live = alice.notifications(i % 4)
                assert not [n for n in live if "replayed" in n]
                got += live
                last = got[-1]["id"] if got else last
    finally:
        enough.set()
        publisher.join()
    with server.join("alice", resume=last) as alice:
        got += alice.notifications(len(sent) - len(got), 20)
    assert payloads(got) == payloads(sent)


def test_the_resumes_are_counted_by_what_became_of_them(server):
    position = server.publish(events.alert())["position"]
    name = "carillon_resumes_total"
    with server.counts_one(name, result="complete"), server.connect(resume=position):
        pass
    with server.counts_one(name, result="unknown"), server.connect(resume="nonsense"):
        pass
    before = server.metrics().count(name)
    server.join().close()
    server.connect(resume=position).close()
    until(lambda: server.metrics().count(name) > before)
    assert server.metrics().count(name) == before + 1


# --- 4.2: the heartbeat's position and count ---------------------------------------------------------------------


def test_4_2_the_heartbeat_counts_what_was_replayed_and_what_belonged_to_the_snapshot(server):
    position = server.publish(events.alert())["position"]
    batch = [events.order("alice") for _ in range(30)] + [events.alert(level="ERROR"), events.order("bob")]
    server.publish(*batch)
    for asked in (position, None):
        with server.join_behind("alice", resume=asked) as session:
            assert len(session.caught_up) >= 31
            assert session.next_of("ping", timeout=3)["payload"]["delivered"] == session.counted
            end = server.publish(events.order("alice"), events.order("bob"))["position"]
            while (ping := session.next_of("ping", timeout=3))["payload"]["position"] != end:
                assert ping["payload"]["delivered"] == session.counted
            assert ping["payload"]["delivered"] == session.counted > 31


# --- 6.1: the answer to any position -----------------------------------------------------------------------------


def neighbours_of(position):
    """Positions near and far that this log has not given out. How a position counts is not for clients to know."""
    head, number = position.rsplit(".", 1)
    return [f"{head}.{n}" for n in (int(number) + 1_000_000, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**200)]


MALFORMED = {
    "empty": "",
    "word": "nonsense",
    "number": "1",
    "negative": "-1",
    "dots": "....",
    "letters beyond the form": "j1.1 or 1=1",
    "slashes": "../../journal.db",
    "line break": "j1.1\r\nX-Injected: yes",
    "markup": "<script>",
    "quote and backslash": '"\\',
    "another script": "位置",
    "512 bytes": "j" * 512,
    "513 bytes": "j" * 513,
    "10 KiB": "j1." + "1" * 10_237,
}


@pytest.mark.parametrize("carrier", ["a", "c"], ids=["query", "message"])
@pytest.mark.parametrize("position", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_position_is_unknown_and_the_session_goes_on(server, carrier, position):
    with server.join("alice", carrier, resume=position, snapshot=False) as alice:
        resume = answer(alice)
        # What does not look like a position is not said back.
        assert resume.pop("requested", position) == position
        assert resume == {"complete": False, "reason": "unknown"}
        assert_goes_on(server, alice)


def assert_goes_on(server, session):
    """Live at once, with nothing replayed, and events come."""
    assert not [n for n in session.catch_up() if "replayed" in n]
    assert session.live["payload"]["replayed"] == 0
    server.publish(marker := events.alert())
    while session.notification()["payload"] != marker["payload"]:
        pass


@pytest.mark.parametrize(
    "query",
    [
        "?resume=%00%ff%c3%28&snapshot=false",
        "?resume=%&snapshot=false",
        "?resume=%zz%1&snapshot=false",
        "?resume&snapshot=false",
        "?snapshot=false&resume=%22%7d%2c%7b",
        "?snapshot=false&resume=x&resume=y&resume=",
        "?snapshot=false&resume=" + "%41" * 3400,
    ],
    ids=["bytes", "percent", "bad escapes", "no value", "JSON", "three times", "10 KiB of escapes"],
)
def test_a_query_of_another_form_is_answered_too(server, query):
    with server.open(server.token("alice"), query=query) as alice:
        resume = answer(alice.expect_auth_ok()) or {"complete": False, "reason": "unknown"}
        assert (resume["complete"], resume["reason"]) == (False, "unknown")
        assert_goes_on(server, alice)


@pytest.mark.parametrize("resume", [7, None, True, {"id": "j1.1"}, ["j1.1"], -0.5], ids=json.dumps)
def test_a_position_that_is_no_string_is_unknown(server, resume):
    with server.open(server.token("alice"), "c", snapshot=False, resume=resume) as alice, server.raw() as client:
        # The harness leaves out what is None, which a message can also say.
        message = {"type": "auth", "event": "token", "payload": {"token": server.token("alice"), "resume": resume}}
        client.upgrade("/v1/stream?snapshot=false")
        client.send(frames.text(json.dumps(message)))
        assert client.read_message()["payload"]["resume"] == {"complete": False, "reason": "unknown"}
        assert client.read_event("live")["payload"]["replayed"] == 0
        alice.expect_auth_ok()


def test_j4_position_in_the_future_is_unknown_and_never_a_wait(server):
    position = server.publish(events.alert())["position"]
    for future in neighbours_of(position):
        for carrier in ("a", "c"):
            with server.join("alice", carrier, resume=future, snapshot=False) as alice:
                assert answer(alice) == {"requested": future, "complete": False, "reason": "unknown"}
                assert_goes_on(server, alice)


def test_j5_position_of_another_journal_is_epoch(carillon):
    server = carillon().start()
    order = events.order("alice")
    server.publish(order)
    with server.connect("alice") as alice:
        old = alice.live["payload"]["position"]
    assert server.stop() == 0
    for file in server.directory.glob("journal.db*"):
        file.unlink()
    server.start()
    with server.join("alice", resume=old) as alice:
        assert answer(alice) == {"requested": old, "complete": False, "reason": "epoch"}
        assert alice.catch_up() == []  # the new journal has no open orders
        server.publish(order)
        assert alice.notification()["payload"] == order["payload"]
    with server.join_behind("alice", resume=old) as alice:
        assert answer(alice)["reason"] == "epoch"
        (standing,) = alice.caught_up
        assert standing["snapshot"] is True and standing["payload"] == order["payload"]


# --- J3: what is gone --------------------------------------------------------------------------------------------


def accepted(answer):
    assert answer.status in (202, 503), answer.text
    return answer.json if answer.status == 202 else None


def published_bytes(server, megabytes, user="nobody"):
    """Publishes that much, and waits until some shard has pushed it; returns the position of the last."""
    with server.rest() as rest:
        for _ in range(megabytes * 5):
            batch = [events.narrowed(events.alert(message="m" * 4096), user) for _ in range(50)]
            # 503 where a small journal has to make room first; the same ids again are safe (protocol 8.5).
            last = until(lambda batch=batch: accepted(rest.post(batch)), 20, "room for a batch")
    server.join_behind("witness", snapshot=False).close()
    return last["position"]


def test_j3_position_that_left_the_window_by_size_is_trimmed_before_any_event(carillon):
    server = carillon({**ONE_SHARD, "window": {"bytes": "1MiB"}}).start()
    position = server.publish(events.alert())["position"]
    order = events.order("alice")
    server.publish(order)
    last = published_bytes(server, 3)
    for snapshot, begins_with in ((True, [order]), (False, [])):
        with server.join_behind("alice", resume=position, snapshot=snapshot) as alice:
            assert answer(alice) == {"requested": position, "complete": False, "reason": "trimmed"}
            standing = alice.caught_up
            assert payloads(standing) == payloads(begins_with)
            assert all(n["snapshot"] is True and "replayed" not in n for n in standing)
            assert alice.live["payload"] == {"position": last, "replayed": 0}
    with server.join_behind("alice", resume=last) as alice:
        assert_missed(alice, last, [])
    assert server.metrics().count("carillon_resumes_total", result="trimmed") >= 2


def test_j3_position_that_left_the_window_by_age_is_trimmed(carillon):
    server = carillon({**ONE_SHARD, "window": {"age": "1s"}}).start()
    position = server.publish(events.alert())["position"]
    server.publish(events.order("alice"))

    def reason():
        server.publish(events.order("nobody"))  # what is new pushes out what is old
        with server.join("alice", resume=position, snapshot=False) as alice:
            return answer(alice).get("reason")

    until(lambda: reason() == "trimmed", 10, "the end of the window's age")


def test_j18_retention_that_deletes_while_a_client_catches_up_costs_it_nothing_unannounced(carillon):
    server = carillon(
        {**ONE_SHARD, "log.journal": {"retention_bytes": "1MiB"}, "limits": {"queue_age_max": "60s"}}
    ).start()
    start = server.publish(events.alert())["position"]
    published_bytes(server, 4, "alice")
    token = server.token("alice")
    with server.raw(receive_buffer=4096) as client:
        client.upgrade(f"/v1/stream?resume={start}", authorization=f"Bearer {token}")
        assert client.read_message()["payload"]["resume"]["complete"] is True
        first = client.read_message()
        published_bytes(server, 4, "alice")
        until(lambda: len(journal.ids(server.journal)) < 1000, 10, "the retention's work")
        ids = [first["id"]]
        while len(ids) < 2000:
            message = client.read_message(20)
            ids += [message["id"]] if message["type"] == "notification" else []
    assert len(set(ids)) == 2000
    # After a restart only what the journal still has can follow, and the client is told.
    assert server.stop() == 0
    server.start()
    with server.join("alice", resume=ids[100], snapshot=False) as alice:
        assert answer(alice) == {"requested": ids[100], "complete": False, "reason": "trimmed"}
        assert alice.catch_up() == []
    with server.join("alice", resume=ids[-100]) as alice:
        assert [n["id"] for n in alice.catch_up()] == ids[-99:]


# --- restarts and ends -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [Carillon.stop, Carillon.kill], ids=["stop", "kill -9"])
def test_a_resume_survives_the_end_of_the_server(carillon, end):
    server = carillon(CONFIG).start()
    with server.connect("alice") as alice:
        server.publish(events.order("alice"))
        last = alice.notification()["id"]
    missed = [events.order("alice"), events.signal(), events.alert()]
    server.publish(missed[0], events.order("bob"), *missed[1:])
    end(server)
    server.start()
    with server.join_behind("alice", resume=last) as alice:
        assert_missed(alice, last, missed)
        after = events.order("alice")
        server.publish(after)
        assert alice.notification()["payload"] == after["payload"]


def test_connections_that_come_while_the_log_is_read_are_answered_when_it_is(carillon):
    server = carillon().start()
    start = server.publish(events.alert())["position"]
    batch = [events.order("alice") for _ in range(1000)]
    for _ in range(20):
        server.publish(*[events.order("nobody") for _ in range(1000)])
    server.publish(*batch)
    server.kill()
    server.spawn()
    statuses, answers = set(), set()

    def opened():
        statuses.add(server.admin_status("/readyz"))
        try:
            with server.rest() as rest:
                answers.add(rest.post(events.order("nobody")).status)
            return server.open(server.token("alice"), resume=start)
        except ConnectionRefusedError:
            return None

    with until(opened, 20, "an accepted connection") as alice:
        # A session that has begun begins with everything.
        alice.expect_auth_ok(30).catch_up()
        assert_missed(alice, start, batch)
    assert statuses <= {None, 503, 200} and answers <= {503, 202}
    until(lambda: server.admin_status("/readyz") == 200, 2, "readiness")
    with server.rest() as rest:
        assert rest.post(events.alert()).status == 202


def test_j16_kill_during_a_replay_continues_from_what_was_seen(carillon):
    server = carillon(ONE_SHARD).start()
    start = server.publish(events.alert())["position"]
    published_bytes(server, 8, "alice")
    seen = []
    with server.raw(receive_buffer=4096) as client:
        client.upgrade(f"/v1/stream?resume={start}", authorization=f"Bearer {server.token('alice')}")
        while len(seen) < 100:
            message = client.read_message()
            seen += [message["id"]] if message["type"] == "notification" else []
        server.kill()
        try:
            while True:
                message = client.read_message()
                assert message["event"] != "live", "the replay had ended before the kill"
                seen.append(message["id"])
        except PeerClosed:
            pass
    server.start()
    with server.join("alice", resume=seen[-1]) as alice:
        assert answer(alice)["complete"] is True
        rest = [n["id"] for n in alice.catch_up(20)]
    with server.join("alice", resume=start) as alice:
        assert seen + rest == [n["id"] for n in alice.catch_up(20)]
    assert len(seen + rest) == 2000


def test_7_2_client_closed_with_4420_has_everything_after_its_resume(carillon):
    server = carillon(ONE_SHARD).start()
    with server.raw_stream("slow", receive_buffer=4096) as client:
        start = client.live["payload"]["position"]
        end = published_bytes(server, 8, "slow")
        until(lambda: server.metrics().count("carillon_sessions_closed_total", code=4420) == 1)
        closed = client.read_close(10)
        assert closed.code == 4420
        seen = [m["id"] for m in closed.messages if m["type"] == "notification"]
    with server.join("slow", resume=seen[-1]) as slow:
        assert answer(slow)["complete"] is True
        rest = [n["id"] for n in slow.catch_up(20)]
    with server.join("slow", resume=start) as slow:
        everything = [n["id"] for n in slow.catch_up(20)]
    assert seen + rest == everything
    assert len(everything) == 2000 and everything[-1] == end


def test_c42_token_that_expires_during_a_replay_ends_it_within_a_second_and_the_rest_follows_a_resume(carillon):
    server = carillon({**ONE_SHARD, "auth": {"leeway": "0s"}}).start()
    start = server.publish(events.alert())["position"]
    published_bytes(server, 8, "slow")
    expiry = int(time.time()) + 2
    with server.raw(receive_buffer=4096) as client:
        token = server.token("slow", exp=expiry)
        client.upgrade(f"/v1/stream?resume={start}", authorization=f"Bearer {token}")
        client.session_id = client.read_message()["payload"]["session_id"]
        until(lambda: server.ends_of(client), 5, "the end of the session")
        assert -0.2 < time.time() - expiry < 1.2
        closed = client.read_close()
        assert closed.code == 4419
        assert "live" not in [m["event"] for m in closed.messages]
        seen = [m["id"] for m in closed.messages if m["type"] == "notification"]
    with server.join("slow", resume=seen[-1]) as slow:
        rest = [n["id"] for n in slow.catch_up(20)]
    with server.join("slow", resume=start) as slow:
        assert seen + rest == [n["id"] for n in slow.catch_up(20)]
    assert len(seen + rest) == 2000 > len(seen)


def test_j14_large_replay_disturbs_no_other(server, neighbour):
    start = server.publish(events.alert())["position"]
    for _ in range(10):
        server.publish(*[events.order("returning") for _ in range(1000)])
    begun = time.monotonic()
    for _ in range(2):
        with server.join("returning", resume=start) as client:
            client.notifications(10_000, 30)
    neighbour.check(begun)
