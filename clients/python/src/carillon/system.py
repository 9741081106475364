"""Time, chance and connections, as a subscription needs them: the one seam between it and the world."""

import asyncio
import logging
import os
import random
import time
from typing import Protocol

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from carillon.publisher import tls_context
from carillon.rest import retry_after_in

MESSAGE_BYTES_MAX = 1024 * 1024  # a payload is at most 256 KiB
CLOSE_TIMEOUT = 2.0  # seconds

# The library's own log tells headers at level DEBUG, and with them the token.
_silent = logging.getLogger("carillon.websocket")
_silent.setLevel(logging.INFO)


class ConnectionEnded(Exception):
    """By the server, with a close code, or broken: None."""

    def __init__(self, code: int | None, reason: str = "") -> None:
        super().__init__(f"closed with {code}: {reason}" if code else "the connection broke")
        self.code = code
        self.reason = reason


class UpgradeRefused(Exception):
    """HTTP instead of a WebSocket (protocol 7.4). `retry_after` in seconds, where it was said."""

    def __init__(self, status: int, retry_after: float | None = None) -> None:
        super().__init__(f"the upgrade was refused with {status}")
        self.status = status
        self.retry_after = retry_after


class Connection(Protocol):
    async def receive(self, timeout: float) -> str | bytes:
        """The next message. Raises TimeoutError after `timeout` seconds, ConnectionEnded."""

    async def send(self, text: str) -> None:
        """Raises ConnectionEnded."""

    async def close(self) -> None:
        """Says good-bye with 1000, and does not wait long for an answer."""

    def drop(self) -> None:
        """At once, and without a word."""


class System(Protocol):
    def now(self) -> float:
        """Monotonic, in seconds."""

    def random(self) -> float:
        """0 to 1."""

    async def sleep(self, seconds: float) -> None: ...

    async def connect(self, url: str, token: str, timeout: float) -> Connection:
        """Raises UpgradeRefused, or OSError (TimeoutError is one) when there is no connection."""


class WebSocketConnection:
    """A `Connection` of the websockets library. What is not received yet waits in the socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def receive(self, timeout: float) -> str | bytes:
        try:
            async with asyncio.timeout(timeout):
                return await self._socket.recv()
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except ConnectionClosed as closed:
            raise _ended(closed) from None

    async def close(self) -> None:
        await self._socket.close()

    def drop(self) -> None:
        self._socket.transport.abort()


class _Connect(connect):
    """Follows no redirect, which might take the token to another server."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class RealSystem:
    """`ca`: a PEM file of authorities instead of the system's."""

    def __init__(self, ca: str | os.PathLike[str] | None) -> None:
        self._tls = tls_context(ca)

    def now(self) -> float:
        return time.monotonic()

    def random(self) -> float:
        return random.random()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def connect(self, url: str, token: str, timeout: float) -> Connection:
        try:
            async with asyncio.timeout(timeout):
                socket = await _Connect(
                    url,
                    ssl=self._tls,
                    additional_headers={"Authorization": f"Bearer {token}"},
                    compression=None,
                    ping_interval=None,
                    open_timeout=None,
                    close_timeout=CLOSE_TIMEOUT,
                    max_size=MESSAGE_BYTES_MAX,
                    logger=_silent,
                )
        except InvalidStatus as refused:
            response = refused.response
            raise UpgradeRefused(response.status_code, retry_after_in(response.headers.get("Retry-After"))) from None
        except (InvalidHandshake, EOFError) as error:
            raise ConnectionError(str(error)) from error
        return WebSocketConnection(socket)


def _ended(closed: ConnectionClosed) -> ConnectionEnded:
    """Only what the server said counts: our own close frame says nothing about it."""
    return ConnectionEnded(closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else ConnectionEnded(None)
