"""A well-behaved client on the `websockets` package: what an ordinary user of the stream sees.

All of them run on one event loop in a thread of its own. The package's client for threads reads and writes one TLS object
from two threads, which OpenSSL does not allow: now and then a request was lost.
"""

import asyncio
import json
import threading
import time
import urllib.parse

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, daemon=True).start()


def beginning(resume, snapshot):
    """The query that asks for that beginning of a session (protocol 1.2); `resume` None names no position."""
    asked = {} if resume is None else {"resume": resume}
    if not snapshot:
        asked["snapshot"] = "false"
    return "?" + urllib.parse.urlencode(asked) if asked else ""


def _run(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, _loop).result()


class Stream:
    """One connection, authenticated by carrier a, b or c; `auth_ok` and `live` hold the acknowledgements once they came.
    What a session begins with is asked for by the query, or with carrier c in the token's message."""

    def __init__(
        self, url, context, token, carrier="a", headers=(), origin=None, resume=None, snapshot=True, query=None
    ):
        options = {
            "ssl": context,
            "compression": None,
            "ping_interval": None,
            "open_timeout": 10,
            "proxy": None,
            "max_queue": 4096,
            "origin": origin,
            "additional_headers": dict(headers),
        }
        if carrier == "a":
            options["additional_headers"]["Authorization"] = f"Bearer {token}"
        if carrier == "b":
            options["subprotocols"] = ["carillon.v1", f"carillon.bearer.{token}"]
        if query is None:
            query = "" if carrier == "c" else beginning(resume, snapshot)
        self._socket = _run(self._open(url + "/v1/stream" + query, options))
        self.counted = 0  # notifications received, as 4.2 counts them
        self.last_position = None
        self.auth_ok = None
        self.live = None
        if carrier == "c":
            self.authenticate(token, **({} if resume is None else {"resume": resume}), snapshot=snapshot)

    @staticmethod
    async def _open(url, options):
        return await connect(url, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        _run(self._socket.close())

    def authenticate(self, token, **more):
        self.send({"type": "auth", "event": "token", "payload": {"token": token, **more}})

    def expect_auth_ok(self, timeout=5.0):
        self.auth_ok = self.next(timeout)
        assert self.auth_ok["type"] == "ack" and self.auth_ok["event"] == "auth_ok", self.auth_ok
        return self

    def catch_up(self, timeout=5.0):
        """Reads up to the `live` acknowledgement; returns and keeps the notifications before it."""
        deadline = time.monotonic() + timeout
        self.caught_up = []
        while self.live is None:
            message = self.next(deadline - time.monotonic())
            if message["type"] == "notification":
                self.caught_up.append(message)
            if (message["type"], message["event"]) == ("ack", "live"):
                self.live = message
        return self.caught_up

    def received(self, position):
        """A receipt (protocol 6.5)."""
        self.send({"type": "ack", "event": "received", "payload": {"id": position}})

    def send(self, message):
        _run(self._socket.send(message if isinstance(message, str) else json.dumps(message)))

    def next_text(self, timeout=5.0):
        """The next message as it came over the wire. Answers the server's pings, as every client should."""
        text = _run(asyncio.wait_for(self._socket.recv(), max(timeout, 0.001)))
        message = json.loads(text)
        if (message["type"], message["event"]) == ("heartbeat", "ping"):
            self._answer_ping()
        if message["type"] == "notification":
            self.counted += 1
            self.last_position = message["id"]
        return text

    def _answer_ping(self):
        try:
            self.send({"type": "heartbeat", "event": "pong"})
        except ConnectionClosed:
            pass  # what was received before the end is still read

    def next(self, timeout=5.0):
        return json.loads(self.next_text(timeout))

    def next_of(self, event, timeout=5.0):
        """The next message with that `event`; skips others."""
        deadline = time.monotonic() + timeout
        while True:
            message = self.next(deadline - time.monotonic())
            if message["event"] == event:
                return message

    def notification(self, timeout=5.0):
        """The next notification; skips heartbeats and acknowledgements."""
        return json.loads(self.notification_text(timeout))

    def notification_text(self, timeout=5.0):
        deadline = time.monotonic() + timeout
        while True:
            text = self.next_text(deadline - time.monotonic())
            if json.loads(text)["type"] == "notification":
                return text

    def notifications(self, count, timeout=5.0):
        deadline = time.monotonic() + timeout
        return [self.notification(deadline - time.monotonic()) for _ in range(count)]

    def until_closed(self, timeout=5.0):
        """(close code, the messages before it)."""
        code, messages = self.until_ended(timeout)
        assert code is not None, "the connection ended without a close frame"
        return code, messages

    def until_ended(self, timeout=5.0):
        """(close code or None, the messages before it): the connection may also just break."""
        deadline = time.monotonic() + timeout
        messages = []
        try:
            while True:
                messages.append(self.next(deadline - time.monotonic()))
        except ConnectionClosed as closed:
            return closed.rcvd and closed.rcvd.code, messages
