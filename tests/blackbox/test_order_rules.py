"""The life of an order (product: in order, nobody else's): status only moves forward, what is filled never falls, an
order is one user's. What breaks that is accepted into the log, and withheld or put to the dead letters."""

import json

import pytest

from harness import events
from harness.rest import Rest
from harness.waiting import until

CONFIG = {"server": {"shards": 2}}
WITHHELD = "carillon_withheld_total"
DEAD = "carillon_dead_letters_total"
TERMINAL = ["FILLED", "CANCELED", "REJECTED", "EXPIRED"]


class Order:
    """Makes the envelopes of one order's updates."""

    def __init__(self, user="alice"):
        self.user = user
        self.id = events.fresh_id("o")

    def update(self, status, filled=0, **changes):
        user = changes.pop("user", self.user)
        return events.order(user, order_id=self.id, status=status, quantity_filled=filled, **changes)


def with_text(envelope, filled, total="9007199254740993.5"):
    """The envelope as text whose quantities are literally these."""
    payload = {**envelope["payload"], "quantity_filled": "@filled", "quantity_total": "@total"}
    text = json.dumps({**envelope, "payload": payload})
    return text.replace('"@filled"', filled).replace('"@total"', total)


def told(session, order):
    """[(status, filled)] of what the session is told of that order, up to a marker that is published now."""
    marker = events.order(session.auth_ok["payload"]["user_id"])
    with session.server.rest() as rest:
        rest.publish(marker)
    seen = []
    while (got := session.notification())["payload"]["order_id"] != marker["payload"]["order_id"]:
        if got["payload"]["order_id"] == order.id:
            seen.append((got["payload"]["status"], got["payload"]["quantity_filled"]))
    return seen


@pytest.fixture
def alice(server):
    with server.connect("alice") as alice:
        alice.server = server
        yield alice


LIVES = {
    "filled": [("SUBMITTED", 0), ("PARTIALLY_FILLED", 0.5), ("PARTIALLY_FILLED", 1), ("FILLED", 1.5)],
    "canceled": [("SUBMITTED", 0), ("PARTIALLY_FILLED", 0.5), ("CANCELED", 0.5)],
    "rejected": [("SUBMITTED", 0), ("REJECTED", 0)],
    "expired": [("SUBMITTED", 0), ("EXPIRED", 0)],
    "filled at once": [("FILLED", 1.5)],
    "never submitted": [("PARTIALLY_FILLED", 0.5), ("EXPIRED", 0.5)],
    "canceled at once": [("CANCELED", 0)],
}


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES)
def test_every_step_of_a_life_is_told_in_order(server, alice, life):
    order = Order()
    before = server.metrics().count(WITHHELD)
    server.publish(*[order.update(*step) for step in life])
    assert told(alice, order) == life
    assert server.metrics().count(WITHHELD) == before


BACKWARD = {
    "submitted after a fill": ([("PARTIALLY_FILLED", 0.5)], ("SUBMITTED", 0), "submitted_again"),
    "submitted with the same fill": ([("PARTIALLY_FILLED", 0.5)], ("SUBMITTED", 0.5), "submitted_again"),
    "less is filled": ([("PARTIALLY_FILLED", 0.5)], ("PARTIALLY_FILLED", 0.4), "filled_fell"),
    "canceled with less": ([("PARTIALLY_FILLED", 0.5)], ("CANCELED", 0.4), "filled_fell"),
    "filled with less": ([("PARTIALLY_FILLED", 0.5)], ("FILLED", 0.4), "filled_fell"),
    "the same again": ([("SUBMITTED", 0)], ("SUBMITTED", 0), "repeat"),
    "the same fill again": ([("SUBMITTED", 0), ("PARTIALLY_FILLED", 1)], ("PARTIALLY_FILLED", 1), "repeat"),
    **{
        f"{after} after {end}": ([("SUBMITTED", 0), (end, 1)], (after, 1.5), "after_terminal")
        for end in TERMINAL
        for after in ("SUBMITTED", "PARTIALLY_FILLED", "FILLED")
    },
    **{f"{end} again": ([(end, 1)], (end, 1), "after_terminal") for end in TERMINAL},
}


