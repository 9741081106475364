"""An event published is an event seen, by those who may see it and nobody else (protocol 4.1, 5, product AC1 to AC3)."""

import datetime
import json
import re
import time

import pytest

from harness import events
from harness.waiting import until

TIMESTAMP = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$")
POSITION = re.compile(r"^[A-Za-z0-9._~-]{1,512}$")


def test_every_kind_reaches_its_client_in_the_form_of_the_protocol(server):
    published = [events.signal(confidence=0.9), events.order("alice", price_avg_filled=1), events.alert(component="db")]
    with server.connect("alice") as alice:
        answer = server.publish(*published)
        received = alice.notifications(3)
    for sent, got in zip(published, received, strict=True):
        assert list(got) == ["type", "event", "timestamp", "id", "payload"]
        assert got["type"] == "notification"
        assert got["event"] == sent["event"]
        assert TIMESTAMP.match(got["timestamp"])
        assert POSITION.match(got["id"])
        assert got["payload"] == sent["payload"]
    assert len({got["id"] for got in received}) == 3
    assert received[-1]["id"] == answer["position"]


def test_the_example_of_the_protocol_arrives_as_printed_but_a_year_late(server):
    envelope = (
        '{"id":"%s","event":"order_update","timestamp":"2025-11-22T12:00:00.123Z","user_id":"alice","payload":'
        '{"order_id":"o-1","instrument_id":"BTC/USDT","status":"PARTIALLY_FILLED","side":"BUY","type":"LIMIT",'
        '"quantity_total":1.50,"quantity_filled":0.10,"price_avg_filled":64000.10}}'
    ) % events.fresh_id()
    with server.connect("alice") as alice, server.rest() as rest:
        assert rest.post(envelope).status == 202
        text = alice.notification_text()
    got = json.loads(text)
    assert text == (
        '{"type":"notification","event":"order_update","timestamp":"2025-11-22T12:00:00.123Z","id":"%s","late":true,"payload":'
        '{"order_id":"o-1","instrument_id":"BTC/USDT","status":"PARTIALLY_FILLED","side":"BUY","type":"LIMIT",'
        '"quantity_total":1.50,"quantity_filled":0.10,"price_avg_filled":64000.10}}' % got["id"]
    )


@pytest.mark.parametrize(
    "number", ["0.10", "1e-08", "-0.0", "0E30", "12345678901234567890.1234567890", "1E+3", "-64000.10"]
)
def test_the_text_of_a_number_is_never_changed(server, number):
    envelope = json.dumps(events.signal(entry_price="@")).replace('"@"', number)
    with server.connect("alice") as alice, server.rest() as rest:
        assert rest.post(envelope).status == 202
        assert f'"entry_price":{number},' in alice.notification_text()


def test_unknown_members_of_a_payload_pass_through_and_those_of_the_envelope_do_not(server):
    envelope = {**events.signal(strategy={"name": "mean reversion", "lots": [1, 2.50]}), "trace": "envelope-only"}
    with server.connect("alice") as alice:
        server.publish(envelope)
        text = alice.notification_text()
    assert json.loads(text)["payload"] == envelope["payload"]
    assert "envelope-only" not in text


def test_text_of_every_script_arrives_unchanged(server):
    message = 'Καλημέρα "κόσμε" \\ 交易 🔔'
    with server.connect("alice") as alice:
        server.publish(events.alert(message=message))
        assert alice.notification()["payload"]["message"] == message


def test_an_order_reaches_its_users_sessions_only(server):
    with server.connect("alice") as one, server.connect("alice") as two, server.connect("bob") as bob:
        order, marker = events.order("alice"), events.alert()
        server.publish(order, marker)
        for session in (one, two):
            assert [n["payload"] for n in session.notifications(2)] == [order["payload"], marker["payload"]]
        assert bob.notification()["payload"] == marker["payload"]


def test_user_ids_are_compared_byte_by_byte(server):
    names = ["u", "U", "u ", "ü", "u\u0308", "*", "u.*", "u>"]
    sessions = {name: server.connect(name) for name in names}
    orders = {name: events.order(name) for name in names}
    marker = events.alert()
    server.publish(*orders.values(), marker)
    for name, session in sessions.items():
        assert [n["payload"] for n in session.notifications(2)] == [orders[name]["payload"], marker["payload"]]
        session.close()


