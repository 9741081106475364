"""One connection's talk with the server (protocol 2 to 6): what each message means. No I/O, no time of its own."""

import re
from dataclasses import dataclass, field

from carillon.messages import (
    PONG,
    Gap,
    Item,
    Message,
    Nonsense,
    Notification,
    Snapshot,
    count_in,
    milliseconds_in,
    position_in,
    read_message,
    read_notification,
    text_in,
)
from carillon.progress import Progress

SILENCE_BEFORE_AUTH_OK = 30.0  # seconds; a node that still reads its log lets wait
HEARTBEAT_MAX = 3600.0  # seconds; beyond, the server talks nonsense
SNAPSHOT_MAX = 100_000  # notifications


class Miscounted(Exception):
    """The server sent another number of notifications than came."""


@dataclass
class Heard:
    """What follows from one message. `position` is where the client is after the items; `is_proof`: and it is
    proved."""

    items: list[Item] = field(default_factory=list)
    position: str | None = None
    say: str | None = None
    is_authenticated: bool = False
    is_live: bool = False
    is_proof: bool = False
    wants_token: bool = False


class Dialogue:
    """`progress` is the subscription's and moved by what is heard. Raises Nonsense or Miscounted: the connection is
    to be left, and resumed from `progress`."""

    def __init__(self, progress: Progress, *, wants_snapshot: bool = True) -> None:
        self._progress = progress
        self._wants_snapshot = wants_snapshot
        self._requested = progress.position
        self._delivered = 0
        self._replayed = 0
        self._snapshot: list[Notification] = []
        self._user_id: str | None = None
        self._is_live = False
        self._is_complete = False
        self.silence_max = SILENCE_BEFORE_AUTH_OK  # seconds after which the connection counts as lost
        self.retry_after: float | None = None  # seconds, as the server last said
        self.complaint = ""  # the code of the last error message

    def hear(self, text: str | bytes) -> Heard:
        message = read_message(text)
        if self._user_id is None and message.type != "error" and message.event != "auth_ok":
            raise Nonsense("a message before auth_ok")
        match message.type, message.event:
            case "ack", "auth_ok":
                return self._on_auth_ok(message)
            case "ack", "live":
                return self._on_live(message)
            case "ack", "auth_expiring":
                return Heard(wants_token=True)
            case "ack", "shutting_down":
                self.retry_after = milliseconds_in(message.payload, "retry_after_ms")
            case "notification", _:
                return self._on_notification(message)
            case "heartbeat", "ping":
                return self._on_ping(message)
            case "error", _:
                self._on_error(message)
        return Heard()  # the others, and those of later versions, ask for nothing

    def _on_auth_ok(self, message: Message) -> Heard:
        user_id = text_in(message.payload, "user_id")
        interval = milliseconds_in(message.payload, "heartbeat_interval_ms")
        timeout = milliseconds_in(message.payload, "heartbeat_timeout_ms")
        if interval <= 0 or timeout <= 0 or interval + timeout > HEARTBEAT_MAX:
            raise Nonsense("no heartbeat that could be")
        self.silence_max = interval + timeout
        if self._user_id is not None:
            return Heard()  # of a refreshed token
        self._user_id = user_id
        return Heard(self._read_resume(message), is_authenticated=True)

    def _read_resume(self, message: Message) -> list[Item]:
        """Something that was named and is not answered counts as a gap: nobody said that all of it follows."""
        resume = message.payload.get("resume", {"complete": False})
        if not isinstance(resume, dict) or not isinstance(resume.get("complete"), bool):
            raise Nonsense("an answer to a resume that says nothing")
        if self._requested is None:
            return []
        self._is_complete = resume["complete"]
        reason = resume.get("reason")
        return [] if self._is_complete else [Gap(self._requested, reason if isinstance(reason, str) else "unknown")]

    def _on_notification(self, message: Message) -> Heard:
        position = position_in(message.members, "id")
        notification = read_notification(message, self._user_id or "")
        self._delivered += 1
        if message.members.get("snapshot") is True:
            return self._on_part_of_snapshot(notification)
        if not self._is_live and not self._is_complete:
            raise Nonsense("an event from before live that nobody asked for")
        self._replayed += 0 if self._is_live else 1
        is_new = self._progress.take(position)
        return Heard([notification] if notification is not None and is_new else [], position)

    def _on_part_of_snapshot(self, notification: Notification | None) -> Heard:
        if self._is_live or self._is_complete:
            raise Nonsense("a snapshot that nobody asked for")
        if len(self._snapshot) == SNAPSHOT_MAX:
            raise Nonsense("a snapshot without an end")
        if notification is not None:
            self._snapshot.append(notification)
        return Heard()

    def _on_live(self, message: Message) -> Heard:
        if self._is_live:
            raise Nonsense("live a second time")
        position = position_in(message.payload, "position")
        if count_in(message.payload, "replayed") != self._replayed:
            raise Miscounted("live counts other notifications than came")
        self._is_live = True
        self._progress.prove(position)
        snapshot = Snapshot(tuple(self._snapshot), position)
        self._snapshot = []
        return Heard(
            [snapshot] if self._wants_snapshot and not self._is_complete else [], position, is_live=True, is_proof=True
        )

    def _on_ping(self, message: Message) -> Heard:
        position = position_in(message.payload, "position")
        if count_in(message.payload, "delivered") != self._delivered:
            raise Miscounted("the heartbeat counts other notifications than came")
        if not self._is_live and not self._is_complete:
            return Heard(say=PONG)  # within a snapshot: only its end says what it is true for
        self._progress.prove(position)
        return Heard(position=position, is_proof=True, say=PONG)

    def _on_error(self, message: Message) -> None:
        code = message.payload.get("code")
        self.complaint = code if isinstance(code, str) else ""
        if "retry_after_ms" in message.payload:
            self.retry_after = milliseconds_in(message.payload, "retry_after_ms")

    def retry_after_of(self, reason: str) -> float | None:
        """Seconds, as the server said last: in the reason of the close frame, or in a message before it."""
        told = re.search(r"retry_after_ms=([0-9]+)", reason)
        return int(told[1]) / 1000 if told else self.retry_after
