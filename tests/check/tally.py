"""Counts passed and failed cases from what a tool left behind. A count that cannot be read is a failure."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    note: str = ""  # why something failed or was skipped, where the tool's own output may not say so

    def __add__(self, other):
        notes = "; ".join(note for note in (self.note, other.note) if note)
        return Tally(self.passed + other.passed, self.failed + other.failed, notes)


def skipped_as_failed(skipped, allowed):
    """A skipped case proves nothing. `allowed` is a word that a name must hold to be skipped without blame."""
    blamed = [name for name in skipped if not (allowed and allowed in name.lower())]
    note = f"skipped: {' '.join(blamed)}" if blamed else f"{len(skipped)} skipped" if skipped else ""
    return Tally(0, len(blamed), note)


def gtest(path, allowed_skip=None):
    """From --gtest_output=json."""
    report = json.loads(path.read_text())
    results = [(suite["name"] + "." + case["name"], case) for suite in report["testsuites"] for case in suite["testsuite"]]
    skipped = [name for name, case in results if case["result"] == "SKIPPED"]
    run = [case for _, case in results if case["status"] == "RUN" and case["result"] != "SKIPPED"]
    disabled = [name for name, case in results if case["status"] != "RUN" and case["result"] == "SUPPRESSED"]
    failed = sum(1 for case in run if case.get("failures"))
    return Tally(len(run) - failed, failed) + skipped_as_failed(skipped, allowed_skip) + skipped_as_failed(disabled, None)


def junit(path, allowed_skip=None):
    """From pytest --junitxml."""
    passed, failed, skipped = 0, 0, []
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None:
            skipped.append(case.get("classname", "") + "." + case.get("name", ""))
        else:
            passed += 1
    return Tally(passed, failed) + skipped_as_failed(skipped, allowed_skip)


def unittest_log(path):
    """From the output of python's unittest."""
    text = path.read_text(errors="replace")
    ran = int(re.findall(r"^Ran (\d+) tests?", text, re.M)[-1])
    failed = sum(int(n) for n in re.findall(r"(?:failures|errors|skipped)=(\d+)", text))
    return Tally(ran - failed, failed)


def passed_failed_line(path):
    """From the last `N passed, N failed` of an output; pytest, and our own tools, end like that."""
    lines = re.findall(r"^.*\b\d+ (?:passed|failed|error).*$", path.read_text(errors="replace"), re.M)
    count = lambda word: sum(int(n) for n in re.findall(rf"(\d+) {word}", lines[-1]))
    return Tally(count("passed"), count("failed") + count("errors?") + count("skipped"))
