"""Runs commands so that nothing they started stays, and adds up what they cost."""

import collections
import os
import select
import signal
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS_MAX = 1200
NICENESS = 10

SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}

cpu_seconds = collections.Counter()  # by the name of the stage; of servers that outlive their script nothing
running = set()  # process groups of commands under way


def end_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def stop(signal_number, _frame):
    """Ctrl-C: nothing that was started stays."""
    for pid in list(running):
        end_group(pid)
    print("\nstopped")
    os._exit(128 + signal_number)


def has_ended(process, seconds):
    ended = os.pidfd_open(process.pid)
    try:
        return bool(select.select([ended], [], [], seconds)[0])
    finally:
        os.close(ended)


def run(log, *command, environment=None, check=True, gives_way=False):
    """Runs a command with its output appended to the log, build/check/STAGE[.PART].log; gives its exit code, or says
    that it did not end. What it started is gone when this returns. `gives_way`: to what runs beside it and does not."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, **SANITIZER_ENVIRONMENT, **(environment or {})}, start_new_session=True,
        )
        running.add(process.pid)
        if gives_way:
            os.setpriority(os.PRIO_PGRP, process.pid, NICENESS)
        in_time = has_ended(process, COMMAND_SECONDS_MAX)
        end_group(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        running.discard(process.pid)
    code = process.returncode = os.waitstatus_to_exitcode(status)
    cpu_seconds[log.name.split(".")[0]] += usage.ru_utime + usage.ru_stime
    if not in_time:
        code = f"nothing after {COMMAND_SECONDS_MAX} s"
    if check and code != 0:
        raise RuntimeError(f"{Path(command[0]).name} ended with {code}")
    return code
