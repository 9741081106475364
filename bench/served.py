"""A release server with its own folder, certificate, secret and ports, for a load to be put on."""

import copy
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from ports import free_port, free_ports  # noqa: E402

READY_SECONDS_MAX = 60
STOP_SECONDS_MAX = 30

# The load comes from one address, and batches fill a journal faster than any product would.
CONFIG = """
[server]
listen = "127.0.0.1:{port}"
admin_listen = "127.0.0.1:{admin_port}"
drain_window = "1s"
[auth]
hmac_secret_file = "hmac.secret"
[limits]
connections_per_ip_max = 20000
connections_per_user_max = 20000
[log.journal]
retention_bytes = "16GiB"
"""

# Settings for who stalls for a minute, and stays: patience, and a window and a journal that are full from the start.
PATIENT = {"CARILLON_WINDOW_BYTES": "64MiB", "CARILLON_LOG_JOURNAL_RETENTION_BYTES": "64MiB",
           "CARILLON_LIMITS_QUEUE_AGE_MAX": "90s", "CARILLON_HEARTBEAT_TIMEOUT": "90s"}


def make_certificate(folder):
    """server.pem, its own authority, and server.key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", "server.key", "-out", "server.pem"],
        cwd=folder, check=True, capture_output=True)


def seconds_until_accepting(process, port, folder):
    """From now until somebody who comes to `process` gets a TLS connection with the certificate in `folder`."""
    began = time.monotonic()
    context = ssl.create_default_context(cafile=folder / "server.pem")
    while process.poll() is None and time.monotonic() < began + READY_SECONDS_MAX:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                context.wrap_socket(connection, server_hostname="localhost").close()
                return time.monotonic() - began
        except OSError:
            time.sleep(0.002)
    raise RuntimeError(f"the server accepts no connections; see {folder}/server.log")


class Served:
    """One server; its folder is gone when the block is left in order, and stays to be looked at otherwise."""

    def __init__(self, binary, folder, settings=None, has_grpc=False):
        """`settings`: environment variables (docs/configuration.md) over those above."""
        self.binary, self.folder, self.process = binary, Path(folder), None
        self.log_file = self.folder / "server.log"
        self.environment = {**os.environ, **(settings or {})}
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o700)
        self.port, self.admin_port, self.grpc_port = free_ports(3)
        if has_grpc:
            self.environment["CARILLON_GRPC_LISTEN"] = f"127.0.0.1:{self.grpc_port}"
        (self.folder / "carillon.toml").write_text(CONFIG.format(port=self.port, admin_port=self.admin_port))
        (self.folder / "hmac.secret").write_text(os.urandom(32).hex() + "\n")
        (self.folder / "hmac.secret").chmod(0o600)
        make_certificate(self.folder)

    def beside(self, number):
        """Another node of the same log, configured alike and on the same port (both need server.reuse_port). It is the
        caller's to end(), before this one's block is left."""
        node = copy.copy(self)
        node.process, node.admin_port = None, free_port()
        node.log_file = self.folder / f"server-{number}.log"
        node.environment = {**self.environment, "CARILLON_SERVER_ADMIN_LISTEN": f"127.0.0.1:{node.admin_port}"}
        return node

    @property
    def journal(self):
        return self.folder / "journal.db"

    def start(self):
        self.spawn()
        self.wait_until_ready()

    def spawn(self):
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen([self.binary, "serve", "--config", "carillon.toml"], cwd=self.folder,
                                            env=self.environment, stdin=subprocess.DEVNULL, stderr=log)

    def wait_until_ready(self):
        give_up = time.monotonic() + READY_SECONDS_MAX
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the server did not get ready; see {self.log_file}")
            time.sleep(0.02)

    def seconds_until_accepting(self):
        return seconds_until_accepting(self.process, self.port, self.folder)

    def kill(self):
        """SIGKILL. A server that has ended before that, by itself, is an error."""
        if (code := self.process.poll()) is not None:
            raise RuntimeError(f"the server ended by itself with {code}; see {self.log_file}")
        self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def stop(self):
        """SIGTERM; it must end by itself with 0."""
        self.process.terminate()
        code = self.process.wait(STOP_SECONDS_MAX)
        if code != 0:
            raise RuntimeError(f"the server ended with {code}; see {self.log_file}")

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def bench_command(self, bench, report):
        """carillon-bench up to the scenario's name."""
        return [bench, "--server", f"127.0.0.1:{self.port}", "--ca", self.folder / "server.pem",
                "--secret", self.folder / "hmac.secret", "--server-pid", str(self.process.pid), "--json", report]

    def __enter__(self):
        return self

    def end(self):
        """By force, where it lives."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def __exit__(self, kind, *_):
        self.end()
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
