"""What a server of one's own on this machine needs: ports, certificates, and an end. For the scripts of this folder."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ports import free_port, free_ports  # noqa: E402

__all__ = ["Spawned", "free_port", "free_ports", "make_certificates"]

FORCED_END_SECONDS_MAX = 30


def make_certificates(folder, host, *names):
    """An authority, ca.pem, and NAME.pem with NAME.key that it signed for `host`, such as DNS:localhost; nothing where
    they are there."""
    if (folder / "ca.pem").exists():
        return
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    signed = ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", "ca.pem", "-CAkey", "ca.key"]
    wanted = [("ca", ["-subj", "/CN=test authority"])]
    wanted += [(name, ["-subj", f"/CN={name}", "-addext", f"subjectAltName={host}", *signed]) for name in names]
    for name, options in wanted:
        subprocess.run(["openssl", "req", "-x509", *key, *options, "-keyout", f"{name}.key", "-out", f"{name}.pem"],
                       cwd=folder, check=True, capture_output=True)


class Spawned:
    """A server in a session of its own that outlives the script which started it."""

    def __init__(self, pid, begun):
        """As identity() gave them. By its number alone it could be another process by now."""
        self.pid, self.begun = pid, begun

    @classmethod
    def of(cls, process):
        return cls(process.pid, begun_at(process.pid))

    def identity(self):
        return [self.pid, self.begun]

    def is_alive(self):
        return not self.has_ended(0)

    def has_ended(self, seconds):
        """Waits for so long for its end. One that is dead and that nobody waited for has ended, too."""
        try:
            process = os.pidfd_open(self.pid)
        except OSError:
            return True
        try:
            return begun_at(self.pid) != self.begun or bool(select.select([process], [], [], seconds)[0])
        finally:
            os.close(process)

    def send(self, number):
        if self.is_alive():
            os.killpg(self.pid, number)

    def end(self, number, seconds):
        """Sends a deadly signal and goes on when it is dead: after so many seconds by force."""
        self.send(number)
        self.send(signal.SIGCONT)
        if not self.has_ended(seconds):
            self.send(signal.SIGKILL)
            if not self.has_ended(FORCED_END_SECONDS_MAX):
                raise SystemExit(f"process {self.pid} does not end")


def begun_at(pid):
    """In ticks since the machine was started; None when there is no such process."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return None
