"""Events are valid from the start, and their numbers keep their digits: the golden vectors, and what Python adds."""

import copy
import json
import pickle
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

import pytest
from paths import VECTORS

from carillon import Envelope, InvalidEvent, NewTradeSignal, Number, OrderUpdate, SystemAlert, json_text
from carillon.events import event_from, payload_of
from carillon.messages import read_message, read_notification
from carillon.number import text_of

ENVELOPES = json.loads((VECTORS / "envelopes.json").read_text())
NOTIFICATIONS = json.loads((VECTORS / "notifications.json").read_text())["notifications"]


def envelope_from(text):
    """An envelope as a Python program would make it from this text; what it can only say in other types is put so."""
    members = json_text.read(text)
    event = event_from(members.get("event", ""), members.get("payload"), members.get("user_id"))
    more = {"id": members["id"]} if "id" in members else {}
    if "audience" in members:
        more["audience"] = tuple(members["audience"]["users"])
    return Envelope(event, **more)


def texts_for_numbers(value):
    """The vectors' form of a payload: each number a string with its text."""
    match value:
        case dict():
            return {name: texts_for_numbers(member) for name, member in value.items()}
        case list() | tuple():
            return [texts_for_numbers(element) for element in value]
        case Decimal():
            return text_of(value)
        case _:
            return value


@pytest.mark.parametrize("row", ENVELOPES["taken"], ids=lambda row: row["name"])
def test_what_the_protocol_takes_is_taken(row):
    envelope = envelope_from(row["text"])
    written = json_text.read(envelope.json)
    asked = json_text.read(row["text"])
    assert texts_for_numbers(written["payload"]) == texts_for_numbers(asked["payload"])
    for member in ("event", "user_id"):
        assert written.get(member) == asked.get(member)


# What an event is has been said by its class; of two faults Python finds the member that is not there first.
OF_THE_PAYLOAD = [
    row
    for row in ENVELOPES["refused"]
    if row["pointer"].startswith("/payload/") and not row["name"].startswith("two faults")
]


@pytest.mark.parametrize("row", OF_THE_PAYLOAD, ids=lambda row: row["name"])
def test_what_the_protocol_refuses_is_refused_by_the_same_name(row):
    with pytest.raises(InvalidEvent) as refused:
        envelope_from(row["text"])
    assert (refused.value.pointer, refused.value.code) == (row["pointer"], row["code"])


@pytest.mark.parametrize("row", NOTIFICATIONS, ids=lambda row: row["name"])
def test_a_notification_is_read_with_its_digits(row):
    notification = read_notification(read_message(row["text"]), "alice")
    assert notification.event.event == row["event"]
    assert notification.position == row["position"]
    assert notification.timestamp == datetime.fromisoformat(row["timestamp"])
    assert (notification.late, notification.replayed, notification.snapshot) == (
        row["late"],
        row["replayed"],
        row["snapshot"],
    )
    assert texts_for_numbers(payload_of(notification.event)) == row["payload"]


def signal(**changes):
    values = {
        "signal_id": "s-1",
        "instrument_id": "BTC/USDT",
        "direction": "BUY",
        "entry_price": "64000.10",
        "stop_loss": 63000,
        "take_profit": [Decimal("65000.00")],
        "source_agent_id": "A-1",
    }
    return NewTradeSignal(**(values | changes))


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (Decimal("1.50"), "1.50"),
        (Decimal("0.00000001"), "0.00000001"),
        (Decimal("-0.0"), "-0.0"),
        (Decimal("1.50E+3"), "1.50E+3"),
        (Decimal("1E-30"), "0.000000000000000000000000000001"),
        (Number("1.50e3"), "1.50e3"),
        ("1.50E+3", "1.50E+3"),
        ("-0.0", "-0.0"),
        ("1e-08", "1e-08"),
        (7, "7"),
        (10**39, "1" + "0" * 39),
    ],
)
def test_a_number_is_written_digit_for_digit(given, written):
    text = json_text.write(payload_of(signal(entry_price=given)))
    assert f'"entry_price":{written},' in text
    assert json_text.read(text)["entry_price"].text == written


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (0.1, "wrong_type"),
        (True, "wrong_type"),
        (None, "wrong_type"),
        ("", "wrong_type"),
        (" 1", "wrong_type"),
        ("1_000", "wrong_type"),
        ("\N{ARABIC-INDIC DIGIT ONE}", "wrong_type"),
        ("01", "wrong_type"),
        ("NaN", "wrong_type"),
        (Decimal("NaN"), "out_of_range"),
        (Decimal("-Infinity"), "out_of_range"),
        (Decimal("1E+31"), "out_of_range"),
        (10**40, "out_of_range"),
        ("0." + "1" * 39, "out_of_range"),
    ],
)
def test_what_is_no_number_of_the_protocol_is_refused(given, code):
    with pytest.raises(InvalidEvent) as refused:
        signal(entry_price=given)
    assert (refused.value.field, refused.value.code) == ("entry_price", code)


def test_a_float_is_refused_with_advice():
    with pytest.raises(InvalidEvent, match="use Decimal or str"):
        signal(take_profit=[Decimal(1), 0.1])
    with pytest.raises(InvalidEvent, match="use Decimal or str"):
        signal(extra={"ratio": 0.1})
    with pytest.raises(InvalidEvent) as refused:
        signal(extra={"ratios": [{"a": 0.1}]})
    assert refused.value.field == "ratios"