@pytest.mark.parametrize("life, update, reason", BACKWARD.values(), ids=BACKWARD)
def test_what_goes_backward_or_repeats_is_accepted_withheld_and_counted(server, alice, life, update, reason):
    order = Order()
    server.publish(*[order.update(*step, client_order_id=order.id) for step in life])
    with server.counts_one(WITHHELD, reason=reason):
        answer = server.publish(order.update(*update, client_order_id=order.id))
    assert answer["accepted"] == 1 and answer["duplicates"] == 0
    assert told(alice, order) == life


def test_a_withheld_update_changes_nothing_for_those_that_follow(server, alice):
    order = Order()
    server.publish(order.update("PARTIALLY_FILLED", 1), order.update("PARTIALLY_FILLED", 0.2))
    server.publish(
        order.update("PARTIALLY_FILLED", 0.9), order.update("PARTIALLY_FILLED", 1.2), order.update("FILLED", 1.5)
    )
    assert told(alice, order) == [("PARTIALLY_FILLED", 1), ("PARTIALLY_FILLED", 1.2), ("FILLED", 1.5)]


def test_an_update_that_says_something_else_at_the_same_fill_is_told(server, alice):
    order = Order()
    prices = [64000, 64000.1]
    server.publish(*[order.update("PARTIALLY_FILLED", 1, price_avg_filled=price) for price in prices])
    assert told(alice, order) == [("PARTIALLY_FILLED", 1)] * 2


@pytest.mark.parametrize(
    "before, after, falls",
    [
        ("9007199254740993", "9007199254740992", True),
        ("9007199254740992", "9007199254740993", False),
        ("0.30000000000000000000000000000000001", "0.3", True),
        ("0.1", "0.10", False),
        ("0.1", "1e-1", False),
        ("1E+3", "1000.0", False),
        ("1000", "999.9999999999999999999999999", True),
        ("0", "-0.0", False),
    ],
)
def test_what_is_filled_is_compared_as_decimals(server, alice, before, after, falls):
    order = Order()
    with server.rest() as rest:
        assert rest.post(with_text(order.update("PARTIALLY_FILLED"), before)).status == 202
        withheld = server.metrics().count(WITHHELD, reason="filled_fell")
        assert rest.post(with_text(order.update("PARTIALLY_FILLED"), after)).status == 202
    assert len(told(alice, order)) == (1 if falls else 2)
    assert server.metrics().count(WITHHELD, reason="filled_fell") == withheld + falls


def test_orders_do_not_mind_each_other(server, alice):
    """Ids are compared byte by byte; an order's end is no other order's."""
    one, two = Order(), Order()
    two.id = one.id + " "
    server.publish(one.update("FILLED", 1.5), two.update("SUBMITTED"), two.update("PARTIALLY_FILLED", 1))
    assert told(alice, one) == [("FILLED", 1.5)]
    server.publish(two.update("FILLED", 1.5))
    assert told(alice, two) == [("FILLED", 1.5)]


def test_what_is_withheld_is_in_no_replay_and_no_snapshot(server, alice):
    order = Order()
    start = server.publish(order.update("PARTIALLY_FILLED", 1))["position"]
    withheld = server.publish(order.update("SUBMITTED"), order.update("PARTIALLY_FILLED", 0.5))["position"]
    end = server.publish(order.update("PARTIALLY_FILLED", 1.2))["position"]
    assert [filled for _, filled in told(alice, order)] == [1, 1.2]
    for position in (start, withheld):
        with server.join_behind("alice", resume=position) as again:
            replayed = [n for n in again.caught_up if n["payload"]["order_id"] == order.id]
            assert [n["id"] for n in replayed] == [end]
    with server.join_behind("alice") as anew:
        assert [n["id"] for n in anew.caught_up if n["payload"]["order_id"] == order.id] == [end]


# --- an order belongs to the user of its first update ------------------------------------------------------------


