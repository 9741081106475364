"""A real broker with a log of its own for each test, run by the scripts of tests/brokers."""

import os
import subprocess
import uuid

import pytest

from harness.server import ROOT

SCRIPTS = {"redis": "redis", "kafka": "kafka", "rabbitmq": "rabbitmq", "jetstream": "nats"}
SCRIPT_SECONDS_MAX = 120
NOT_HERE = 77


class Broker:
    """The server of one kind, with its data in `directory`."""

    def __init__(self, kind, directory):
        self.kind = kind
        self.directory = directory
        self.url = None

    def start(self, *settings):
        said = self._run("start", *(word for setting in settings for word in ("--set", setting)))
        self.said = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        self.url = self.said["url"]
        return self

    def stop(self):
        self._run("stop")

    def kill(self):
        self._run("kill")

    def pause(self):
        self._run("pause")

    def resume(self):
        self._run("resume")

    def log(self):
        return BrokerLog(self)

    def _run(self, verb, *arguments, text=""):
        command = [ROOT / "tests/brokers" / SCRIPTS[self.kind], verb, "--dir", self.directory, *arguments]
        # What a server goes on writing to must not be a pipe that somebody waits for the end of.
        output = self.directory.with_suffix(".said")
        with open(output, "wb") as out:
            done = subprocess.run(command, input=text.encode(), stdout=out, stderr=out, timeout=SCRIPT_SECONDS_MAX)
        said = output.read_text()
        if done.returncode == NOT_HERE and os.environ.get("CI") != "true":
            pytest.skip(f"{self.kind}: {said.strip()}")
        assert done.returncode == 0, f"{' '.join(map(str, command))}: {said}"
        return said


class BrokerLog:
    """One log on a broker: its name, how a server is configured for it, and what may befall it."""

    def __init__(self, broker):
        self.broker = broker
        kind, mark = broker.kind, uuid.uuid4().hex[:10]
        self.name = {"redis": f"events:{mark}", "jetstream": f"EVENTS{mark}"}.get(kind, f"events.{mark}")
        place = {
            "redis": {"url": broker.url, "stream": self.name},
            "kafka": {"brokers": broker.url, "topic": self.name},
            "rabbitmq": {"url": broker.url, "queue": self.name},
            "jetstream": {"url": broker.url, "stream": self.name, "subject": f"events.{mark}"},
        }[kind]
        self.config = {"log": {"kind": kind}, f"log.{kind}": place}

    def put(self, text):
        """One record from somebody else: an envelope, or anything."""
        self.broker._run("put", "--log", self.name, text=text)

    def trim(self, keep):
        self.broker._run("trim", "--log", self.name, "--keep", str(keep))

    def recreate(self):
        self.broker._run("recreate", "--log", self.name)
