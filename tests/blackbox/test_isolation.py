"""Nobody else's: no byte of an event reaches another user's session (product: nobody else's; cases G)."""

import hmac
import json
import random
import threading

import pytest

from harness import events, frames
from harness.waiting import until

CONFIG = {"server": {"shards": 4}, "limits": {"connections_per_user_max": 8}}
SECRET = b"the canary's secret"


def canary(user):
    return hmac.new(SECRET, user.encode(), "sha256").hexdigest()


def marked_order(user, size=1):
    """An order whose payload is full of its user's canary."""
    return events.order(user, note=canary(user) * size)


def assert_own(text, user, users):
    """The text of a message to `user` holds its own canary and none of the others'."""
    assert canary(user) in text
    assert not [other for other in users if other != user and canary(other) in text], f"a foreign event reached {user}"


# --- G1, G3: canaries in a reconnect storm -----------------------------------------------------------------------


class Device:
    """One client of a user that is cut and comes back; holds the ids of the orders that it got."""

    def __init__(self, server, user, users):
        self._server, self._user, self._users = server, user, users
        self._last = server.last_accepted
        self.got = []

    def stay(self, source, is_last=False, total=0):
        """One connection: catches up, listens for a while, and goes, politely or not."""
        with self._server.join(self._user, source.choice("abc"), resume=self._last, snapshot=False) as stream:
            assert stream.auth_ok["payload"]["user_id"] == self._user
            assert stream.auth_ok["payload"]["resume"]["complete"] is True
            wanted = total if is_last else len(self.got) + source.randint(0, 12)
            while stream.live is None or len(self.got) < wanted:
                text = stream.next_text(10)
                message = json.loads(text)
                if message["event"] == "live":
                    stream.live = message
                if message["type"] != "notification":
                    continue
                assert_own(text, self._user, self._users)
                self.got.append(message["payload"]["order_id"])
                self._last = message["id"]


def test_g1_g3_no_foreign_canary_in_a_reconnect_storm(server):
    users = [f"storm-{i}" for i in range(24)]
    source = random.Random(1)
    server.publish(events.order("nobody"))
    devices = {(user, i): Device(server, user, users) for user in users for i in range(2)}
    sent = {user: [] for user in users}
    rounds = 150

    def publish():
        mixed = random.Random(2)
        with server.rest() as rest:
            for _ in range(rounds):
                # Mixed sizes: what one user's buffer held may not show behind another's shorter text.
                batch = [marked_order(user, mixed.choice([1, 2, 20, 200])) for user in users]
                mixed.shuffle(batch)
                rest.publish(*batch)
                for event in batch:
                    sent[event["user_id"]].append(event["payload"]["order_id"])

    publisher = threading.Thread(target=publish)
    publisher.start()
    for _ in range(5):
        for key in source.sample(sorted(devices), len(devices)):
            if len(devices[key].got) < rounds - 12:
                devices[key].stay(source)
    publisher.join()
    for (user, _), device in devices.items():
        device.stay(source, is_last=True, total=rounds)
        assert device.got == sent[user]


# --- G2: a descriptor used again ---------------------------------------------------------------------------------


def test_g2_who_gets_a_closed_connections_descriptor_gets_none_of_its_events(server):
    end = frames.close(1000)
    for i in range(60):
        with server.rest() as rest:
            batch = [marked_order("alice", 100) for _ in range(20)]
            alice = server.raw_stream("alice", receive_buffer=4096)
            rest.publish(*batch)
            # While events for alice wait, she goes: by a reset, a close frame, or a FIN in the middle.
            (alice.reset, lambda: alice.send(end), alice.close)[i % 3]()
            with server.connect("bob") as bob:
                marker = marked_order("bob")
                rest.publish(marker, *[marked_order("alice", 50) for _ in range(3)])
                text = bob.notification_text()
                assert_own(text, "bob", ["alice", "bob"])
                assert json.loads(text)["payload"] == marker["payload"]
            alice.close()


