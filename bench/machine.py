"""The machine a bench runs on: what it is, its cores, and who else uses them meanwhile."""

import contextlib
import datetime
import os
import platform
import resource
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class CpuShares:
    """How much of the machine others took meanwhile: they blur every figure."""

    def __init__(self):
        self.busy, self.total = self._machine()
        self.own = self._own()

    @staticmethod
    def _machine():
        ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(ticks) - ticks[3] - ticks[4], sum(ticks)

    @staticmethod
    def _own():
        return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))

    def of_others(self):
        """After all own children have ended."""
        busy, total = self._machine()
        own_ticks = (self._own() - self.own) * os.sysconf("SC_CLK_TCK")
        return max(0.0, (busy - self.busy - own_ticks) / (total - self.total))


@contextlib.contextmanager
def on_cores(cores):
    """What is started within runs on these cores, where the machine has others."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _first_line(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip().split("\n")[0]


def facts_beside(folder):
    """What goes with every figure: the machine, with the disk that `folder` is on, the commit and the time."""
    cpu = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    disk = _first_line("findmnt", "-n", "-o", "FSTYPE", "--target", str(folder))
    return {"machine": f"{os.cpu_count()} x {cpu}, {memory:.0f} GiB, Linux {platform.release()}, journal on {disk}",
            "commit": _first_line("git", "describe", "--always", "--dirty", "--abbrev=12"),
            "date": f"{datetime.datetime.now(datetime.UTC):%F %R} UTC"}
