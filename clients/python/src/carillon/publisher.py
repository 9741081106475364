"""Publishing over REST, blocking and with asyncio."""

import asyncio
import os
import random
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx

from carillon import rest, token
from carillon.envelope import Envelope
from carillon.errors import NoToken, Unauthorized, Unavailable
from carillon.publishing import ATTEMPTS, AsyncEventPublisher, EventPublisher, Published


def tls_context(ca: str | os.PathLike[str] | None) -> ssl.SSLContext:
    """The system's authorities, or those of the PEM file `ca` alone."""
    return ssl.create_default_context(cafile=None if ca is None else os.fspath(ca))


class Publisher(EventPublisher):
    """Publishes to a server at `https://HOST:PORT` with a token that has the grant `publish`.

    `token`: the text, a path, or a function; asked for again when it is refused. `ca`: a PEM file of authorities
    instead of the system's. `timeout` in seconds for each step of a call. `attempts`: how often a batch is sent while
    nobody takes it, 0.5 to 20 s apart by chance. Keeps one connection. One thread at a time.
    """

    def __init__(
        self,
        url: str,
        *,
        token: token.TokenSource,
        ca: str | os.PathLike[str] | None = None,
        timeout: float = rest.TIMEOUT,
        attempts: int = ATTEMPTS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(attempts=attempts, sleep=sleep, random=random)
        self._url = rest.events_url(url)
        self._source = token
        self._token: str | None = None
        self._client = httpx.Client(verify=tls_context(ca), timeout=timeout, transport=transport)

    def send(self, batch: Sequence[Envelope]) -> Published:
        had_token = self._token
        if had_token is None:
            return self._send_with(self._fresh_token(), batch)
        try:
            return self._send_with(had_token, batch)
        except Unauthorized:
            fresh = self._fresh_token()
            if fresh == had_token:
                raise
            return self._send_with(fresh, batch)

    def _fresh_token(self) -> str:
        try:
            self._token = token.fetch(self._source)
        except Exception as error:  # the caller's code, or its file
            raise _no_token(error) from error
        return self._token

    def _send_with(self, bearer: str, batch: Sequence[Envelope]) -> Published:
        try:
            answer = self._client.post(self._url, content=rest.body_of(batch), headers=rest.headers_of(bearer))
        except httpx.HTTPError as error:
            raise _unavailable(error) from error
        return rest.outcome(batch, answer.status_code, answer.headers, answer.content)

    def close(self) -> None:
        self._client.close()


class AsyncPublisher(AsyncEventPublisher):
    """`Publisher` for asyncio. `token` may be a coroutine function too."""

    def __init__(
        self,
        url: str,
        *,
        token: token.AsyncTokenSource,
        ca: str | os.PathLike[str] | None = None,
        timeout: float = rest.TIMEOUT,
        attempts: int = ATTEMPTS,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(attempts=attempts, sleep=sleep, random=random)
        self._url = rest.events_url(url)
        self._source = token
        self._token: str | None = None
        self._client = httpx.AsyncClient(verify=tls_context(ca), timeout=timeout, transport=transport)

    async def send(self, batch: Sequence[Envelope]) -> Published:
        had_token = self._token
        if had_token is None:
            return await self._send_with(await self._fresh_token(), batch)
        try:
            return await self._send_with(had_token, batch)
        except Unauthorized:
            fresh = await self._fresh_token()
            if fresh == had_token:
                raise
            return await self._send_with(fresh, batch)

    async def _fresh_token(self) -> str:
        try:
            self._token = await token.fetch_async(self._source)
        except Exception as error:  # the caller's code, or its file
            raise _no_token(error) from error
        return self._token

    async def _send_with(self, bearer: str, batch: Sequence[Envelope]) -> Published:
        try:
            answer = await self._client.post(self._url, content=rest.body_of(batch), headers=rest.headers_of(bearer))
        except httpx.HTTPError as error:
            raise _unavailable(error) from error
        return rest.outcome(batch, answer.status_code, answer.headers, answer.content)

    async def close(self) -> None:
        await self._client.aclose()


def _unavailable(error: httpx.HTTPError) -> Unavailable:
    return Unavailable(f"no answer from the server: {str(error) or type(error).__name__}")


def _no_token(error: Exception) -> NoToken:
    return NoToken(
        f"no token could be had: {error if isinstance(error, OSError | ValueError) else type(error).__name__}"
    )
