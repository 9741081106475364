"""The real broker of a campaign, with its data in a folder, run by its script of tests/brokers."""

import shutil
import subprocess
import time
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[1] / "brokers"
SCRIPT_OF = {"redis": "redis", "kafka": "kafka", "rabbitmq": "rabbitmq", "jetstream": "nats"}
# Order that holds within a key only shows where there is more than one partition; and segments as servers have them.
SETTINGS_OF = {"kafka": ["num.partitions=3"], "rabbitmq": ["segment_bytes=500000000"]}
START_SECONDS_MAX = 120
NOT_HERE = 77


class NotHere(Exception):
    """This broker cannot be had on this machine."""


class Broker:
    """Its folder is gone when the block is left in order, and the broker in any case."""

    def __init__(self, kind, folder):
        self.kind, self.folder = kind, Path(folder)
        self.starting = self.url = self.begun_at = self.up_at = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def environment(self):
        """What a node needs to find it."""
        name = "BROKERS" if self.kind == "kafka" else "URL"
        return {"CARILLON_LOG_KIND": self.kind, f"CARILLON_LOG_{self.kind.upper()}_{name}": self.url}

    def begin_start(self):
        """On the data that are there. Until is_up() nothing else may be asked of it."""
        self.begun_at, self.up_at = time.monotonic(), None
        settings = [word for setting in SETTINGS_OF.get(self.kind, ()) for word in ("--set", setting)]
        with self._said().open("wb") as out:
            self.starting = subprocess.Popen([*self._command("start"), *settings], stdin=subprocess.DEVNULL, stdout=out,
                                             stderr=subprocess.STDOUT)

    def is_up(self):
        if self.starting is None:
            return False
        code = self.starting.poll()
        if code:
            said = self._said().read_text(errors="replace")
            raise NotHere(said.strip()) if code == NOT_HERE else RuntimeError(f"{self.kind} did not start: {said}")
        if code == 0 and self.up_at is None:
            self.up_at = time.monotonic()
        return code == 0

    def has_served(self):
        """Whether it has been up for as long as it took to start: the nodes need their time too."""
        return self.is_up() and time.monotonic() - self.up_at >= self.up_at - self.begun_at

    def wait_until_up(self):
        self.starting.wait(START_SECONDS_MAX)
        self.is_up()

    def kill(self):
        """SIGKILL."""
        self._run("kill")
        self.starting = None

    def stop(self):
        self._run("stop")

    def __enter__(self):
        self.begin_start()
        try:
            self.wait_until_up()
        except NotHere:
            shutil.rmtree(self.folder)
            raise
        lines = self._said().read_text().splitlines()
        self.url = next(line.removeprefix("url=") for line in lines if line.startswith("url="))
        return self

    def __exit__(self, kind, *_):
        if self.starting is not None and self.starting.poll() is None:
            self.starting.wait(START_SECONDS_MAX)
        self._run("kill")
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _said(self):
        # What the broker goes on writing to must not be a pipe that somebody waits for the end of.
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / "said"

    def _command(self, verb):
        return [SCRIPTS / SCRIPT_OF[self.kind], verb, "--dir", self.folder / "data"]

    def _run(self, verb):
        with self._said().open("wb") as out:
            done = subprocess.run(self._command(verb), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                  timeout=START_SECONDS_MAX, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{self.kind} {verb}: {self._said().read_text(errors='replace')}")
