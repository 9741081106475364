"""Receiving events as an async iterator that comes back by itself, and misses and repeats nothing."""

import asyncio
import logging
import os
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from urllib.parse import urlencode, urlsplit, urlunsplit

from carillon.close_codes import Action, action_for_close, action_for_status
from carillon.dialogue import SILENCE_BEFORE_AUTH_OK, Dialogue, Heard, Miscounted
from carillon.errors import Refused
from carillon.messages import Item, Nonsense, token_message
from carillon.progress import Progress
from carillon.reconnection import Reconnection
from carillon.system import Connection, ConnectionEnded, RealSystem, System, UpgradeRefused
from carillon.token import AsyncTokenSource, fetch_async

_log = logging.getLogger("carillon.subscription")

BUFFER = 1024  # items; while so many wait for the caller, nothing is read from the socket


class State(StrEnum):
    CONNECTING = "connecting"  # never been live yet
    CATCHING_UP = "catching-up"  # the server took the token; what was missed, or the snapshot, is coming
    LIVE = "live"
    STALE = "stale"  # was live; what is shown may be old
    REFUSED = "refused"  # nothing is tried until the caller iterates again
    CLOSED = "closed"  # by the caller


@dataclass(frozen=True)
class _End:
    """Why there is no connection any more, or none yet."""

    action: Action
    code: int
    reason: str
    retry_after: float | None = None


@dataclass
class _Entry:
    """Something to hand over. `position`: where the caller is once it was handled, and `is_proved` whether that is
    before the last proof (see Progress)."""

    item: Item
    position: str | None
    is_proved: bool = False