@pytest.mark.parametrize(
    "scope, kinds",
    [
        ("signals orders alerts", ["new_trade_signal", "order_update", "system_alert"]),
        ("signals", ["new_trade_signal", "system_alert"]),
        ("orders", ["order_update", "system_alert"]),
        ("publish", ["system_alert"]),
        ("", ["system_alert"]),
        (None, ["new_trade_signal", "order_update", "system_alert"]),
    ],
)
def test_grants_decide_which_kinds_a_session_gets(server, scope, kinds):
    with server.connect("alice", scope=scope) as alice:
        server.publish(events.signal(), events.order("alice"), events.alert())
        assert [n["event"] for n in alice.notifications(len(kinds))] == kinds


@pytest.mark.parametrize("make", [events.signal, events.alert])
def test_an_audience_narrows_a_broadcast(server, make):
    sessions = {name: server.connect(name) for name in ("alice", "bob", "carol")}
    narrowed, marker = events.narrowed(make(), "alice", "carol", "nobody"), events.alert()
    server.publish(narrowed, marker)
    for name, session in sessions.items():
        first = session.notification()["payload"]
        assert first == (marker if name == "bob" else narrowed)["payload"]
        session.close()


def test_a_live_notification_is_the_same_bytes_for_everyone(server):
    sessions = [server.connect(name, carrier) for name, carrier in (("alice", "a"), ("bob", "b"), ("carol", "c"))]
    server.publish(events.signal())
    assert len({session.notification_text() for session in sessions}) == 1
    for session in sessions:
        session.close()


def test_events_arrive_in_the_order_of_the_log_once_each(server):
    batches = [[events.signal() for _ in range(50)] for _ in range(10)]
    with server.connect("alice") as alice, server.rest() as rest:
        for batch in batches:
            rest.publish(*batch)
        received = alice.notifications(500)
    sent = [event["payload"]["signal_id"] for batch in batches for event in batch]
    assert [n["payload"]["signal_id"] for n in received] == sent


def test_a_timestamp_is_normalised_and_an_absent_one_is_the_logs(server):
    now = time.time()
    with server.connect("alice") as alice:
        server.publish(
            {**events.alert(), "timestamp": "2026-01-02T03:04:05.678999+02:00"},
            {**events.alert(), "timestamp": "2026-01-02T03:04:05Z"},
            events.alert(),
        )
        first, second, third = alice.notifications(3)
    assert first["timestamp"] == "2026-01-02T01:04:05.678Z"
    assert second["timestamp"] == "2026-01-02T03:04:05.000Z"
    written = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(now))
    later = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(now + 5))
    assert third["timestamp"][:16] in (written, later)


@pytest.mark.parametrize(
    "make, age, late",
    [
        (events.signal, 0, False),
        (events.signal, 1, False),
        (events.signal, 3, True),
        (lambda: events.order("alice"), 1, False),
        (lambda: events.order("alice"), 3, True),
        (events.alert, 4, False),
        (events.alert, 6, True),
    ],
    ids=["signal now", "signal 1 s", "signal 3 s", "order 1 s", "order 3 s", "alert 4 s", "alert 6 s"],
)
def test_an_event_published_after_its_limit_is_marked_late(server, make, age, late):
    stamp = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=age)
    with server.connect("alice") as alice:
        server.publish({**make(), "timestamp": stamp.isoformat()})
        got = alice.notification()
    assert ("late" in got) == late
    assert got.get("late", True) is True


def test_a_session_gets_what_is_published_after_the_position_it_names_and_nothing_from_before(server):
    before, after = events.alert(level="CRITICAL"), events.alert()
    position = server.publish(before)["position"]
    with server.join("alice", resume=position) as alice:
        assert alice.catch_up() == []
        server.publish(after)
        assert alice.notification()["payload"] == after["payload"]


def test_clients_receive_within_the_limits(server):
    sessions = [server.connect(f"user-{i}") for i in range(20)]
    start = time.monotonic()
    server.publish(events.alert(level="CRITICAL"))
    for session in sessions:
        session.notification()
        session.close()
    assert time.monotonic() - start < 2


def test_the_servers_own_delivery_metrics_move(server):
    def sent():
        return server.metrics().total("carillon_notifications_sent_total")

    before = sent()
    with server.connect("alice") as alice, server.connect("bob") as bob:
        server.publish(events.signal(), events.order("alice"))
        alice.notifications(2)
        bob.notification()
        until(lambda: sent() == before + 3, what="three deliveries in the metrics")
