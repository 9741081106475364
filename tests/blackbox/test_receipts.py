"""Receipts and what they measure (protocol 6.5, case J17)."""

import json

import pytest

from harness import events, frames
from harness.waiting import until

WRITTEN, RECEIVED = "carillon_accept_write_seconds_count", "carillon_write_receipt_seconds_count"
KINDS = {"new_trade_signal": events.signal, "order_update": lambda: events.order("alice"), "system_alert": events.alert}


def settled(session):
    """Everything that the session sent has been taken."""
    session.send({"type": "heartbeat", "event": "ping"})
    while (message := session.next())["event"] != "pong":
        assert message["type"] != "error", message


def counts(server, name):
    """By kind of event."""
    metrics = server.metrics()
    return {kind: metrics.count(name, event=kind) for kind in KINDS}


def more(before, **by_kind):
    return {kind: count + by_kind.get(kind, 0) for kind, count in before.items()}


def receipted(session):
    """A first receipt: from then on the server notes when it writes to this client."""
    session.received(session.live["payload"]["position"])
    settled(session)
    return session


@pytest.mark.parametrize("kind", KINDS)
def test_a_receipt_of_a_live_event_is_measured_by_its_kind(server, kind):
    with receipted(server.connect("alice")) as alice:
        before = counts(server, RECEIVED)
        server.publish(KINDS[kind]())
        alice.received(alice.notification()["id"])
        settled(alice)
        until(lambda: counts(server, RECEIVED) == more(before, **{kind: 1}), what="the measured receipt")


def test_a_receipt_repeated_or_overtaken_is_measured_once(server):
    with receipted(server.connect("alice")) as alice:
        before = counts(server, RECEIVED)
        positions = []
        for _ in range(4):
            server.publish(events.order("alice"))
            positions.append(alice.notification()["id"])
        for position in (positions[3], positions[3], positions[1], positions[0], positions[3]):
            alice.received(position)
        settled(alice)
        assert counts(server, RECEIVED) == more(before, order_update=1)


def test_a_receipt_moves_nothing(server):
    with server.connect("alice") as alice:
        batch = [events.order("alice") for _ in range(10)]
        server.publish(*batch[:5])
        first = alice.notifications(5)
        for notification in (first[0], first[4], first[2]):
            alice.received(notification["id"])
        alice.received(alice.live["payload"]["position"])
        server.publish(*batch[5:])
        got = [n["payload"] for n in first + alice.notifications(5)]
        assert got == [event["payload"] for event in batch]
        settled(alice)


def test_every_delivery_is_measured_and_nothing_of_replays_and_snapshots(server):
    start = server.publish(events.alert())["position"]
    standing = [events.order("alice"), events.alert(level="CRITICAL"), events.signal()]
    server.publish(*standing)
    with server.connect("alice"), server.connect("bob"):
        written, received = counts(server, WRITTEN), counts(server, RECEIVED)
    with server.join_behind("alice", resume=start) as resumed, server.join_behind("alice") as anew:
        for session in (resumed, anew):
            for notification in session.caught_up:
                session.received(notification["id"])
            session.received(session.live["payload"]["position"])
            settled(session)
        assert counts(server, WRITTEN) == written
        assert counts(server, RECEIVED) == received
        server.publish(events.order("alice"), events.signal())
        for session in (resumed, anew):
            session.notifications(2)
        assert until(
            lambda: (now := counts(server, WRITTEN)) == more(written, order_update=2, new_trade_signal=2) and now
        )


def test_receipts_of_positions_that_are_no_event_of_the_client_are_taken_and_not_measured(server):
    """What comes before the client's place in the log is its own to acknowledge: another's event, a heartbeat, a call's
    answer."""
    with receipted(server.connect("alice")) as alice:
        before = counts(server, RECEIVED)
        others = server.publish(events.order("bob"))["position"]
        server.publish(events.alert())
        alert = alice.notification()["id"]
        alice.received(others)
        settled(alice)
        assert counts(server, RECEIVED) == before
        alice.received(alert)
        settled(alice)
        assert counts(server, RECEIVED) == more(before, system_alert=1)


# --- J17 ---------------------------------------------------------------------------------------------------------


def ahead(position, by):
    """How a position counts is not for clients to know; a liar would guess."""
    head, number = position.rsplit(".", 1)
    return f"{head}.{int(number) + by}"


LIES = {
    "next": lambda position: ahead(position, 1),
    "far": lambda position: ahead(position, 1_000_000),
    "huge": lambda position: position.rsplit(".", 1)[0] + "." + "9" * 30,
    "negative": lambda position: position.rsplit(".", 1)[0] + ".-1",
    "other log": lambda position: "j0." + position.rsplit(".", 1)[1],
    "word": lambda _: "nonsense",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_j17_receipt_of_what_was_not_sent_is_4400_and_the_client_can_resume(server, lie):
    position = server.publish(events.order("alice"))["position"]
    with server.connect("alice") as alice, server.counts_one("carillon_invalid_messages_total", code="bad_receipt"):
        alice.received(lie(position))
        assert alice.until_closed()[0] == 4400
    missed = events.order("alice")
    server.publish(missed)
    with server.join_behind("alice", resume=position) as alice:
        assert [n["payload"] for n in alice.caught_up] == [missed["payload"]]


@pytest.fixture
def behind(carillon):
    """(a server, the position before and the position of the last of 8 MiB for a client that does not read)"""
    server = carillon({"limits": {"queue_bytes_max": "64MiB"}}).start()
    start = server.publish(events.alert())["position"]
    with server.raw_stream("slow", receive_buffer=4096) as client, server.rest() as rest:
        for _ in range(40):
            batch = [events.narrowed(events.alert(message="m" * 4096), "slow") for _ in range(50)]
            end = rest.publish(*batch)["position"]
        yield server, client, start, end


def receipt(position):
    return frames.text(json.dumps({"type": "ack", "event": "received", "payload": {"id": position}}))


def test_j17_receipt_of_what_waits_to_be_sent_is_4400(behind):
    """The position is true, the event is the client's, and it is not written yet."""
    _, client, _, end = behind
    client.send(receipt(end))
    closed = client.read_close(10)
    assert closed.code == 4400
    assert end not in [m.get("id") for m in closed.messages]


def test_j17_receipt_during_a_replay_is_held_against_what_was_sent(behind):
    server, _, start, end = behind
    with server.raw(receive_buffer=4096) as client:
        client.upgrade(f"/v1/stream?resume={start}", authorization=f"Bearer {server.token('slow')}")
        assert client.read_message()["payload"]["resume"]["complete"] is True
        client.send(receipt(client.read_message()["id"]) + frames.text('{"type":"heartbeat","event":"ping"}'))
        client.read_event("pong", 10)
        client.send(receipt(end))
        closed = client.read_close(10)
        assert closed.code == 4400
        assert "live" not in [m["event"] for m in closed.messages]


@pytest.mark.parametrize(
    "payload", [{}, {"id": 7}, {"id": ""}, {"id": None}, {"id": "a b"}, {"id": "x" * 513}, {"id": []}]
)
def test_a_receipt_of_another_form_is_invalid_and_not_fatal(server, payload):
    with server.connect("alice") as alice:
        alice.send({"type": "ack", "event": "received", "payload": payload})
        assert alice.next_of("invalid_message")["payload"]["code"] == "bad_shape"
        settled(alice)
