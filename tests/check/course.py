"""The course of a check: its stages, one after the other or beside each other, and what is told of them."""

import contextlib
import threading
import time

import failures
from command import ROOT, cpu_seconds
from tally import Tally

LOGS = ROOT / "build/check"


class Course:
    def __init__(self):
        self.started = time.monotonic()
        self.total = Tally()
        self.broken = {}  # the tallies of stages that did not succeed, for those that need them
        self.telling = threading.Lock()

    @contextlib.contextmanager
    def beside(self, name, run, needs=()):
        """A stage that mostly waits, while those within the block need the cores."""
        thread = threading.Thread(target=self.stage, args=(name, run, needs), daemon=True)
        thread.start()
        yield
        thread.join()

    def stage(self, name, run, needs=()):
        """`run(log path)` gives a Tally, or raises when there is none to give."""
        at = time.monotonic()
        print(f"== {name}  (at {clock(at - self.started)})", flush=True)
        log = LOGS / f"{name.replace(' ', '-')}.log"
        log.write_text("")
        missing = [need for need in needs if need in self.broken]
        if missing:
            result = Tally(0, 1, f"not run: {', '.join(missing)} failed")
        else:
            try:
                result = run(log)
            except Exception as error:  # a tool that died leaves no count
                result = Tally(0, 1, str(error))
        took = f"{clock(time.monotonic() - at)}, {clock(cpu_seconds[log.stem])} of CPU"
        with self.telling:
            self.tell(name, result, took, log)

    def tell(self, name, result, took, log):
        self.total += result
        if not result.failed:
            done = f"{result.passed} passed" if result.passed else "done"
            print(f"   {name}: {done} in {took}. {result.note}".rstrip(". "), flush=True)
            return
        self.broken[name] = result
        for line in failures.told(result.failures, log.read_text(errors="replace")):
            print(f"   | {line}")
        print(f"   {name} FAILED in {took}: {result.passed} passed, {result.failed} failed. {result.note}")
        for case in failures.names(result.failures):
            print(f"   failed: {case}")
        print(f"   the whole log: {log.relative_to(ROOT)}", flush=True)

    def end(self):
        """The last lines; gives the exit code."""
        for name, result in self.broken.items():
            for case in failures.names(result.failures) or [result.note]:
                print(f"FAILED {name}: {case}")
        print(f"all in {clock(time.monotonic() - self.started)}, {clock(sum(cpu_seconds.values()))} of CPU")
        print(f"{self.total.passed} passed, {self.total.failed} failed")
        return 1 if self.total.failed or not self.total.passed else 0


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
