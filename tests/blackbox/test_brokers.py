"""Servers on a log that a real broker holds: one and several nodes, and what befalls the broker."""

import json

import pytest

from harness import events
from harness.broker import SCRIPT_OF, Broker
from harness.server import SANITIZED, StartFailed, merged
from harness.waiting import until

FAST = {"server": {"drain_window": "0"}}
# What differs between brokers has sanitized tests of its own (tests/brokers); the servers of these two start at once.
KINDS = ["jetstream", "redis"] if SANITIZED else sorted(SCRIPT_OF)


@pytest.fixture(scope="module", params=KINDS)
def broker(request, tmp_path_factory):
    broker = Broker(request.param, tmp_path_factory.mktemp("broker") / request.param).start()
    yield broker
    broker.stop()


@pytest.fixture
def log(broker):
    return broker.log()


@pytest.fixture
def nodes(carillon, log):
    """Two nodes on one log, each with a port of its own."""
    return [carillon(merged(log.config, FAST)).start() for _ in range(2)]


def follow(stream, count):
    return [message["payload"] for message in stream.notifications(count, 10)]


def test_what_one_node_takes_all_nodes_push(nodes):
    first, second = nodes
    streams = [node.connect("alice", resume=None) for node in nodes]
    for i in range(20):
        (first, second)[i % 2].publish(events.order("alice", order_id=f"o-{i}"), events.order("bob"))
    seen = [follow(stream, 20) for stream in streams]
    assert [payload["order_id"] for payload in seen[0]] == [f"o-{i}" for i in range(20)]
    assert seen[0] == seen[1]
    for stream in streams:
        stream.close()


def test_a_client_moves_between_nodes_and_misses_and_repeats_nothing(nodes):
    expected, seen, position = [], [], None
    for leg in range(6):
        node = nodes[leg % 2]
        stream = node.join("alice", resume=position, snapshot=False)
        if position:
            assert stream.auth_ok["payload"]["resume"]["complete"], stream.auth_ok
        before = stream.catch_up(10)
        seen += [message["payload"]["signal_id"] for message in before]
        for i in range(10):
            expected.append(f"s-{leg}-{i}")
            nodes[i % 2].publish(events.signal(signal_id=expected[-1]))
        seen += [payload["signal_id"] for payload in follow(stream, len(expected) - len(seen))]
        position = stream.last_position
        stream.close()
        # What comes while it is away.
        expected.append(f"s-{leg}-away")
        node.publish(events.signal(signal_id=expected[-1]))
    assert seen == expected[:-1]


def test_nodes_decide_alike_on_orders_and_duplicates(nodes, log, carillon):
    first, second = nodes
    streams = [node.connect("alice", resume=None) for node in nodes]
    order = {"order_id": "o-1", "quantity_total": 2}
    filled = events.order("alice", status="FILLED", quantity_filled=2, **order)
    first.publish(events.order("alice", status="SUBMITTED", quantity_filled=0, **order))
    second.publish(events.order("alice", status="PARTIALLY_FILLED", quantity_filled=1, **order))
    first.publish(events.order("alice", status="PARTIALLY_FILLED", quantity_filled=0.5, **order))
    second.publish(filled)
    log.put(json.dumps(filled))
    first.publish(events.order("alice", status="CANCELED", quantity_filled=2, **order))
    second.publish(events.order("alice", order_id="o-2"))
    expected = [("o-1", "SUBMITTED"), ("o-1", "PARTIALLY_FILLED"), ("o-1", "FILLED"), ("o-2", "SUBMITTED")]
    for stream in streams:
        assert [(seen["order_id"], seen["status"]) for seen in follow(stream, 4)] == expected
    # A node that comes later reads the same log and says the same.
    late = carillon(merged(log.config, FAST)).start()
    for node in (*nodes, late):
        assert node.metrics().total("carillon_published_total") == 4
    assert [message["payload"]["order_id"] for message in late.join("alice").catch_up()] == ["o-2"]
    for node in nodes:
        for reason in ("filled_fell", "after_terminal", "duplicate"):
            assert node.metrics().count("carillon_withheld_total", reason=reason) == 1, reason


def test_a_repeat_is_answered_as_one_on_every_node(nodes):
    first, second = nodes
    event = events.alert()
    with first.rest() as rest:
        assert rest.publish(event)["accepted"] == 1
    stream = second.connect("alice", resume=None)
    second.publish(events.alert(alert_id="after"))
    assert follow(stream, 1)[0]["alert_id"] == "after"
    with second.rest() as rest:
        assert rest.publish(event)["duplicates"] == 1
        changed = {**event, "payload": {**event["payload"], "message": "another"}}
        assert rest.post(json.dumps(changed).encode()).status == 409
    stream.close()


def test_producers_write_to_the_log_with_their_own_client(nodes, log):
    stream = nodes[0].connect("alice", resume=None)
    order = events.order("alice", price_avg_filled=0.1)
    text = json.dumps({name: value for name, value in order.items() if name != "id"}).replace("0.1", "0.10")
    log.put(text)
    notification = stream.notification_text(10)
    assert '"price_avg_filled":0.10' in notification
    stream.close()


