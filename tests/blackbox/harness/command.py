"""The command line tool, run to its end or followed while it runs."""

import os
import subprocess
import threading

from harness.server import BINARY
from harness.waiting import until

# Colour and locale of the machine change nothing; no proxy is asked for a server on this machine.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}


def run(*words, stdin="", directory=None, environment=None, timeout=20):
    """Runs `carillon WORDS` to its end; the result has returncode, stdout and stderr."""
    return subprocess.run(
        [BINARY, *map(str, words)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=directory,
        env={**ENVIRONMENT, **(environment or {})},
    )


class Running:
    """A command that goes on until it is stopped; collects its lines."""

    def __init__(self, *words, directory=None, environment=None):
        self.process = subprocess.Popen(
            [BINARY, *map(str, words)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=directory,
            env={**ENVIRONMENT, **(environment or {})},
        )
        self.out, self.err = [], []
        self._threads = [
            threading.Thread(target=self._collect, args=(self.process.stdout, self.out)),
            threading.Thread(target=self._collect, args=(self.process.stderr, self.err)),
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _collect(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def wait(self, timeout=10):
        code = self.process.wait(timeout)
        for thread in self._threads:
            thread.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def stop(self, number):
        self.process.send_signal(number)
        return self.wait()

    def line(self, index, timeout=10):
        """The line of that number on standard output, once it is there."""
        until(lambda: len(self.out) > index, timeout, f"line {index + 1} of the output")
        return self.out[index]
