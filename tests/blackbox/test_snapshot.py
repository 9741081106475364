"""What stands when a session begins (protocol 6.3): open orders and active alerts as of position N, then N+1."""

import json
import threading

import pytest

from harness import events, frames, journal
from harness.waiting import until

HOUR_MS = 3_600_000


def payloads(notifications):
    return [notification["payload"] for notification in notifications]


def update(order, status, filled, **changes):
    """The next update of the order of that envelope."""
    payload = {**order["payload"], "status": status, "quantity_filled": filled, **changes}
    return {**order, "id": events.fresh_id(), "payload": payload}


@pytest.fixture
def own(carillon):
    """A server whose log holds what the test says and nothing else."""
    return carillon({"server": {"shards": 3}, "limits": {"connections_per_user_max": 64}}).start()


def snapshot_of(server, user="alice", carrier="a", **claims):
    """(the notifications, the live acknowledgement) of a session that begins anew."""
    with server.join_behind(user, carrier, **claims) as session:
        assert "resume" not in session.auth_ok["payload"]
        return session.caught_up, session.live


def published(server):
    """A log of everything that a snapshot must decide about; returns what stands for alice, and the last position."""
    fresh, working, other = events.order("alice"), events.order("alice"), events.order("bob")
    closed = [events.order("alice") for _ in range(4)]
    partly = update(working, "PARTIALLY_FILLED", 0.5)
    mine = events.narrowed(events.alert(level="ERROR"), "alice", "carol")
    critical = events.alert(level="CRITICAL")
    position = server.publish(
        fresh,
        working,
        other,
        *closed,
        critical,
        events.alert(level="INFO"),
        events.alert(level="WARNING"),
        events.narrowed(events.alert(level="CRITICAL"), "bob"),
        events.signal(),
        partly,
        *[update(o, s, 0) for o, s in zip(closed[:3], ["CANCELED", "REJECTED", "EXPIRED"], strict=True)],
        update(closed[3], "FILLED", 1.5),
        update(other, "PARTIALLY_FILLED", 1),
        mine,
    )["position"]
    return [fresh, critical, partly, mine], position


@pytest.mark.parametrize("carrier", ["a", "b", "c"])
def test_a_session_begins_with_open_orders_and_active_alerts_in_the_logs_order(own, carrier):
    standing, position = published(own)
    with own.join_behind("alice", carrier) as alice:
        snapshot = alice.caught_up
        assert payloads(snapshot) == payloads(standing)
        assert all(got["snapshot"] is True and "replayed" not in got for got in snapshot)
        assert alice.live["payload"] == {"position": position, "replayed": 0}
        after = [events.order("alice"), events.signal()]
        own.publish(*after)
        live = alice.notifications(2)
        assert payloads(live) == payloads(after)
        assert not [got for got in live if "snapshot" in got]


def test_the_snapshot_holds_what_the_grants_and_the_audience_allow(own):
    standing, _ = published(own)
    fresh, critical, partly, mine = standing
    assert payloads(snapshot_of(own, scope="signals")[0]) == payloads([critical, mine])
    assert payloads(snapshot_of(own, scope="orders")[0]) == payloads(standing)
    assert payloads(snapshot_of(own, scope="")[0]) == payloads([critical, mine])
    assert payloads(snapshot_of(own, "carol")[0]) == payloads([critical, mine])
    assert payloads(snapshot_of(own, "nobody")[0]) == payloads([critical])
    assert [n["payload"]["level" if "level" in n["payload"] else "status"] for n in snapshot_of(own, "bob")[0]] == [
        "CRITICAL",
        "CRITICAL",
        "PARTIALLY_FILLED",
    ]


@pytest.mark.parametrize(
    "query, wanted",
    [
        ("", True),
        ("?snapshot=true", True),
        ("?snapshot=perhaps", True),
        ("?snapshot=", True),
        ("?snapshot=false", False),
    ],
)
def test_only_the_word_false_leaves_the_snapshot_out(own, query, wanted):
    position = own.publish(events.order("alice"))["position"]
    with own.join_behind("alice", query=query) as alice:
        assert len(alice.caught_up) == (1 if wanted else 0)
        assert alice.live["payload"] == {"position": position, "replayed": 0}


def test_the_first_message_says_whether_there_is_a_snapshot(carillon):
    own = carillon({"server": {"shards": 1}}).start()
    own.publish(events.order("alice"))
    own.join_behind("nobody").close()
    for said, wanted in ((True, 1), (False, 0), (None, 1)):
        with own.raw() as client:
            more = {} if said is None else {"snapshot": said}
            payload = {"token": own.token("alice"), **more}
            client.upgrade()
            client.send(frames.text(json.dumps({"type": "auth", "event": "token", "payload": payload})))
            seen = []
            while (message := client.read_message())["event"] != "live":
                seen.append(message)
            assert [m["event"] for m in seen] == ["auth_ok"] + ["order_update"] * wanted


def test_a_complete_resume_has_no_snapshot_and_an_unknown_one_has(own):
    position = own.publish(events.order("alice"))["position"]
    with own.join("alice", resume=position) as alice:
        assert alice.catch_up() == []
    with own.join_behind("alice", resume="nonsense") as alice:
        (standing,) = alice.caught_up
        assert standing["snapshot"] is True and standing["id"] == position