def test_a_poison_record_becomes_one_dead_letter_and_can_be_replayed(nodes, log):
    stream = nodes[0].connect("alice", resume=None)
    order = json.dumps({**events.order("alice", order_id="late"), "id": 7})
    for poison in ("no json", order):
        log.put(poison)
    nodes[0].publish(events.order("alice", order_id="after"))
    assert follow(stream, 1)[0]["order_id"] == "after"
    with nodes[1].rest(scope="admin") as rest:

        def letters():
            found = json.loads(rest.call("GET", "/v1/dead-letters").text)["dead_letters"]
            return found if len(found) == 2 else None

        found = until(letters, 10, "both dead letters")
        assert {letter["record"] for letter in found} == {"no json", order}
    for node in nodes:
        assert node.metrics().total("carillon_dead_letters_total") == 2
    stream.close()


def test_while_the_broker_is_down_clients_stay_and_publishing_is_refused(nodes, broker):
    node = nodes[0]
    stream = node.connect("alice", resume=None)
    node.publish(events.alert(alert_id="before"))
    assert follow(stream, 1)[0]["alert_id"] == "before"
    start = node.log_size()
    broker.kill()
    until(lambda: node.admin_status("/readyz") == 503, 10, "a node that is not ready")
    event = events.alert(alert_id="during")
    with node.rest() as rest:
        answer = rest.post(json.dumps(event).encode())
        assert answer.status == 503
        assert "retry-after" in {name.lower() for name in answer.headers}
    assert node.metrics().count("carillon_log_connected") == 0
    broker.start()
    until(lambda: node.admin_status("/readyz") == 200, 30, "a node that is ready again")
    with node.rest() as rest:
        rest.publish(event, events.alert(alert_id="after"))
    assert [seen["alert_id"] for seen in follow(stream, 2)] == ["during", "after"]
    lines = [line["event"] for line in node.log_lines(start)]
    assert lines.count("event log cannot be reached") == 1
    assert lines.count("event log is back") == 1
    stream.close()


def test_a_node_waits_for_a_broker_that_is_not_there_yet(broker, log, carillon):
    before = carillon(merged(log.config, FAST)).start()
    before.publish(events.order("alice", order_id="early"))
    before.stop()
    broker.kill()
    try:
        node = carillon(merged(log.config, FAST)).spawn()
        until(lambda: node.admin_status("/readyz") == 503, 10, "a node that waits")
        # It can be told to stop while it waits.
        assert node.stop() == 0
        node.spawn()
        until(lambda: node.admin_status("/readyz") == 503, 10, "a node that waits again")
        stream = node.open(node.token("alice"))
    finally:
        broker.start()
    assert [message["payload"]["order_id"] for message in stream.expect_auth_ok(30).catch_up(10)] == ["early"]
    stream.close()


def test_a_log_made_anew_is_noticed_and_told(nodes, log):
    node = nodes[0]
    stream = node.connect("alice", resume=None)
    node.publish(*(events.alert() for _ in range(20)))
    stream.notifications(20, 10)
    position = stream.last_position
    start = node.log_size()
    log.recreate()
    code, _ = stream.until_closed(30)
    assert code == 1012
    until(lambda: node.admin_status("/readyz") == 200, 30, "a node that has begun anew")
    stream = node.join("alice", resume=position)
    assert stream.auth_ok["payload"]["resume"] == {"requested": position, "complete": False, "reason": "epoch"}
    stream.catch_up(10)
    node.publish(events.alert(alert_id="anew"))
    assert follow(stream, 1)[0]["alert_id"] == "anew"
    assert [line["event"] for line in node.log_lines(start)].count("beginning anew") == 1
    # Every node finds out, and finds the same new log.
    until(lambda: "beginning anew" in nodes[1].output(), 30, "the other node's notice")
    until(lambda: nodes[1].admin_status("/readyz") == 200, 30, "the other node")
    other = nodes[1].join("alice", resume=stream.last_position)
    assert other.auth_ok["payload"]["resume"]["complete"]
    for each in (stream, other):
        each.close()


def test_what_a_client_misses_because_the_log_was_trimmed_is_told(nodes, log, carillon):
    node = nodes[0]
    stream = node.connect("alice", resume=None)
    node.publish(events.alert(alert_id="first"))
    stream.notifications(1, 10)
    position = stream.last_position
    stream.close()
    for _ in range(5):
        node.publish(*(events.alert() for _ in range(200)))
    log.trim(10)
    late = carillon(merged(log.config, FAST)).start()
    stream = late.join("alice", resume=position)
    assert stream.auth_ok["payload"]["resume"] == {"requested": position, "complete": False, "reason": "trimmed"}
    stream.close()
    # Those who had it all read on.
    stream = node.join("alice", resume=position)
    assert stream.auth_ok["payload"]["resume"]["complete"]
    stream.close()


def test_a_log_that_is_not_there_is_refused_when_it_may_not_be_made(log, carillon):
    with pytest.raises(StartFailed) as refused:
        carillon(merged(log.config, {"log": {"create": False}})).start()
    assert refused.value.code == 1
    assert log.name in refused.value.output


def test_positions_of_the_future_and_of_other_logs_are_told(nodes, log):
    node = nodes[0]
    node.publish(events.alert())
    stream = node.connect("alice")
    position = stream.live["payload"]["position"]
    mark, _, place = position.partition(".")
    lanes = place.split(".")
    future = mark + "." + ".".join([str(int(lanes[0].split("-")[0]) + 1_000_000), *lanes[1:]])
    other = mark[0] + "1" + "." + place
    for asked, reason in ((future, "unknown"), (other, "epoch"), ("j1.5", "unknown"), ("nonsense", "unknown")):
        joined = node.join("alice", resume=asked)
        assert joined.auth_ok["payload"]["resume"] == {"requested": asked, "complete": False, "reason": reason}
        joined.close()
    stream.close()
