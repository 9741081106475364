"""Publishing into the Redis stream that Carillon follows (protocol 8.7). Needs the extra `carillon[redis]`."""

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

from carillon.envelope import Envelope
from carillon.errors import MissingExtra, Rejected, Unavailable
from carillon.publishing import ATTEMPTS, EventPublisher, Published

try:
    import redis
    from redis.exceptions import (
        AuthenticationError,
        ConnectionError,
        OutOfMemoryError,
        ReadOnlyError,
        RedisError,
        TimeoutError,
    )
except ImportError as error:
    raise MissingExtra("publishing to Redis needs the package redis: pip install 'carillon[redis]'") from error

STREAM = "carillon:events"
TIMEOUT = 10.0  # seconds, for connecting and for an answer

_MAY_SUCCEED_LATER = (ConnectionError, TimeoutError, OutOfMemoryError, ReadOnlyError)


class RedisPublisher(EventPublisher):
    """Appends with XADD, a batch as one transaction. How durable that is Redis is configured for (`appendfsync
    always`).

    `url` as redis-py takes it, such as redis://host:6379/0 or rediss://...; `options` are given to redis-py. `maxlen`
    bounds the stream, about so many events; None leaves that to others.
    """

    def __init__(
        self,
        url: str,
        *,
        stream: str = STREAM,
        maxlen: int | None = None,
        attempts: int = ATTEMPTS,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
        **options: Any,
    ) -> None:
        super().__init__(attempts=attempts, sleep=sleep, random=random)
        self._stream = stream
        self._maxlen = maxlen
        timeouts = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
        self._client = redis.Redis.from_url(url, **(timeouts | options))

    def send(self, batch: Sequence[Envelope]) -> Published:
        # All of them or none: were one left out and sent again later, it would stand behind those that came after it.
        pipeline = self._client.pipeline(transaction=True)
        for envelope in batch:
            pipeline.xadd(self._stream, {"event": envelope.json}, maxlen=self._maxlen, approximate=True)
        try:
            pipeline.execute()
        except AuthenticationError as error:
            raise Rejected(f"Redis: {error}") from error
        except _MAY_SUCCEED_LATER as error:
            raise Unavailable(f"Redis: {error}") from error
        except RedisError as error:
            raise Rejected(f"Redis: {error}") from error
        return Published(len(batch), 0, None, tuple(envelope.id for envelope in batch))

    def close(self) -> None:
        self._client.close()