# --- G6, G7: ids -------------------------------------------------------------------------------------------------


LOOK_ALIKES = ["1", "1.0", "01", "+1", "1e0", "9007199254740992", "9007199254740993", "7", "4294967303", "-7", "0x7"]
ROUTING = [
    "*",
    ">",
    ".",
    "a.b",
    "a.*",
    "a.>",
    "#",
    "+",
    "a/b",
    "/",
    ":",
    "a:b",
    "{}",
    "{a}",
    "%",
    "$a",
    "a b",
    "a\\",
    '"a"',
]


@pytest.mark.parametrize("users", [LOOK_ALIKES, ROUTING], ids=["look-alikes", "routing characters"])
def test_g6_g7_users_are_themselves_and_no_pattern_live_replayed_and_in_snapshots(server, users):
    start = server.publish(events.alert())["position"]
    sessions = {user: server.connect(user) for user in users}
    orders = {user: events.order(user) for user in users}
    narrowed = {user: events.narrowed(events.alert(level="CRITICAL"), user) for user in users}
    marker = events.alert()
    server.publish(*orders.values(), *narrowed.values(), marker)
    for user, session in sessions.items():
        own = [orders[user]["payload"], narrowed[user]["payload"]]
        assert [n["payload"] for n in session.notifications(3)] == [*own, marker["payload"]]
        session.close()
        with server.join_behind(user, resume=start) as again:
            assert [n["payload"] for n in again.caught_up] == [*own, marker["payload"]]
        with server.join_behind(user) as anew:
            assert [n["payload"] for n in anew.caught_up] == own
    # What stands for them is not for the tests that follow.
    server.publish(
        *[{**o, "id": events.fresh_id(), "payload": {**o["payload"], "status": "EXPIRED"}} for o in orders.values()]
    )


# --- G11: guessed positions --------------------------------------------------------------------------------------


def test_g11_positions_of_others_lead_to_own_events_only(server):
    server.publish(events.order("nobody"))
    with server.connect("alice") as alice:
        server.publish(*[marked_order("alice") for _ in range(5)], *[marked_order("bob") for _ in range(5)])
        positions = [n["id"] for n in alice.notifications(5)]
    head, number = positions[2].rsplit(".", 1)
    guesses = [int(number) + by for by in (-2, -1, 0, 1, 2)] + [0, -1, 2**63 - 1, 2**63, 2**64 - 1, 2**64]
    complete = 0
    for guess in [*positions, *[f"{head}.{n}" for n in guesses]]:
        with server.join("bob", resume=guess) as bob:
            complete += bob.auth_ok["payload"]["resume"]["complete"]
            seen = bob.catch_up()
            assert not [n for n in seen if canary("alice") in json.dumps(n)]
            assert all(n["payload"].get("note") == canary("bob") for n in seen if n["event"] == "order_update")
    assert complete >= len(positions) + 5


# --- G15: one user's devices -------------------------------------------------------------------------------------


def test_g15_each_device_of_a_user_gets_everything_once_and_those_beyond_the_limit_are_refused(carillon):
    server = carillon({"server": {"shards": 3}, "limits": {"connections_per_user_max": 5}}).start()
    start = server.publish(events.alert())["position"]
    batch = [events.order("alice") for _ in range(20)]
    server.publish(*batch[:10])
    devices = [server.join("alice", resume=start) for _ in range(2)] + [server.connect("alice") for _ in range(3)]
    with server.raw() as sixth:
        assert sixth.upgrade(authorization=f"Bearer {server.token('alice')}").status == 429
    for carrier in ("b", "c"):
        with server.open(server.token("alice"), carrier, resume=start) as sixth:
            code, messages = sixth.until_closed()
            assert (code, messages) == (4429, [])
    server.publish(*batch[10:])
    for i, device in enumerate(devices):
        assert [n["payload"] for n in device.notifications(20 if i < 2 else 10)] == [
            event["payload"] for event in batch[0 if i < 2 else 10 :]
        ]
        device.close()


# --- G17: identity comes from the token alone --------------------------------------------------------------------


