"""What is shown of failed cases: their names, and a bounded part of what was said about each."""

import re
from dataclasses import dataclass

LINES_MAX = 110
LINES_EACH_MIN = 10
NAMES_MAX = 40
LINE_CHARACTERS_MAX = 400
CONTEXT_LINES = 3
# Where what matters begins, in the output of a test, a sanitizer, a compiler or a script.
SIGN = re.compile(r"Failure$|Sanitizer: |runtime error: |invariant broken|terminate called|Traceback"
                  r"|\berror: |^E:? |FAIL(ED)?\b")


@dataclass(frozen=True)
class Failure:
    name: str
    said: tuple[str, ...] = ()


def excerpt(text):
    """The lines from the first sign of trouble on; all of them where there is none."""
    lines = text.splitlines()
    first = next((number for number, line in enumerate(lines) if SIGN.search(line)), 0)
    return tuple(lines[max(first - CONTEXT_LINES, 0):])


def shortened(lines, count):
    """At most so many lines: the beginning and the end, where there are more."""
    if len(lines) > count:
        head = count // 2
        tail = count - head - 1
        lines = [*lines[:head], f"... {len(lines) - head - tail} lines are left out ...", *lines[-tail:]]
    return [line if len(line) <= LINE_CHARACTERS_MAX else f"{line[:LINE_CHARACTERS_MAX]} ..." for line in lines]


def told(failures, log_text):
    """What a stage prints: of its first failed cases what was said, or the log where no case says anything."""
    shown = [failure for failure in failures if failure.said][: LINES_MAX // LINES_EACH_MIN]
    if not shown:
        return shortened(excerpt(log_text), LINES_MAX)
    each = LINES_MAX // len(shown) - 1
    return [line for failure in shown for line in (f"---- {failure.name}", *shortened(failure.said, each))]


def names(failures):
    more = [f"and {len(failures) - NAMES_MAX} more"] if len(failures) > NAMES_MAX else []
    return [failure.name for failure in failures[:NAMES_MAX]] + more


def gtest_cases(text):
    """What a test binary said during each case that did not end well, or did not end, by the case's name."""
    cases, name, begun = {}, None, 0
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("[ RUN      ] "):
            name, begun = line.removeprefix("[ RUN      ] "), number + 1
        elif name and line.startswith(("[       OK ] ", "[  SKIPPED ] ")):
            name = None
        elif name and line.startswith("[  FAILED  ] "):
            cases[name], name = excerpt("\n".join(lines[begun:number])), None
    if name:
        cases[name] = excerpt("\n".join(lines[begun:]))
    return cases
