"""The three events (protocol 5), as values that are valid from the moment they exist.

Numbers are given as `Decimal`, `int` or a string such as "1.50", and keep their digits. Strings are 1 to 256 bytes of
UTF-8 without control characters (`message`, `reason_failed`: up to 4096). Whatever breaks a rule raises `InvalidEvent`,
which names the field. `extra` holds members that the protocol does not know; they are passed on unchanged.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from types import MappingProxyType
from typing import Any, ClassVar, Literal, get_args

from carillon import check
from carillon.json_text import Json
from carillon.number import DecimalLike

Side = Literal["BUY", "SELL"]
OrderStatus = Literal["SUBMITTED", "PARTIALLY_FILLED", "FILLED", "CANCELED", "REJECTED", "EXPIRED"]
OrderType = Literal["LIMIT", "MARKET"]
AlertLevel = Literal["INFO", "WARNING", "ERROR", "CRITICAL"]

_NOTHING: Mapping[str, Json] = MappingProxyType({})


def _extra() -> Any:
    return field(default_factory=dict, hash=False)


@dataclass(frozen=True, init=False)
class NewTradeSignal:
    """A trade that an agent proposes. Prices are in the instrument's quote currency and may be zero or negative.

    `confidence` is 0 to 1; `take_profit` one price or more.
    """

    event: ClassVar[Literal["new_trade_signal"]] = "new_trade_signal"

    signal_id: str
    instrument_id: str
    direction: Side
    entry_price: Decimal
    stop_loss: Decimal
    take_profit: tuple[Decimal, ...]
    source_agent_id: str
    confidence: Decimal | None = None
    extra: Mapping[str, Json] = _extra()

    def __init__(
        self,
        *,
        signal_id: str,
        instrument_id: str,
        direction: Side,
        entry_price: DecimalLike,
        stop_loss: DecimalLike,
        take_profit: Sequence[DecimalLike],
        source_agent_id: str,
        confidence: DecimalLike | None = None,
        extra: Mapping[str, Json] = _NOTHING,
    ) -> None:
        _fill(
            self,
            signal_id=check.text("/payload/signal_id", signal_id),
            instrument_id=check.text("/payload/instrument_id", instrument_id),
            direction=check.word("/payload/direction", direction, get_args(Side)),
            entry_price=check.number("/payload/entry_price", entry_price),
            stop_loss=check.number("/payload/stop_loss", stop_loss),
            take_profit=check.numbers("/payload/take_profit", take_profit),
            source_agent_id=check.text("/payload/source_agent_id", source_agent_id),
            confidence=check.optional(check.share, "/payload/confidence", confidence),
            extra=_checked_extra(type(self), extra),
        )


@dataclass(frozen=True, init=False)
class OrderUpdate:
    """The state of an order of `user_id`, who alone gets to see it.

    Quantities are in the instrument's base unit: `quantity_total` more than 0, `quantity_filled` 0 to that.
    `reason_failed` goes with REJECTED and EXPIRED.
    """

    event: ClassVar[Literal["order_update"]] = "order_update"

    user_id: str
    order_id: str
    instrument_id: str
    status: OrderStatus
    side: Side
    type: OrderType
    quantity_total: Decimal
    quantity_filled: Decimal
    client_order_id: str | None = None
    price_avg_filled: Decimal | None = None
    reason_failed: str | None = None
    extra: Mapping[str, Json] = _extra()

    def __init__(
        self,
        *,
        user_id: str,
        order_id: str,
        instrument_id: str,
        status: OrderStatus,
        side: Side,
        type: OrderType,
        quantity_total: DecimalLike,
        quantity_filled: DecimalLike,
        client_order_id: str | None = None,
        price_avg_filled: DecimalLike | None = None,
        reason_failed: str | None = None,
        extra: Mapping[str, Json] = _NOTHING,
    ) -> None:
        _fill(
            self,
            user_id=check.text("/user_id", user_id),
            order_id=check.text("/payload/order_id", order_id),
            instrument_id=check.text("/payload/instrument_id", instrument_id),
            status=check.word("/payload/status", status, get_args(OrderStatus)),
            side=check.word("/payload/side", side, get_args(Side)),
            type=check.word("/payload/type", type, get_args(OrderType)),
            quantity_total=check.positive("/payload/quantity_total", quantity_total),
            quantity_filled=check.not_negative("/payload/quantity_filled", quantity_filled),
            client_order_id=check.optional(check.text, "/payload/client_order_id", client_order_id),
            price_avg_filled=check.optional(check.number, "/payload/price_avg_filled", price_avg_filled),
            reason_failed=check.optional(check.long_text, "/payload/reason_failed", reason_failed),
            extra=_checked_extra(OrderUpdate, extra),
        )
        if self.quantity_filled > self.quantity_total:
            raise check.fault("/payload/quantity_filled", "out_of_range", "must be at most quantity_total")


@dataclass(frozen=True, init=False)
class SystemAlert:
    """Something that everybody connected should know."""

    event: ClassVar[Literal["system_alert"]] = "system_alert"

    alert_id: str
    level: AlertLevel
    message: str
    component: str | None = None
    extra: Mapping[str, Json] = _extra()

    def __init__(
        self,
        *,
        alert_id: str,
        level: AlertLevel,
        message: str,
        component: str | None = None,
        extra: Mapping[str, Json] = _NOTHING,
    ) -> None:
        _fill(
            self,
            alert_id=check.text("/payload/alert_id", alert_id),
            level=check.word("/payload/level", level, get_args(AlertLevel)),
            message=check.long_text("/payload/message", message),
            component=check.optional(check.text, "/payload/component", component),
            extra=_checked_extra(type(self), extra),
        )


Event = NewTradeSignal | OrderUpdate | SystemAlert

_KINDS: Mapping[str, type[NewTradeSignal] | type[OrderUpdate] | type[SystemAlert]] = {
    kind.event: kind for kind in (NewTradeSignal, OrderUpdate, SystemAlert)
}


# The words for them in messages and envelopes.
EVENTS = frozenset(_KINDS)


def _fill(event: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(event, name, value)


def _payload_members(kind: type[Any]) -> list[dataclasses.Field[Any]]:
    return [member for member in dataclasses.fields(kind) if member.name not in ("user_id", "extra")]


def _checked_extra(kind: type[Any], extra: Mapping[str, Json]) -> Mapping[str, Json]:
    known = {member.name for member in _payload_members(kind)}
    for name in extra:
        if name in known:
            raise check.fault(f"/payload/{name}", "not_allowed", "belongs to the event itself, not to extra")
    return {name: check.json(f"/payload/{name}", value) for name, value in extra.items()}


def payload_of(event: Event) -> dict[str, object]:
    """The members of the notification's or envelope's `payload`; absent ones are left out."""
    members = ((member.name, getattr(event, member.name)) for member in _payload_members(type(event)))
    return {name: value for name, value in members if value is not None} | dict(event.extra)


def event_from(kind: str, payload: object, user_id: str | None) -> Event:
    """The event that a payload holds, which was read by `json_text.read`. Raises InvalidEvent.

    `user_id` is that of an order_update, which its payload does not say.
    """
    found = _KINDS.get(kind)
    if found is None:
        raise check.fault("/event", "not_allowed", "must be one of " + ", ".join(_KINDS))
    if not isinstance(payload, dict):
        raise check.fault("/payload", "wrong_type", "must be an object")
    values: dict[str, Any] = {"user_id": user_id} if found is OrderUpdate else {}
    members = _payload_members(found)
    for member in members:
        if member.name not in payload:
            if member.default is dataclasses.MISSING:
                raise check.fault(f"/payload/{member.name}", "missing", f"{member.name} is required")
            continue
        if payload[member.name] is None:
            raise check.fault(f"/payload/{member.name}", "wrong_type", "must not be null")
        values[member.name] = check.as_read(f"/payload/{member.name}", payload[member.name], member.type)
    known = {member.name for member in members}
    return found(**values, extra={name: value for name, value in payload.items() if name not in known})


def event_as_sent(kind: str, payload: Mapping[str, Any], user_id: str) -> Event:
    """The event that a payload holds as it is, `kind` being one of EVENTS: a member that is not there is None."""
    found = _KINDS[kind]
    names = {member.name for member in _payload_members(found)}
    values = {name: payload.get(name) for name in names}
    event = object.__new__(found)
    _fill(event, **{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
    _fill(event, extra={name: value for name, value in payload.items() if name not in names})
    if isinstance(event, OrderUpdate):
        _fill(event, user_id=user_id)
    return event
