"""A running server with a directory, keys and ports of its own."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys

from harness import events, metrics
from harness.raw_client import RawClient
from harness.rest import Rest
from harness.stream import Stream, beginning
from harness.waiting import until

ROOT = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("CARILLON_BINARY", str(ROOT / "build/release/carillon"))

sys.path.insert(0, str(ROOT / "tests"))

from ports import free_ports  # noqa: E402


# What the server inherits; variables of its own come only from the test.
OTHER_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("CARILLON_")}


def _is_sanitized():
    try:
        binary = pathlib.Path(BINARY).read_bytes()
        return b"AddressSanitizer" in binary or b"ThreadSanitizer" in binary
    except OSError:
        return False


# What a session may ask for instead of a position: nothing of what was published before.
NOTHING_OLD = object()

# A sanitizer keeps freed memory and takes several times as long, so that what is said of the server's memory and CPU is
# said of other builds.
SANITIZED = _is_sanitized()


class StartFailed(Exception):
    """The server ended instead of getting ready: exit code and what it wrote."""

    def __init__(self, code, output):
        super().__init__(f"exit code {code}: {output}")
        self.code = code
        self.output = output


def toml(tables):
    """`{"server": {"listen": ...}, "log.journal": {...}}` as TOML."""
    lines = []
    for table, members in tables.items():
        lines.append(f"[{table}]")
        # JSON's strings, booleans, integers and lists of strings are TOML's too.
        lines += [f"{key} = {json.dumps(value)}" for key, value in members.items()]
    return "\n".join(lines) + "\n"


def merged(base, changes):
    result = {table: dict(members) for table, members in base.items()}
    for table, members in changes.items():
        result.setdefault(table, {}).update(members)
    return result


class Carillon:
    """Configures a server in `directory`; start() runs it. A second start() runs it again on the same journal."""

    def __init__(self, directory, keys, authority, config=None):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.keys = keys
        self.authority = authority
        self.address, self.admin_address = (("127.0.0.1", port) for port in free_ports(2))
        self.journal = self.directory / "journal.db"
        self.log_path = self.directory / "server.log"
        self.config_path = self.directory / "carillon.toml"
        self.process = None
        self.last_accepted = None
        self._killed = False
        self._write_files(config or {})

    def _write_files(self, config):
        certificate, key, self.serial = self.authority.issue()
        self.replace_certificate(certificate, key)
        (self.directory / "ca.pem").write_bytes(self.authority.pem)
        (self.directory / "hmac.key").write_bytes(self.keys.secret)
        (self.directory / "hmac.key").chmod(0o600)
        self.config = merged(
            {
                "server": {
                    "listen": "%s:%d" % self.address,
                    "admin_listen": "%s:%d" % self.admin_address,
                    "certificate": "server.pem",
                    "private_key": "server.key",
                },
                "auth": {"algorithms": ["HS256"], "hmac_secret_file": "hmac.key"},
                "heartbeat": {},
                "limits": {},
                "log.journal": {"path": "journal.db"},
                "telemetry": {"log_format": "json", "log_level": "info"},
            },
            config,
        )
        self.config_path.write_text(toml(self.config))

    def reconfigure(self, changes):
        """For a server that is not running."""
        self.config = merged(self.config, changes)
        self.config_path.write_text(toml(self.config))

    def replace_certificate(self, certificate, key):
        (self.directory / "server.pem").write_bytes(certificate)
        (self.directory / "server.key").write_bytes(key)
        (self.directory / "server.key").chmod(0o600)

    # --- the process ---------------------------------------------------------------------------------------------

    def spawn(self, environment=None):
        with open(self.log_path, "ab") as log:
            self._log_start = log.tell()
            self.process = subprocess.Popen(
                [BINARY, "serve", "--config", str(self.config_path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**OTHER_ENVIRONMENT, **(environment or {})},
                cwd=self.directory,
            )
        self._killed = False
        return self

    def start(self, environment=None):
        self.spawn(environment)
        until(self._is_ready_or_gone, 20, "readiness of the server")
        if self.process.poll() is not None:
            raise StartFailed(self.process.returncode, self.output())
        return self

    def _is_ready_or_gone(self):
        return self.process.poll() is not None or self.admin_status("/readyz") == 200

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self, timeout=20):
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.terminate()
        return self.wait(timeout)

    def wait(self, timeout=20):
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end within {timeout} s") from None

    def kill(self):
        self._killed = True
        self.process.kill()
        self.process.wait()

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def output(self):
        """Everything the running, or last, process wrote."""
        with open(self.log_path, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def log_size(self):
        return self.log_path.stat().st_size

    def log_lines(self, since=0):
        """The structured lines written after byte `since` of the log."""
        with open(self.log_path, "rb") as log:
            log.seek(since)
            text = log.read().decode()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.startswith("{")]

    def refusals(self, since):
        """The log lines about requests refused and connections dropped before they became sessions."""
        return [line for line in self.log_lines(since) if line["event"] in ("request refused", "connection dropped")]

    def ends_of(self, client, since=0):
        """The log lines that tell how the session of a raw client ended."""
        return [
            line
            for line in self.log_lines(since)
            if line.get("session") == client.session_id and line["event"] != "session started"
        ]

    def assert_clean(self):
        """No token, key or payload was ever logged, no sanitizer spoke, and no process died by a signal of its own."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        for forbidden, what in (
            ("eyJ", "a token"),
            (events.CANARY, "a payload"),
            ("ERROR: AddressSanitizer", "a sanitizer report"),
            ("WARNING: ThreadSanitizer", "a sanitizer report"),
            ("runtime error:", "a sanitizer report"),
            ("invariant broken", "a broken invariant"),
        ):
            assert forbidden not in text, f"{what} in the log: {self._line_with(text, forbidden)[:500]}"
        if self.process is not None and self.process.returncode is not None and not self._killed:
            assert self.process.returncode >= 0, f"the server died by signal {-self.process.returncode}"

    @staticmethod
    def _line_with(text, part):
        return next(line for line in text.splitlines() if part in line)

    # --- looking at it -------------------------------------------------------------------------------------------

    def admin(self, path):
        """(status, body, headers) of the admin listener."""
        connection = http.client.HTTPConnection(*self.admin_address, timeout=2)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode(), response.headers
        finally:
            connection.close()

    def admin_status(self, path):
        try:
            return self.admin(path)[0]
        except OSError:
            return None

    def metrics(self):
        status, body, _ = self.admin("/metrics")
        assert status == 200
        return metrics.Metrics(body)

    def connections(self):
        return self.metrics().total(metrics.CONNECTIONS)

    @contextlib.contextmanager
    def counts_one(self, name, **labels):
        """Within this block exactly one more is counted under that name and labels."""
        before = self.metrics().count(name, **labels)
        yield
        until(lambda: self.metrics().count(name, **labels) > before, what=f"the counting of one more {name} {labels}")
        assert self.metrics().count(name, **labels) == before + 1

    def cpu_seconds(self):
        """What the process has used so far, to the nanosecond as the scheduler counts."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat") as stat:
                total += int(stat.read().split()[0])
        return total / 1e9

    @contextlib.contextmanager
    def grows_by_less_than(self, bytes_max):
        """The memory of the process, within this block. A sanitizer's allocator keeps what was freed."""
        before = self.resident_bytes()
        yield
        if not SANITIZED:
            assert self.resident_bytes() - before < bytes_max

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    # --- talking to it -------------------------------------------------------------------------------------------

    def tls(self):
        context = ssl.create_default_context(cadata=self.authority.pem.decode())
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    def token(self, sub="alice", **claims):
        return self.keys.mint(sub, **claims)

    def connect(
        self,
        sub="alice",
        carrier="a",
        token=None,
        headers=(),
        origin=None,
        resume=NOTHING_OLD,
        snapshot=False,
        **claims,
    ):
        """A well-behaved client that is live; what it was sent before that is left out."""
        stream = self.join(sub, carrier, token, headers, origin, self._position(resume), snapshot, **claims)
        stream.catch_up()
        return stream

    def join(
        self,
        sub="alice",
        carrier="a",
        token=None,
        headers=(),
        origin=None,
        resume=None,
        snapshot=True,
        query=None,
        **claims,
    ):
        """A well-behaved client, authenticated, that has yet to catch up."""
        token = token or self.token(sub, **claims)
        return self.open(token, carrier, headers, origin, resume, snapshot, query).expect_auth_ok()

    def join_behind(self, *who, **options):
        """A client as join() makes it, caught up, on a shard that had pushed everything accepted so far when it began.
        On another, the last of that would be live instead. What was accepted last must be there to be pushed."""

        def joined():
            stream = self.join(*who, **options)
            stream.catch_up(30)
            if stream.live["payload"]["position"] == self.last_accepted:
                return stream
            return stream.close()

        return until(joined, 20, "a session that began after all that was accepted")

    def open(self, token, carrier="a", headers=(), origin=None, resume=None, snapshot=True, query=None):
        """A well-behaved client that has yet to look at what the server said. `query` is literal."""
        url = "wss://localhost:%d" % self.address[1]
        return Stream(url, self.tls(), token, carrier, headers, origin, resume, snapshot, query)

    def _position(self, resume):
        # An event that was accepted before a session begins may not be pushed yet and then is live for it: what a
        # session is not to see, it must say.
        return self.last_accepted if resume is NOTHING_OLD else resume

    def remember_accepted(self, answer):
        """What a 202 said. A call that repeats something must end with something new, to be remembered rightly."""
        if answer["accepted"] > 0:
            self.last_accepted = answer["position"]

    def raw(self, **options):
        return RawClient(self.address, self.tls(), **options)

    def raw_stream(self, sub="alice", token=None, extra=(), resume=NOTHING_OLD, snapshot=False, **options):
        """A raw client that is live."""
        client = self.raw(**options)
        target = "/v1/stream" + beginning(self._position(resume), snapshot)
        response = client.upgrade(target, authorization=f"Bearer {token or self.token(sub)}", extra=extra)
        assert response.status == 101, response
        auth_ok = client.read_message()
        assert auth_ok["event"] == "auth_ok", auth_ok
        client.session_id = auth_ok["payload"]["session_id"]
        client.live = client.read_event("live")
        return client

    def rest(self, sub="publisher", scope="publish", token=None, is_remembered=True):
        token = token or self.token(sub, scope=scope)
        hook = (self.remember_accepted,) if is_remembered else ()
        return Rest(("localhost", self.address[1]), self.tls(), token, *hook)

    def publish(self, *envelopes):
        with self.rest() as rest:
            return rest.publish(*envelopes)
