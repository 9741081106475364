"""What a subscription hands over, and how the server's messages are read (protocol 3, 4)."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from carillon import json_text
from carillon.errors import InvalidEvent
from carillon.events import EVENTS, Event, event_as_sent, event_from

_POSITION = re.compile(r"[A-Za-z0-9._~-]{1,512}", re.ASCII)


@dataclass(frozen=True)
class Notification:
    """One event, at its place in the log.

    The server has checked the event; a later one may send other words, or leave out (None) what is required today.
    `timestamp` is when it happened, UTC, where the server said so. `replayed`: it was missed and answers a resume.
    `snapshot`: it is part of a Snapshot. `late`: the server published it later than its limit (2 s, alerts 5 s) after
    `timestamp`.
    """

    event: Event
    position: str
    timestamp: datetime | None
    replayed: bool = False
    snapshot: bool = False
    late: bool = False


@dataclass(frozen=True)
class Gap:
    """Not all that was missed follows: what comes after `requested` may be lacking.

    `reason`: `trimmed` (the log no longer has it), `epoch` (the log is another one), `unknown` (not a position).
    """

    requested: str
    reason: str


@dataclass(frozen=True)
class Snapshot:
    """The state at `position`, in place of what came before: the latest update of each of the user's open orders, and
    each alert of level ERROR or CRITICAL of the last hour, in the log's order. All that comes after `position`
    follows."""

    notifications: tuple[Notification, ...]
    position: str


Item = Notification | Gap | Snapshot


class Nonsense(Exception):
    """The server sent what no server of this protocol sends."""


@dataclass(frozen=True)
class Message:
    """A message of the form of protocol 3, its payload unread."""

    type: str
    event: str
    members: Mapping[str, Any]
    payload: Mapping[str, Any]


def read_message(text: str | bytes) -> Message:
    if isinstance(text, bytes):
        raise Nonsense("a binary frame")
    try:
        members = json_text.read(text)
    except json_text.NotJson as error:
        raise Nonsense(f"not JSON: {error}") from None
    if not isinstance(members, dict):
        raise Nonsense("not an object")
    payload = members.get("payload")
    if not isinstance(payload, dict):
        raise Nonsense("no payload")
    return Message(text_in(members, "type"), text_in(members, "event"), members, payload)


def read_notification(message: Message, user_id: str) -> Notification | None:
    """`user_id` is the session's: nobody else's orders come on it. None: an event of a later version."""
    if message.event not in EVENTS:
        return None
    try:
        event = event_from(message.event, message.payload, user_id)
    except InvalidEvent:  # what the server took is not ours to refuse: a later one may take more
        event = event_as_sent(message.event, message.payload, user_id)
    return Notification(
        event,
        position_in(message.members, "id"),
        _time(message.members.get("timestamp")),
        **{mark: message.members.get(mark) is True for mark in ("replayed", "snapshot", "late")},
    )


def text_in(members: Mapping[str, Any], name: str) -> str:
    found = members.get(name)
    if not isinstance(found, str):
        raise Nonsense(f"{name} is not a string")
    return found


def position_in(members: Mapping[str, Any], name: str) -> str:
    found = text_in(members, name)
    if _POSITION.fullmatch(found) is None:
        raise Nonsense(f"{name} is not a position")
    return found


def count_in(members: Mapping[str, Any], name: str) -> int:
    found = members.get(name)
    if not isinstance(found, Decimal) or not 0 <= found < 2**63 or found != found.to_integral_value():
        raise Nonsense(f"{name} is not a count")
    return int(found)


def milliseconds_in(members: Mapping[str, Any], name: str) -> float:
    """In seconds, however many."""
    found = members.get(name)
    if not isinstance(found, Decimal) or found < 0:
        raise Nonsense(f"{name} is not a time")
    return float(min(found, Decimal(10**15))) / 1000


def _time(found: object) -> datetime | None:
    try:
        time = datetime.fromisoformat(found) if isinstance(found, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def token_message(token: str) -> str:
    """In-band refresh (protocol 2.6)."""
    return json.dumps({"type": "auth", "event": "token", "payload": {"token": token}})


PONG = '{"type":"heartbeat","event":"pong"}'
