"""The servers that are held against each other: each with the same TLS, and on the cores of whoever starts it.

Each is a context manager with `name`, `subscribe` and `publish` (HOST:PORT), `ca`, `secret` (or None) and `processes`.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from served import Served, free_ports, make_certificate, seconds_until_accepting  # noqa: E402

STOP_SECONDS_MAX = 30
CONNECTIONS_MAX = 19_000  # of the 20,000 descriptors that a process has here


class Carillon:
    """With a journal of its own. Its publishers call the same port."""

    name = "carillon"

    def __init__(self, build, folder, settings=None):
        """`settings`: environment variables (docs/configuration.md)."""
        self.served = Served(build / "carillon", folder, {"CARILLON_SERVER_SHARDS": "1", **(settings or {})})
        self.subscribe = self.publish = f"127.0.0.1:{self.served.port}"
        self.ca, self.secret = self.served.folder / "server.pem", self.served.folder / "hmac.secret"

    @property
    def processes(self):
        return [self.served.process.pid]

    def __enter__(self):
        try:
            self.served.start()
        except BaseException:
            self.served.end()
            raise
        return self

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.served.stop()
        finally:
            self.served.__exit__(kind, *rest)


class Other:
    """A server that needs a folder, a certificate, and two ports: one with TLS to subscribe at, one to publish at."""

    secret = None

    def __init__(self, build, folder):
        self.build, self.folder, self.process = build, Path(folder), None
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        make_certificate(self.folder)
        self.ca = self.folder / "server.pem"
        self.port, publish_port = free_ports(2)
        self.subscribe, self.publish = f"127.0.0.1:{self.port}", f"127.0.0.1:{publish_port}"

    def command(self):
        raise NotImplementedError

    @property
    def processes(self):
        """The one that was started and those that it started."""
        own = self.process.pid
        children = Path(f"/proc/{own}/task/{own}/children").read_text()
        return [own, *map(int, children.split())]

    def __enter__(self):
        try:
            with (self.folder / "server.log").open("wb") as log:
                self.process = subprocess.Popen(self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                                stderr=log)
            seconds_until_accepting(self.process, self.port, self.folder)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, kind, *_):
        ended_by_itself = self.process.poll()
        self._end()
        if kind is None and ended_by_itself is not None:
            raise RuntimeError(f"{self.name} ended by itself with {ended_by_itself}; see {self.folder}/server.log")
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            # A master that is killed takes no worker along.
            for process in reversed(self.processes):
                os.kill(process, signal.SIGKILL)
            self.process.wait()


class Floor(Other):
    name = "floor"

    def command(self):
        return [self.build / "bench/carillon-floor", "--listen", self.subscribe, "--control", self.publish,
                "--certificate", "server.pem", "--key", "server.key"]


class Nats(Other):
    """Deadlines and queues are so large that it drops nobody."""

    name = "nats"
    CONFIG = """
listen: "{publish}"
websocket {{
  listen: "{subscribe}"
  tls {{ cert_file: "server.pem", key_file: "server.key" }}
  compression: false
}}
write_deadline: "60s"
max_pending: 256MB
ping_interval: "10m"
"""

    def command(self):
        config = self.folder / "nats.conf"
        config.write_text(self.CONFIG.format(publish=self.publish, subscribe=self.subscribe))
        return [found("nats-server"), "-c", config]


class Nchan(Other):
    """nginx, as an instance of its own, with one channel. Whoever subscribes gets what comes from then on."""

    name = "nchan"
    CONFIG = """
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
pid nginx.pid;
worker_processes 1;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  {temporary}
  tcp_nodelay on;
  nchan_shared_memory_size 256m;
  server {{
    listen {subscribe} ssl backlog=4096;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    location = /subscribe {{
      nchan_subscriber websocket;
      nchan_channel_id events;
      nchan_subscriber_first_message newest;
      nchan_websocket_ping_interval 0;
    }}
  }}
  server {{
    listen {publish};
    keepalive_requests 1000000;
    location = /publish {{
      nchan_publisher http;
      nchan_channel_id events;
      nchan_message_buffer_length 100;
      nchan_message_timeout 10s;
    }}
  }}
}}
"""

    def command(self):
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = " ".join(f"{kind}_temp_path {kind};" for kind in kinds)  # not where the system's own has them
        (self.folder / "nginx.conf").write_text(self.CONFIG.format(
            connections=CONNECTIONS_MAX, temporary=temporary, subscribe=self.subscribe, publish=self.publish))
        return [found("nginx"), "-p", self.folder, "-c", "nginx.conf", "-e", "stderr"]


def found(program):
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise RuntimeError(f"{program} is not installed: packaging/apt/install build bench")
    return path
