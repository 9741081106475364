"""A real broker of any kind of log, run by its script beside this file."""

import subprocess
import uuid
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
SCRIPT_OF = {"redis": "redis", "kafka": "kafka", "rabbitmq": "rabbitmq", "jetstream": "nats"}
CANNOT_BE_HAD = 77  # a script's exit code
SECONDS_MAX = 120  # for each verb


class NotHere(Exception):
    """This broker cannot be had on this machine; says why."""


class Broker:
    """The server of one kind, with its data in `folder`. It runs on until it is stopped or killed."""

    def __init__(self, kind, folder):
        self.kind, self.folder = kind, Path(folder)
        self.said = {}  # by the last start that was waited for: url, and what TLS and credentials need
        self.starting = None

    @property
    def url(self):
        return self.said.get("url")

    def start(self, *settings):
        """`settings`: KEY=VALUE, as the script takes them."""
        self.begin_start(*settings)
        self.wait_until_up()
        return self

    def begin_start(self, *settings):
        """On the data that are there. Until is_up() nothing else may be asked of it."""
        words = [word for setting in settings for word in ("--set", setting)]
        with self._output().open("wb") as out:
            self.starting = subprocess.Popen(self._command("start", *words), stdin=subprocess.DEVNULL, stdout=out,
                                             stderr=subprocess.STDOUT)

    def is_up(self):
        if self.starting is None or self.starting.poll() is None:
            return False
        if not self.said:
            text = self._success(self.starting)
            self.said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return True

    def wait_until_up(self):
        self.starting.wait(SECONDS_MAX)
        self.is_up()

    def stop(self):
        self._end("stop")

    def kill(self):
        """SIGKILL; also where it does not run."""
        self._end("kill")

    def pause(self):
        self.run("pause")

    def resume(self):
        self.run("resume")

    def run(self, verb, *arguments, text=""):
        """What the script says."""
        with self._output().open("wb") as out:
            done = subprocess.run(self._command(verb, *arguments), input=text.encode(), stdout=out, stderr=out,
                                  timeout=SECONDS_MAX, check=False)
        return self._success(done)

    def _end(self, verb):
        if self.starting is not None:
            self.starting.wait(SECONDS_MAX)
        self.run(verb)
        self.starting, self.said = None, {}

    def _success(self, done):
        text = self._output().read_text(errors="replace")
        if done.returncode == CANNOT_BE_HAD:
            raise NotHere(text.strip())
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, done.args))} ended with {done.returncode}: {text}")
        return text

    def _command(self, verb, *arguments):
        return [SCRIPTS / SCRIPT_OF[self.kind], verb, "--dir", self.folder, *arguments]

    def _output(self):
        # What the broker goes on writing to must not be a pipe that somebody waits for the end of.
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        return self.folder.with_suffix(".said")


class Log:
    """A log of its own on a broker that is up: its name, and how a server is configured for it."""

    def __init__(self, broker):
        self.broker = broker
        mark = uuid.uuid4().hex[:10]
        self.name = {"redis": f"events:{mark}", "jetstream": f"EVENTS{mark}"}.get(broker.kind, f"events.{mark}")
        self.keys = {
            "redis": {"url": broker.url, "stream": self.name},
            "kafka": {"brokers": broker.url, "topic": self.name},
            "rabbitmq": {"url": broker.url, "queue": self.name},
            "jetstream": {"url": broker.url, "stream": self.name, "subject": f"events.{mark}"},
        }[broker.kind]  # of the table log.KIND

    @property
    def config(self):
        """As tables of the configuration file."""
        return {"log": {"kind": self.broker.kind}, f"log.{self.broker.kind}": self.keys}

    def environment(self):
        """The same as environment variables."""
        table = f"CARILLON_LOG_{self.broker.kind.upper()}"
        place = {f"{table}_{key.upper()}": value for key, value in self.keys.items()}
        return {"CARILLON_LOG_KIND": self.broker.kind, **place}

    def put(self, text):
        """One record from somebody else: an envelope, or anything."""
        self.broker.run("put", "--log", self.name, text=text)

    def trim(self, keep):
        self.broker.run("trim", "--log", self.name, "--keep", str(keep))

    def recreate(self):
        self.broker.run("recreate", "--log", self.name)
