"""The course of a check: its stages in lanes beside each other, and what is told of them."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import failures
from command import ROOT, cpu_seconds
from tally import Tally

LOGS = ROOT / "build/check"


@dataclass
class Stage:
    """`run(log path)` gives a Tally, or raises when there is none to give. It begins when the stages that it needs are
    over, and only if they succeeded."""

    name: str
    run: Callable[[Path], Tally]
    needs: tuple[str, ...] = ()


class Course:
    def __init__(self):
        self.started = time.monotonic()
        self.total = Tally()
        self.broken = {}  # the tallies of stages that did not succeed, for those that need them
        self.over = {}  # an event for each stage
        self.telling = threading.Lock()

    def run(self, *lanes):
        """Each lane's stages one after the other. A stage needs none that waits for it, by its needs or in its lane."""
        self.over = {stage.name: threading.Event() for lane in lanes for stage in lane}
        threads = [threading.Thread(target=self.lane, args=(lane,), daemon=True) for lane in lanes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def lane(self, stages):
        for stage in stages:
            for need in stage.needs:
                self.over[need].wait()
            self.stage(stage)
            self.over[stage.name].set()

    def stage(self, stage):
        at = time.monotonic()
        with self.telling:
            print(f"== {stage.name}  (at {clock(at - self.started)})", flush=True)
        log = LOGS / f"{stage.name.replace(' ', '-')}.log"
        log.write_text("")
        missing = [need for need in stage.needs if need in self.broken]
        if missing:
            result = Tally(0, 1, f"not run: {', '.join(missing)} failed")
        else:
            try:
                result = stage.run(log)
            except Exception as error:  # a tool that died leaves no count
                result = Tally(0, 1, str(error))
        took = f"{clock(time.monotonic() - at)}, {clock(cpu_seconds[log.stem])} of CPU"
        with self.telling:
            self.tell(stage.name, result, took, log)

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