def dead_letters(server):
    token = server.token("operator", scope="admin")
    with Rest(("localhost", server.address[1]), server.tls(), token) as rest:
        return rest.call("GET", "/v1/dead-letters?limit=1000").json["dead_letters"]


@pytest.mark.parametrize("end", [None, *TERMINAL])
def test_an_update_that_names_another_user_is_a_dead_letter_and_nobody_sees_it(server, alice, end):
    order = Order()
    life = [("SUBMITTED", 0)] + ([(end, 1)] if end else [])
    server.publish(*[order.update(*step) for step in life])
    foreign = order.update("PARTIALLY_FILLED", 1, user="bob")
    with server.connect("bob") as bob, server.counts_one(DEAD, reason="owner_mismatch"):
        bob.server = server
        position = server.publish(foreign)["position"]
        assert told(bob, order) == []
    assert told(alice, order) == life
    (letter,) = until(lambda: [found for found in dead_letters(server) if found["position"] == position])
    assert letter["reason"] == "owner_mismatch"
    assert json.loads(letter["record"])["payload"] == foreign["payload"]
    lines = [line for line in server.log_lines() if line.get("position") == position]
    assert [line["reason"] for line in lines] == ["owner_mismatch"]


def test_a_replayed_letter_that_is_still_wrong_is_a_letter_again(server):
    order = Order()
    server.publish(order.update("SUBMITTED"))
    foreign = order.update("FILLED", 1, user="bob")
    position = server.publish(foreign)["position"]

    def letters():
        return [one for one in dead_letters(server) if json.loads(one["record"])["payload"] == foreign["payload"]]

    until(letters, 10, "the letter")
    with server.rest("operator", scope="admin") as rest:
        body = json.dumps({"positions": [position]})
        answer = rest.call("POST", "/v1/dead-letters/replay", body, {"Content-Type": "application/json"})
        assert answer.json == {"replayed": 1, "refused": []}
    (again,) = until(lambda: [one for one in letters() if one["position"] != position], 10, "the letter's return")
    assert again["reason"] == "owner_mismatch"
    assert [one["position"] for one in letters()] == [again["position"]]


def test_the_owner_goes_on_after_another_user_was_named(server, alice):
    order = Order()
    server.publish(order.update("SUBMITTED"), order.update("FILLED", 1.5, user="bob"))
    server.publish(order.update("FILLED", 1.5))
    assert told(alice, order) == [("SUBMITTED", 0), ("FILLED", 1.5)]
    with server.join_behind("bob") as bob:
        assert order.id not in [n["payload"].get("order_id") for n in bob.caught_up]


# --- the log decides, not the node -------------------------------------------------------------------------------


def test_a_restart_decides_as_before(carillon):
    server = carillon().start()
    order, ended = Order(), Order()
    steps = [
        order.update("PARTIALLY_FILLED", 1),
        order.update("SUBMITTED"),
        order.update("PARTIALLY_FILLED", 0.5),
        order.update("PARTIALLY_FILLED", 1.2, user="bob"),
        ended.update("CANCELED"),
        ended.update("FILLED", 1.5),
        order.update("PARTIALLY_FILLED", 1.2),
    ]
    with server.connect("alice") as alice:
        start = alice.live["payload"]["position"]
        server.publish(*steps)
        seen = [n["id"] for n in alice.notifications(3)]
    letters = until(lambda: dead_letters(server))
    server.kill()
    server.start()
    with server.join("alice", resume=start) as alice:
        assert [n["id"] for n in alice.catch_up()] == seen
        alice.server = server
        server.publish(order.update("PARTIALLY_FILLED", 1), ended.update("FILLED", 1.5), order.update("FILLED", 1.5))
        assert told(alice, order) == [("FILLED", 1.5)]
    assert dead_letters(server) == letters and len(letters) == 1
    # Only what is new is counted; what the log had was counted when it came.
    assert server.metrics().count(WITHHELD, reason="filled_fell") == 1
    assert server.metrics().count(WITHHELD, reason="after_terminal") == 1
