"""Publishing into the NATS JetStream log that Carillon follows (protocol 8.7). Needs the extra `carillon[nats]`."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from carillon.envelope import Envelope
from carillon.errors import MissingExtra, Rejected, Unavailable
from carillon.publishing import ATTEMPTS, AsyncEventPublisher, Published

try:
    import nats
    from nats.aio.client import Client
    from nats.errors import AuthorizationError, Error, MaxPayloadError
    from nats.js.errors import APIError
except ImportError as error:
    raise MissingExtra("publishing to NATS needs the package nats-py: pip install 'carillon[nats]'") from error

STREAM = "CARILLON"
SUBJECT = "carillon.events"
TIMEOUT = 10.0  # seconds, for connecting and for each acknowledgement


class NatsPublisher(AsyncEventPublisher):
    """Publishes to JetStream, one after the other, each acknowledged by the stream that stored it.

    `url` such as nats://host:4222 or tls://...; the stream must be there, Carillon makes it. `options` are given to
    nats-py's connect.
    """

    def __init__(
        self,
        url: str,
        *,
        stream: str = STREAM,
        subject: str = SUBJECT,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
        **options: Any,
    ) -> None:
        super().__init__(attempts=attempts, sleep=sleep, random=random)
        self._url = url
        self._stream = stream
        self._subject = subject
        # We connect again ourselves: the library would go on for two minutes, and keep what was published meanwhile.
        once = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0}
        self._options: dict[str, Any] = once | {"connect_timeout": TIMEOUT, "error_cb": _ignore} | options
        self._connection: Client | None = None

    async def send(self, batch: Sequence[Envelope]) -> Published:
        duplicates = 0
        try:
            log = (await self._connected()).jetstream()
            for envelope in batch:
                stored = await log.publish(
                    self._subject,
                    envelope.json,
                    timeout=TIMEOUT,
                    stream=self._stream,
                    headers={"Nats-Msg-Id": envelope.id},
                )
                duplicates += 1 if stored.duplicate else 0
        except (AuthorizationError, MaxPayloadError) as error:
            await self.close()
            raise Rejected(f"NATS: {error}") from error
        except (Error, APIError, OSError) as error:
            await self.close()
            raise Unavailable(f"NATS: {type(error).__name__}: {error}") from error
        return Published(len(batch) - duplicates, duplicates, None, tuple(envelope.id for envelope in batch))

    async def _connected(self) -> Client:
        if self._connection is None or not self._connection.is_connected:
            self._connection = await nats.connect(self._url, **self._options)
        return self._connection

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


async def _ignore(_: Exception) -> None:
    """What the library would print; `send` raises it."""