def test_g17_identity_headers_and_parameters_are_ignored(server):
    headers = {
        "X-User-Id": "alice",
        "X-Forwarded-User": "alice",
        "X-Remote-User": "alice",
        "Nats-Request-Info": '{"user":"alice"}',
        "Cookie": "user=alice",
        "From": "alice",
        "X-Forwarded-For": "203.0.113.9",
    }
    token = server.token("mallory")
    with server.open(token, headers={**headers}, query="?user_id=alice&sub=alice&snapshot=false") as stream:
        stream.expect_auth_ok().catch_up()
        assert stream.auth_ok["payload"]["user_id"] == "mallory"
        marker = marked_order("mallory")
        server.publish(marked_order("alice"), marker)
        while (got := stream.notification())["event"] != "order_update":
            pass
        assert got["payload"] == marker["payload"]
    with server.open(token, "c", headers=headers) as stream:
        stream.send({"type": "auth", "event": "token", "payload": {"token": token, "user_id": "alice", "sub": "alice"}})
        assert [stream.next_of("auth_ok")["payload"]["user_id"] for _ in range(2)] == ["mallory"] * 2


# --- G18: nothing of a user in what operators see ----------------------------------------------------------------


def test_g18_no_metric_and_no_log_line_holds_a_payload_or_a_users_label(server):
    order = marked_order("named-in-no-metric")
    mark = server.log_size()
    with server.connect("named-in-no-metric") as named:
        server.publish(order, {**order, "id": events.fresh_id()}, {**order, "id": events.fresh_id(), "user_id": "bob"})
        named.received(named.notification()["id"])
    with server.connect("named-in-no-metric", resume="named-in-no-metric"):
        pass
    until(lambda: server.metrics().count("carillon_dead_letters_total", reason="owner_mismatch") > 0)
    page = server.admin("/metrics")[1]
    assert "named-in-no-metric" not in page and order["payload"]["order_id"] not in page
    text = json.dumps(server.log_lines(mark))
    assert canary("named-in-no-metric") not in text and order["payload"]["order_id"] not in text


# --- G19: no rights without a word -------------------------------------------------------------------------------


def test_g19_without_grants_nothing_is_told_live_replayed_or_in_a_snapshot(carillon):
    server = carillon({"auth": {"default_grants": []}}).start()
    start = server.publish(events.alert())["position"]
    alert = events.alert(level="CRITICAL")
    server.publish(events.order("alice"), events.signal(), alert)
    for resume in (start, None):
        with server.join_behind("alice", resume=resume) as alice:
            assert alice.auth_ok["payload"]["grants"] == []
            # Alerts concern everybody (protocol 5.3).
            assert [n["payload"] for n in alice.caught_up] == [alert["payload"]]
            marker = events.alert()
            server.publish(events.order("alice"), events.signal(), marker)
            assert alice.notification()["payload"] == marker["payload"]


def test_a_refresh_that_takes_a_grant_away_takes_it_from_the_rest_of_the_replay(carillon):
    server = carillon({"limits": {"queue_age_max": "60s"}}).start()
    start = server.publish(events.alert())["position"]
    with server.rest() as rest:
        for _ in range(40):
            rest.publish(*[events.order("alice", note="n" * 4096) for _ in range(50)])
    with server.raw(receive_buffer=4096) as client:
        client.upgrade(f"/v1/stream?resume={start}", authorization=f"Bearer {server.token('alice')}")
        first = client.read_message()
        payload = {"token": server.token("alice", scope="signals")}
        client.send(frames.text(json.dumps({"type": "auth", "event": "token", "payload": payload})))
        orders_after, again = 0, None
        while (message := client.read_message(20))["event"] != "live":
            again = again or (message if message["event"] == "auth_ok" else None)
            orders_after += again is not None and message["event"] == "order_update"
    assert first["payload"]["grants"] == ["signals", "orders", "alerts"]
    assert again["payload"]["grants"] == ["signals"] and orders_after == 0
