"""A disk that fails on command: tests/faults/faults.c, built once and preloaded into the server."""

import contextlib
import shutil
import subprocess

from harness.server import ROOT, SANITIZED


class Faults:
    def __init__(self, server):
        self._control = server.directory / "faults"
        self._control.mkdir()
        library = server.directory / "faults.so"
        source = ROOT / "tests" / "faults" / "faults.c"
        compiler = next(filter(None, map(shutil.which, ("clang-19", "cc", "gcc"))))
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAULTS_PATH": str(server.journal.resolve()),
            "FAULTS_CONTROL": str(self._control),
        }
        if SANITIZED:
            # The sanitizer insists on being first among the preloaded, which it is not while this library is there.
            self.environment["ASAN_OPTIONS"] = "verify_asan_link_order=0"

    @contextlib.contextmanager
    def full(self):
        """Within this block the journal's files cannot grow."""
        with self._on("full"):
            yield

    @contextlib.contextmanager
    def failing_sync(self):
        """Within this block the journal's files cannot be synced."""
        with self._on("sync"):
            yield

    @contextlib.contextmanager
    def _on(self, fault):
        switch = self._control / fault
        switch.touch()
        try:
            yield
        finally:
            switch.unlink()
