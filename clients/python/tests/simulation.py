"""A server with a log, in one loop and with time that only waits move. A seed says what goes wrong, and when."""

import asyncio
import json
import random
from urllib.parse import parse_qs, urlsplit

from carillon.system import ConnectionEnded, UpgradeRefused

CODES = [None, None, None, 1000, 1001, 1011, 1012, 1013, 3000, 4401, 4408, 4411, 4419, 4420, 4429]
SNAPSHOT_ALERTS = 3  # the state: the latest of them


def position(index):
    return f"p{index}"


def index_of(position):
    return int(position[1:])


def message(kind, event, payload, **more):
    return json.dumps(
        {"type": kind, "event": event, "timestamp": "2026-11-22T12:00:00.000Z", **more, "payload": payload}
    )


def notification(index, **marks):
    alert = {"alert_id": position(index), "level": "ERROR", "message": "m"}
    return message("notification", "system_alert", alert, id=position(index), **marks)


class World:
    """The `System` of one seed, and the log behind it: events 1 to `published`; those up to `trimmed` are gone.

    `may_skip`: some notifications are counted and not sent. Such a connection goes on until a heartbeat was read,
    because before one nobody could know.
    """

    def __init__(self, seed, steps, *, may_skip):
        self.chance = random.Random(seed)
        self.steps_left = steps
        self.may_skip = may_skip
        self.clock = 0.0
        self.waits = []
        self.published = 0
        self.trimmed = 0
        self.connections = 0
        self.tokens = 0
        self.all_sent = asyncio.Event()

    @property
    def is_calm(self):
        return self.steps_left <= 0

    def happens(self, one_in):
        return not self.is_calm and self.chance.randrange(one_in) == 0

    def now(self):
        return self.clock

    def random(self):
        return self.chance.random()

    def token(self):
        self.tokens += 1
        return f"token-{self.tokens}"

    async def sleep(self, seconds):
        self.clock += seconds
        self.waits.append(seconds)
        self.publish(self.chance.randrange(4))
        if self.happens(8):
            self.trimmed = self.published
        await asyncio.sleep(0)

    async def connect(self, url, token, timeout):
        self.steps_left -= 1
        if self.happens(8):
            raise self.chance.choice(
                [UpgradeRefused(503, 1.0), UpgradeRefused(502), ConnectionRefusedError(), TimeoutError()]
            )
        self.connections += 1
        asked = parse_qs(urlsplit(url).query)
        self._connection = Connection(self, asked["resume"][0] if "resume" in asked else None)
        return self._connection

    @property
    def has_secret(self):
        """Something was skipped, and no heartbeat has told of it yet."""
        return self._connection.has_skipped

    def publish(self, count):
        if not self.is_calm:
            self.published += count


class Connection:
    def __init__(self, world, resume):
        self._world = world
        self._delivered = 0
        self.has_skipped = False
        self._is_open = True
        self._script = self._beginning(resume)

    def _beginning(self, resume):
        """What is sent until `live`; `_sent` is then how far the client has been brought."""
        world = self._world
        is_complete = resume is not None and index_of(resume) >= world.trimmed
        payload = {"session_id": "s", "user_id": "alice", "grants": [], "expires_at": "2026-11-22T13:00:00.000Z"}
        payload |= {"heartbeat_interval_ms": 20_000, "heartbeat_timeout_ms": 10_000}
        if resume is not None:
            payload["resume"] = {"requested": resume, "complete": is_complete}
            payload["resume"] |= {} if is_complete else {"reason": "trimmed"}
        yield message("ack", "auth_ok", payload)
        self._sent = index_of(resume) if is_complete else world.published
        replayed = 0
        if is_complete:
            while self._sent < world.published:
                yield from self._next(replayed=True)
                replayed += 1
        else:
            for index in range(max(1, world.published - SNAPSHOT_ALERTS + 1), self._sent + 1):
                self._delivered += 1
                yield notification(index, snapshot=True)
        yield message("ack", "live", {"position": position(self._sent), "replayed": replayed})
        yield from self._live()

    def _live(self):
        world = self._world
        while True:
            world.publish(world.chance.randrange(3))
            if self._sent < world.published:
                yield from self._next()
                if world.happens(10):  # the same again; it counts
                    self._delivered += 1
                    yield notification(self._sent)
            if world.is_calm and self._sent == world.published:
                yield self._ping()
                world.all_sent.set()
                yield None
            elif world.happens(4):
                yield self._ping()

    def _next(self, **marks):
        self._sent += 1
        self._delivered += 1
        if self._world.may_skip and self._world.happens(8) and not marks:
            self.has_skipped = True
        else:
            yield notification(self._sent, **marks)

    def _ping(self):
        self.has_skipped = False
        return message("heartbeat", "ping", {"position": position(self._sent), "delivered": self._delivered})

    async def receive(self, timeout):
        assert self._is_open
        world = self._world
        world.steps_left -= 1
        for _ in range(world.chance.randrange(3)):
            await asyncio.sleep(0)
        if not self.has_skipped:
            self._fail(timeout)
        text = next(self._script)
        if text is None:
            await asyncio.Event().wait()
        return text

    def _fail(self, timeout):
        world = self._world
        if world.happens(12):
            code = world.chance.choice(CODES)
            # The first token is good; a refusal of a fresh one, before auth_ok, would be the end.
            raise ConnectionEnded(None if code == 4401 and not self._delivered else code, "retry_after_ms=700")
        if world.happens(40):
            world.clock += timeout
            raise TimeoutError

    async def send(self, text):
        assert self._is_open

    async def close(self):
        self._is_open = False

    def drop(self):
        self._is_open = False
