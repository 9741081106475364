"""A server that says what a row of contract/vectors/client_faults.json says, in a world whose clock stands still but
for the waits that a client asks for."""

import asyncio
import json

from carillon.messages import Notification, Snapshot
from carillon.subscription import State, subscribe
from carillon.system import ConnectionEnded, UpgradeRefused

TURNS = 20  # of the event loop, which is more than any answer here takes
EPSILON = 1e-6  # seconds; the clock adds up floats


class RowFailed(AssertionError):
    pass


def check(holds, what):
    if not holds:
        raise RowFailed(what)


async def turns():
    for _ in range(TURNS):
        await asyncio.sleep(0)


class ScriptedConnection:
    def __init__(self, server, plan):
        self._server = server
        self._steps = list(plan["steps"])
        self._sent = []
        self._read = 0
        self.is_closed = False

    async def receive(self, timeout):
        """Plays the steps up to the next one that the client hears of."""
        left = timeout
        while self._steps:
            step = self._steps.pop(0)
            if "send" in step:
                return self._server.messages[step["send"]] * step.get("times", 1)
            if "send_binary" in step:
                return bytes.fromhex(step["send_binary"])
            if "expect" in step:
                await self._expect(step["expect"])
            elif "silence_ms" in step:
                silence = step["silence_ms"] / 1000
                self._server.clock += min(silence, left)
                if silence >= left - EPSILON:
                    raise TimeoutError
                left -= silence
            elif "close" in step:
                self._server.on_end()
                raise ConnectionEnded(None if step["close"] == 1005 else step["close"], step["reason"])
            elif "drop" in step:
                self._server.on_end()
                raise ConnectionEnded(None)
            else:
                raise RowFailed(f"the client is still there at {step}")
        self._server.on_stay()
        await asyncio.Event().wait()

    async def _expect(self, members):
        await turns()
        while self._read < len(self._sent):
            message = json.loads(self._sent[self._read])
            self._read += 1
            if members.items() <= message.items():
                return
        raise RowFailed(f"the client has not sent {members}")

    async def send(self, text):
        check(not self.is_closed, "something is sent after the end")
        self._sent.append(text)

    async def close(self):
        self.drop()

    def drop(self):
        if not self.is_closed and self._steps:
            step = self._steps.pop(0)
            check("client_closes" in step, f"the client closes before {step}")
            self._server.on_end()
        self.is_closed = True


class ScriptedSystem:
    """The `System` of one row."""

    def __init__(self, row, messages):
        self.messages = messages
        self.clock = 1000.0
        self.query = ""  # of a connection that names no position
        self._plans = list(row["connections"])
        self._plan = None
        self._ended_at = None
        self._tokens = 0
        self._token = None
        self.failure = None
        self.finished = asyncio.Event()

    def now(self):
        return self.clock

    def random(self):
        return 0.5

    def token(self):
        self._tokens += 1
        return f"token-{self._tokens}"

    async def sleep(self, seconds):
        self.clock += seconds
        if not self._plans:
            self._finish(self._check_wait)
            await asyncio.Event().wait()

    async def connect(self, url, token, timeout):
        try:
            return self._connect(url, token, timeout)
        except RowFailed as failure:
            self.failure = failure
            self.finished.set()
            await asyncio.Event().wait()

    def _connect(self, url, token, timeout):
        if self._plan is not None:
            self._check_wait()
        check(self._plans, "nobody was to connect again")
        self._plan = plan = self._plans.pop(0)
        query = f"?resume={plan['resume']}" if plan["resume"] else self.query
        check(url == f"wss://fake/v1/stream{query}", f"connects to {url}")
        check(not plan.get("new_token") or token != self._token, "the token is the old one")
        self._token = token
        first = plan["steps"][0] if plan["steps"] else {}
        if "refuse" in first:
            self.on_end()
            raise UpgradeRefused(first["refuse"]) if first["refuse"] else ConnectionRefusedError()
        if "hold" in first:
            self.clock += timeout
            check(abs(timeout - plan["steps"][1]["silence_ms"] / 1000) < EPSILON, f"waits {timeout} s for the upgrade")
            self.on_end()
            raise TimeoutError
        return ScriptedConnection(self, plan)

    def _check_wait(self):
        waited, then = self.clock - self._ended_at, self._plan["then"]
        if then == "at_once":
            check(waited == 0, f"comes after {waited} s instead of at once")
        elif then == "backed_off":
            check(0 < waited <= 20, f"comes after {waited} s")
        elif isinstance(then, dict):
            check(abs(waited - then["after_ms"] / 1000) < EPSILON, f"comes after {waited} s instead of {then}")
        else:
            raise RowFailed(f"comes again although it {then}")

    def on_end(self):
        self._ended_at = self.clock

    def on_stay(self):
        def stays():
            check(self._plan["then"] == "stays", "the row goes on after its steps")
            check(not self._plans, "the client did not leave")

        self._finish(stays)

    def _finish(self, is_right):
        try:
            is_right()
        except RowFailed as failure:
            self.failure = failure
        self.finished.set()

    def expects_refusal(self):
        return self._plan["then"] == "none" and not self._plans


class Seen:
    """What a row's application got."""

    def __init__(self):
        self.states = ["connecting"]
        self.handed_over = []
        self.snapshots = []
        self.gaps = []
        self.refused = None

    def take(self, item):
        if isinstance(item, Notification):
            self.handed_over.append(item.position)
        elif isinstance(item, Snapshot):
            self.snapshots.append([each.position for each in item.notifications])
        else:
            self.gaps.append(item.reason)


async def play(row, messages):
    system = ScriptedSystem(row, messages)
    seen = Seen()
    subscription = subscribe(
        "https://fake",
        token=system.token,
        system=system,
        on_state=lambda state: seen.states.append(str(state)) if state is not State.CLOSED else None,
    )

    async def read():
        async with subscription:
            async for item in subscription:
                seen.take(item)

    reader = asyncio.create_task(read())
    finished = asyncio.create_task(system.finished.wait())
    await asyncio.wait([reader, finished], return_when=asyncio.FIRST_COMPLETED)
    await turns()
    if reader.done():
        seen.refused = reader.exception()
    for task in (reader, finished):
        task.cancel()
    await asyncio.wait([reader, finished])
    if system.failure is not None:
        raise system.failure
    return seen, system