def stream_url(url: str, resume: str | None, wants_snapshot: bool) -> str:
    """The stream's address (protocol 1) for `https://HOST:PORT` or `wss://...`. Raises ValueError for another
    scheme."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "wss") or not parts.netloc:
        raise ValueError(f"the server's URL begins with https:// or wss://, not {url!r}")
    asked = {} if resume is None else {"resume": resume}
    if not wants_snapshot:
        asked["snapshot"] = "false"
    path = parts.path.rstrip("/").removesuffix("/v1/stream") + "/v1/stream"
    return urlunsplit(("wss", parts.netloc, path, urlencode(asked), ""))


class Subscription:
    """What `subscribe` gives: `async for item in subscription`.

    Each notification is handed over once and in order, over any number of connections. Leaving the loop closes it,
    unless it was entered by `async with`, which closes it at its end. Raises `Refused` when the server says no for
    good; iterating again then tries again. One loop at a time, on one event loop.
    """

    def __init__(
        self,
        url: str,
        token: AsyncTokenSource,
        system: System,
        *,
        resume: str | None,
        snapshot: bool,
        on_state: Callable[[State], None] | None,
        buffer: int,
    ) -> None:
        stream_url(url, resume, snapshot)  # a wrong one is told at once
        self._url = url
        self._source = token
        self._token: str | None = None
        self._system = system
        self._wants_snapshot = snapshot
        self._on_state = on_state
        self._buffer_max = buffer
        self._progress = Progress(resume)
        self._reconnection = Reconnection(system.random)
        self._entries: deque[_Entry] = deque()
        self._pending: _Entry | None = None  # with the caller
        self._position = resume
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._refusal: Refused | None = None
        self._state = State.CONNECTING
        self._was_live = False
        self._is_entered = False
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        return self._state

    @property
    def position(self) -> str | None:
        """Everything up to here has been handled: an item counts as handled when the next one is asked for. To be
        kept, and given to `subscribe` as `resume` by the next process."""
        return self._position

    async def close(self) -> None:
        """Ends the connection and the iteration. What was not handed over is forgotten."""
        if self._state is State.CLOSED:
            return
        self._set_state(State.CLOSED)
        await self._stop()
        self._entries.clear()
        self._changed.set()

    async def __aenter__(self) -> Self:
        self._is_entered = True
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Item]:
        self._begin()
        try:
            while (item := await self._next()) is not None:
                yield item
        finally:
            if not self._is_entered and self._state is not State.REFUSED:
                await self.close()

    # --- the caller's side -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        if self._state is State.REFUSED and self._refusal is None:
            self._reconnection.begin_anew()
            self._token = None
            self._set_state(State.STALE if self._was_live else State.CONNECTING)
        if self._state is not State.CLOSED and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._run(), name="carillon-subscription")

    async def _next(self) -> Item | None:
        if self._pending is not None:
            self._position = self._pending.position or self._position
            self._pending = None
        while not self._entries:
            if self._state is State.CLOSED:
                return None
            if self._refusal is not None:
                refusal, self._refusal = self._refusal, None
                raise refusal
            if self._task is not None and self._task.done():
                self._task.result()  # only what the caller's own on_state raised
            self._changed.clear()
            await self._changed.wait()
        self._pending = self._entries.popleft()
        self._room.set()
        return self._pending.item

    # --- the connection's side -------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while True:
                end = await self._attempt()
                following = self._reconnection.after(end.action, end.retry_after, self._system.now())
                if following is None:
                    return self._refuse(end)
                self._set_state(State.STALE if self._was_live else State.CONNECTING)
                _log.info("%s; connecting again in %.1f s", end.reason, following.seconds)
                if following.wants_token:
                    self._token = None
                if following.seconds > 0:
                    await self._system.sleep(following.seconds)
        finally:
            self._changed.set()

    def _refuse(self, end: _End) -> None:
        _log.warning("refused: %s", end.reason)
        self._refusal = Refused(end.code, end.reason, self._progress.position)
        self._set_state(State.REFUSED)

    async def _attempt(self) -> _End:
        """One connection, from its beginning to its end."""
        try:
            if self._token is None:
                self._token = await fetch_async(self._source)
        except Exception as error:  # the caller's code, or its file: it may work the next time
            return _End(Action.BACK_OFF, 0, f"no token: {type(error).__name__}")
        url = stream_url(self._url, self._progress.position, self._wants_snapshot)
        try:
            connection = await self._system.connect(url, self._token, SILENCE_BEFORE_AUTH_OK)
        except UpgradeRefused as refused:
            return _End(action_for_status(refused.status), refused.status, str(refused), refused.retry_after)
        except OSError as error:
            return _End(Action.BACK_OFF, 0, f"no connection: {str(error) or type(error).__name__}")
        try:
            return await self._converse(connection)
        finally:
            if self._state is State.CLOSED:
                await connection.close()
            else:
                connection.drop()

    async def _converse(self, connection: Connection) -> _End:
        dialogue = Dialogue(self._progress, wants_snapshot=self._wants_snapshot)
        refresh: asyncio.Task[None] | None = None
        try:
            while True:
                heard = dialogue.hear(await connection.receive(dialogue.silence_max))
                if heard.say is not None:
                    await connection.send(heard.say)
                if heard.wants_token and (refresh is None or refresh.done()):
                    refresh = asyncio.create_task(self._refresh(connection), name="carillon-token")
                self._note(heard)
                await self._hand_over(heard)
        except ConnectionEnded as ended:
            reason = " ".join(filter(None, [str(ended), dialogue.complaint]))
            return _End(action_for_close(ended.code), ended.code or 0, reason, dialogue.retry_after_of(ended.reason))
        except TimeoutError:
            return _End(Action.BACK_OFF, 0, "the server is silent", dialogue.retry_after)
        except Miscounted as fault:
            self._doubt()
            return _End(Action.BACK_OFF, 0, str(fault))
        except Nonsense as fault:
            return _End(Action.BACK_OFF, 0, f"the server sent nonsense: {fault}")
        finally:
            if refresh is not None:
                refresh.cancel()

    def _note(self, heard: Heard) -> None:
        if heard.is_authenticated:
            self._reconnection.on_auth_ok()
            self._set_state(State.CATCHING_UP)
        if heard.is_live:
            self._was_live = True
            self._reconnection.on_live(self._system.now())
            self._set_state(State.LIVE)

    async def _hand_over(self, heard: Heard) -> None:
        for item in heard.items:
            self._entries.append(_Entry(item, heard.position))
            self._changed.set()
        if not heard.items and heard.position is not None:
            self._move(heard.position)
        if heard.is_proof:
            for entry in self._outstanding():
                entry.is_proved = True
        while len(self._entries) >= self._buffer_max:
            self._room.clear()
            await self._room.wait()

    def _move(self, position: str) -> None:
        """Nothing to hand over, and yet we are further: once all before it was handled."""
        last = self._entries[-1] if self._entries else self._pending
        if last is not None:
            last.position = position
        else:
            self._position = position

    def _outstanding(self) -> list[_Entry]:
        """What the caller has not handled yet, in order."""
        return [*([self._pending] if self._pending else []), *self._entries]

    def _doubt(self) -> None:
        """Something is missing since the last proof. Until it came, another process would have to begin there too; but
        not before the caller has handled what is before it."""
        self._progress.doubt()
        proved = [entry for entry in self._outstanding() if entry.is_proved]
        for entry in self._outstanding()[len(proved) :]:
            entry.position = None
        if proved:
            proved[-1].position = self._progress.position
        else:
            self._position = self._progress.position

    async def _refresh(self, connection: Connection) -> None:
        """Protocol 2.6. Where it fails the session ends at the token's expiry, and another token is asked for then."""
        try:
            token = await fetch_async(self._source)
            if token == self._token:
                return
            self._token = token
            await connection.send(token_message(token))
        except ConnectionEnded:
            return
        except Exception as error:  # the caller's code, or its file
            _log.warning("the token was not refreshed: %s", type(error).__name__)

    def _set_state(self, state: State) -> None:
        if state is self._state:
            return
        self._state = state
        if self._on_state is not None:
            self._on_state(state)

    async def _stop(self) -> None:
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait([self._task])


def subscribe(
    url: str,
    *,
    token: AsyncTokenSource,
    ca: str | os.PathLike[str] | None = None,
    resume: str | None = None,
    snapshot: bool = True,
    on_state: Callable[[State], None] | None = None,
    buffer: int = BUFFER,
    system: System | None = None,
) -> Subscription:
    """Receives what the token's user may see from the server at `https://HOST:PORT`.

    `token`: the text, a path, a coroutine function, or a function that does not block; a new one is asked for before
    the old one expires.
    `ca`: a PEM file of authorities instead of the system's. `resume`: the `position` at which an earlier subscription
    stopped. `snapshot=False`: begins with what is new, also after a Gap. `on_state` is called with each new state.
    `buffer`: how many items may wait for the caller; beyond, the server is made to wait and may close with 4420, from
    which the subscription comes back by itself.

    Items: `Notification`, `Snapshot` (the state to begin from), and `Gap` (before what follows it, some is lacking).
    """
    real = system or RealSystem(ca)
    return Subscription(url, token, real, resume=resume, snapshot=snapshot, on_state=on_state, buffer=buffer)