def test_a_snapshot_says_what_the_live_notification_said_but_for_its_mark(carillon):
    own = carillon({"server": {"shards": 1}}).start()
    with own.connect("alice") as alice:
        own.publish(events.order("alice", price_avg_filled=0.10))
        live = alice.notification_text()
    own.join_behind("nobody").close()
    with own.join("alice") as alice:
        assert alice.notification_text() == live.replace(',"payload":', ',"snapshot":true,"payload":', 1)


def test_an_empty_log_has_an_empty_snapshot_and_a_position_to_resume_at(own):
    with own.join("alice") as alice:
        assert alice.catch_up() == []
        position = alice.live["payload"]["position"]
    order = events.order("alice")
    own.publish(order)
    with own.join_behind("alice", resume=position) as alice:
        assert alice.auth_ok["payload"]["resume"]["complete"] is True
        assert payloads(alice.caught_up) == [order["payload"]]


def test_a_snapshot_taken_at_any_moment_joins_what_is_live(own):
    """Orders move while sessions begin: what a session saw, put together, is what the log says from N on."""
    sent, enough = [], threading.Event()

    def publish():
        with own.rest() as rest:
            while not enough.is_set():
                orders = [events.order("alice") for _ in range(3)]
                steps = [orders]
                steps += [[update(order, "PARTIALLY_FILLED", filled)] for filled in (0.5, 1) for order in orders]
                steps += [[update(order, "FILLED", 1.5) for order in orders[1:]]]
                for step in steps:
                    rest.publish(*step)
                    sent.extend(step)

    with own.connect("alice") as witness:
        publisher = threading.Thread(target=publish)
        publisher.start()
        begun = []
        try:
            for _ in range(20):
                begun.append(own.join("alice"))
                begun[-1].catch_up()
                until(lambda count=len(sent): len(sent) > count, what="another event")
        finally:
            enough.set()
            publisher.join()
        told = witness.notifications(len(sent), 20)
    ids = [got["id"] for got in told]
    within = 0
    for alice in begun:
        n = alice.live["payload"]["position"]
        before = ids.index(n) + 1 if n in ids else 0
        latest = {got["payload"]["order_id"]: got for got in told[:before]}
        standing = [got["id"] for got in latest.values() if got["payload"]["status"] != "FILLED"]
        assert [got["id"] for got in alice.caught_up] == sorted(standing, key=ids.index)
        assert [got["id"] for got in alice.notifications(len(ids) - before)] == ids[before:]
        within += 0 < before < len(ids)
        alice.close()
    assert within > 10


# --- what is older than the window and the journal's retention ---------------------------------------------------


def record(event):
    return event["id"].encode(), json.dumps(event).encode()


def test_alerts_of_the_last_hour_and_open_orders_of_any_age_stand_after_a_restart(carillon):
    server = carillon().start()
    server.publish(events.order("nobody"))
    assert server.stop() == 0
    old = [events.order("alice"), events.alert(level="CRITICAL")]
    ended = events.order("alice")
    recent = [events.alert(level="ERROR"), events.order("alice")]
    journal.append_foreign(
        server.journal, *[record(e) for e in (*old, ended, update(ended, "CANCELED", 0))], age_ms=2 * HOUR_MS
    )
    journal.append_foreign(server.journal, *[record(e) for e in recent], age_ms=HOUR_MS // 2)
    server.start()
    with server.join("alice") as alice:
        assert payloads(alice.catch_up()) == payloads([old[0], *recent])


def test_an_open_order_outlives_the_retention_of_its_events_until_it_is_terminal(carillon):
    server = carillon({"log.journal": {"retention_bytes": "1MiB"}, "window": {"bytes": "1MiB"}}).start()
    order, ended = events.order("alice"), events.order("alice")
    partly = update(order, "PARTIALLY_FILLED", 0.5)
    start = server.publish(order, ended, partly, update(ended, "REJECTED", 0))["position"]

    def push_out():
        """Fills the journal until what stands in it now is gone."""
        first = events.alert()
        server.publish(first)
        until(lambda: filled(server) and first["id"] not in journal.ids(server.journal), 20, "the retention's work")

    push_out()
    for _ in range(2):
        snapshot, _ = snapshot_of(server)
        assert payloads(snapshot) == [partly["payload"]]
        with server.join("alice", resume=start) as alice:
            assert alice.auth_ok["payload"]["resume"]["reason"] == "trimmed"
            assert payloads(alice.catch_up()) == [partly["payload"]]
        assert server.stop() == 0
        server.start()
    push_out()
    assert payloads(snapshot_of(server)[0]) == [partly["payload"]]

    # The rules know it still: it cannot go back, and it is nobody else's.
    with server.connect("alice") as alice:
        moved = update(order, "PARTIALLY_FILLED", 1)
        server.publish(update(order, "SUBMITTED", 0), update({**order, "user_id": "bob"}, "FILLED", 1.5), moved)
        assert alice.notification()["payload"] == moved["payload"]
        server.publish(update(order, "FILLED", 1.5))
        alice.notification()
    assert snapshot_of(server)[0] == []
    assert server.stop() == 0
    server.start()
    assert snapshot_of(server)[0] == []


def filled(server):
    with server.rest() as rest:
        return rest.publish(*[events.narrowed(events.alert(message="m" * 4096), "nobody") for _ in range(100)])