def test_the_field_of_an_element_has_its_index():
    with pytest.raises(InvalidEvent) as refused:
        signal(take_profit=["1", "x"])
    assert (refused.value.field, refused.value.pointer) == ("take_profit[1]", "/payload/take_profit/1")


@pytest.mark.parametrize("text", ["\ud800", "a\nb", "\x85", "é" * 129, ""])
def test_a_string_is_text_of_256_bytes(text):
    with pytest.raises(InvalidEvent) as refused:
        signal(signal_id=text)
    assert refused.value.field == "signal_id"


def test_events_are_values():
    event = signal(extra={"venue": "X", "fee": Number("0.10")})
    assert event == signal(extra={"venue": "X", "fee": Decimal("0.1")})
    assert hash(event) == hash(signal())
    for copied in (copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
        assert copied == event
        assert copied.extra["fee"].text == "0.10"
        assert copied.entry_price.text == "64000.10"
    with pytest.raises(AttributeError):
        event.signal_id = "other"


def test_a_number_is_a_decimal():
    price = Number("1.50e1")
    assert price == Decimal(15)
    assert price + 1 == 16
    assert type(price + 1) is Decimal
    with pytest.raises(ValueError, match="JSON"):
        Number("1,5")


def test_what_is_extra_is_passed_on_and_cannot_be_what_is_not():
    with pytest.raises(InvalidEvent) as refused:
        SystemAlert(alert_id="a", level="INFO", message="m", extra={"level": "CRITICAL"})
    assert refused.value.field == "level"


def order(**changes):
    values = {"user_id": "alice", "order_id": "o", "instrument_id": "X", "status": "FILLED", "side": "BUY"}
    return OrderUpdate(**(values | {"type": "LIMIT", "quantity_total": 2, "quantity_filled": 1} | changes))


def test_an_envelope_has_an_id_of_its_own_and_the_same_bytes_each_time():
    first, second = Envelope(order()), Envelope(order())
    assert first.id != second.id
    assert first.json is first.json
    assert (first.key, Envelope(signal()).key) == ("alice", "new_trade_signal")


def test_a_time_is_written_in_utc_and_milliseconds():
    time = datetime(2026, 11, 22, 13, 0, 0, 123_999, timezone(timedelta(hours=1)))
    assert b'"timestamp":"2026-11-22T12:00:00.123Z"' in Envelope(order(), timestamp=time).json


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"id": ""}, "id", "out_of_range"),
        ({"id": "x" * 129}, "id", "out_of_range"),
        ({"id": "é"}, "id", "not_allowed"),
        ({"timestamp": datetime(2026, 11, 22)}, "timestamp", "bad_timestamp"),
        ({"timestamp": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, "timestamp", "out_of_range"),
        ({"timestamp": "now"}, "timestamp", "wrong_type"),
        ({"audience": ("bob",)}, "audience", "not_allowed"),
    ],
)
def test_an_envelope_is_checked(changes, field, code):
    with pytest.raises(InvalidEvent) as refused:
        Envelope(order(), **changes)
    assert (refused.value.field, refused.value.code) == (field, code)


def test_an_audience_is_one_to_a_thousand_users():
    alert = SystemAlert(alert_id="a", level="INFO", message="m")
    assert b'"audience":{"users":["bob"]}' in Envelope(alert, audience=["bob"]).json
    for audience in ((), "bob", ["x"] * 1001, ["bob", ""]):
        with pytest.raises(InvalidEvent) as refused:
            Envelope(alert, audience=audience)
        assert refused.value.field.startswith("audience.users")


def test_a_payload_has_an_end():
    alert = SystemAlert(alert_id="a", level="INFO", message="m", extra={"x": "y" * 256 * 1024})
    with pytest.raises(InvalidEvent) as refused:
        Envelope(alert, timestamp=datetime.now(UTC))
    assert (refused.value.pointer, refused.value.code) == ("/payload", "too_large")


class Way(str, Enum):  # noqa: UP042 - as many programs have it
    BUY = "BUY"


class Level(int, Enum):
    ONE = 1


def test_words_and_numbers_of_an_enum_are_what_they_stand_for():
    event = NewTradeSignal(
        signal_id="s",
        instrument_id="i",
        direction=Way.BUY,
        entry_price="1",
        stop_loss="1",
        take_profit=["1"],
        source_agent_id="a",
        extra={"level": Level.ONE, "way": Way.BUY},
    )
    payload = json.loads(Envelope(event).json)["payload"]
    assert (payload["direction"], payload["level"], payload["way"]) == ("BUY", 1, "BUY")


def test_an_envelope_does_not_change_with_what_it_was_made_of():
    tags = ["a"]
    envelope = Envelope(SystemAlert(alert_id="a", level="INFO", message="m", extra={"tags": tags}))
    tags.append("b")
    assert json.loads(envelope.json)["payload"]["tags"] == ["a"]


def test_what_the_server_sent_is_not_checked_again():
    text = json.dumps(
        {"type": "notification", "event": "order_update", "id": "p1", "payload": {"status": "PAUSED", "x": [1]}}
    )
    event = read_notification(read_message(text), "alice").event
    assert (event.status, event.order_id, event.user_id, event.extra) == ("PAUSED", None, "alice", {"x": [1]})
