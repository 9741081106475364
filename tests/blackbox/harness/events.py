"""Valid envelopes of the three events (protocol 5 and 8). Each payload holds the canary, which no log line may hold."""

import itertools
import uuid

CANARY = "canary-7f3a"

_numbers = itertools.count(1)
_run = uuid.uuid4().hex[:8]


def fresh_id(prefix="e"):
    return f"{prefix}-{_run}-{next(_numbers)}"


def signal(**changes):
    payload = {
        "signal_id": fresh_id("s"),
        "instrument_id": "BTC/USDT",
        "direction": "BUY",
        "entry_price": 64000.5,
        "stop_loss": 63000,
        "take_profit": [65000, 66000],
        "source_agent_id": CANARY,
    }
    return _envelope("new_trade_signal", payload, changes)


def order(user_id, **changes):
    payload = {
        "order_id": fresh_id("o"),
        "instrument_id": "BTC/USDT",
        "status": "SUBMITTED",
        "side": "BUY",
        "type": "LIMIT",
        "quantity_total": 1.5,
        "quantity_filled": 0,
        "client_order_id": CANARY,
    }
    return {**_envelope("order_update", payload, changes), "user_id": user_id}


def alert(**changes):
    payload = {"alert_id": fresh_id("a"), "level": "INFO", "message": CANARY}
    return _envelope("system_alert", payload, changes)


def narrowed(event, *users):
    return {**event, "audience": {"users": list(users)}}


def _envelope(event, payload, changes):
    payload.update(changes)
    payload = {name: value for name, value in payload.items() if value is not ...}
    return {"id": fresh_id(), "event": event, "payload": payload}
