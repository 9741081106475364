"""One publishing call over REST (protocol 8.5), without the sending of it."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from carillon import json_text
from carillon.envelope import Envelope
from carillon.errors import (
    Conflict,
    EventsRefused,
    Fault,
    Forbidden,
    PublishError,
    Rejected,
    Unauthorized,
    Unavailable,
)
from carillon.publishing import Published

TIMEOUT = 10.0  # seconds, for each of connecting, writing and reading

# Answers after which the same call may succeed later. The outcome of some of them is unknown; ids make that safe.
_MAY_SUCCEED_LATER = frozenset({408, 429, 500, 502, 503, 504})


def events_url(url: str) -> str:
    """The address of the call for `https://HOST:PORT`, with or without a path. Raises ValueError for another scheme."""
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.netloc:
        raise ValueError(f"the server's URL begins with https://, not {url!r}")
    return urlunsplit(("https", parts.netloc, parts.path.rstrip("/").removesuffix("/v1/events") + "/v1/events", "", ""))


def body_of(batch: Sequence[Envelope]) -> bytes:
    return b"[" + b",".join(envelope.json for envelope in batch) + b"]"


def headers_of(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}


def outcome(batch: Sequence[Envelope], status: int, headers: Mapping[str, str], body: bytes) -> Published:
    """What an answer means. Raises PublishError."""
    if status == 202:
        return _published(batch, body)
    problem = _object(body)
    detail = _text(problem, "detail") or f"the server answered {status}"
    if status in _MAY_SUCCEED_LATER:
        raise Unavailable(detail, status, retry_after_in(headers.get("retry-after")))
    if status == 401:
        payload = problem.get("payload")
        said = payload if isinstance(payload, dict) else {}
        raise Unauthorized(_text(said, "message") or "the token was refused", _text(said, "code") or "unknown")
    raise _refusal(batch, status, detail, problem)


def _published(batch: Sequence[Envelope], body: bytes) -> Published:
    answer = _object(body)
    try:
        accepted, duplicates = int(answer["accepted"]), int(answer["duplicates"])
    except (KeyError, TypeError, ValueError, ArithmeticError):
        raise Unavailable("the server's answer cannot be read", 202) from None
    ids = tuple(envelope.id for envelope in batch)
    return Published(accepted, duplicates, _text(answer, "position") or None, ids)


def _refusal(batch: Sequence[Envelope], status: int, detail: str, problem: dict[str, Any]) -> PublishError:
    if status == 403:
        return Forbidden(detail, 403)
    if status == 409:
        return Conflict(detail, _index_named(batch, detail))
    faults = _faults(problem.get("errors")) if status == 422 else []
    return EventsRefused("; ".join(map(str, faults)), faults) if faults else Rejected(detail, status)


def _index_named(batch: Sequence[Envelope], detail: str) -> int | None:
    named = [index for index, envelope in enumerate(batch) if f" {envelope.id} " in f" {detail} "]
    return named[0] if len(named) == 1 else None


def _faults(errors: object) -> list[Fault]:
    faults = []
    for error in errors if isinstance(errors, list) else []:
        if isinstance(error, dict) and isinstance(error.get("index"), Decimal):
            faults.append(
                Fault(_text(error, "pointer"), _text(error, "code"), _text(error, "message"), int(error["index"]))
            )
    return faults


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json_text.read(body)
    except json_text.NotJson:
        return {}
    return found if isinstance(found, dict) else {}


def _text(members: Mapping[str, object], name: str) -> str:
    found = members.get(name)
    return found if isinstance(found, str) else ""


def retry_after_in(header: str | None) -> float:
    """Of a Retry-After in seconds; a date, which this server never sends, is no wait of its own."""
    try:
        seconds = float(header or 0)
    except ValueError:
        return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
