"""Counts passed and failed cases from what a tool left behind. A count that cannot be read is a failure."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from failures import Failure, excerpt, gtest_cases


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    note: str = ""  # why something failed or was skipped, where the tool's own output may not say so
    failures: tuple[Failure, ...] = ()  # of the failed cases those that have names

    def __add__(self, other):
        notes = "; ".join(note for note in (self.note, other.note) if note)
        return Tally(self.passed + other.passed, self.failed + other.failed, notes, self.failures + other.failures)


def of_cases(passed, failures):
    return Tally(passed, len(failures), failures=tuple(failures))


def skipped_as_failed(skipped, allowed):
    """A skipped case proves nothing. `allowed` are words; a name that holds one of them may be skipped without blame."""
    blamed = [Failure(f"{name} (skipped)") for name in skipped if not any(word in name.lower() for word in allowed)]
    result = of_cases(0, blamed)
    result.note = f"{len(skipped)} skipped" if skipped else ""
    return result


def gtest(report, log, code, allowed_skip=()):
    """Of a test binary that ended with `code`: from its --gtest_output=json, and from its output, which tells which
    case ended the process where there is no report."""
    text = log.read_text(errors="replace")
    said = gtest_cases(text)
    if report.exists():
        counted = gtest_report(json.loads(report.read_text()), said, allowed_skip)
    else:
        counted = of_cases(text.count("\n[       OK ] "), [Failure(name, lines) for name, lines in said.items()])
    if code != 0 and not counted.failed:
        counted += of_cases(0, [Failure(f"{log.stem} ended with {code}", excerpt(text))])
    return counted


def gtest_report(report, said, allowed_skip):
    results = [(f"{suite['name']}.{case['name']}", case)
               for suite in report["testsuites"] for case in suite["testsuite"]]
    skipped = [name for name, case in results if case["result"] == "SKIPPED"]
    run = [(name, case) for name, case in results if case["status"] == "RUN" and case["result"] != "SKIPPED"]
    disabled = [name for name, case in results if case["status"] != "RUN" and case["result"] == "SUPPRESSED"]
    failed = [
        Failure(name, said.get(name) or tuple("\n".join(each["failure"] for each in case["failures"]).splitlines()))
        for name, case in run if case.get("failures")
    ]
    counted = of_cases(len(run) - len(failed), failed)
    return counted + skipped_as_failed(skipped, allowed_skip) + skipped_as_failed(disabled, ())


def junit(path, allowed_skip=()):
    """From a JUnit XML, as pytest, vitest and our reporter of node:test write it."""
    passed, failed, skipped = 0, [], []
    for case in ElementTree.parse(path).iter("testcase"):
        name = case.get("classname", "") + "." + case.get("name", "")
        trouble = next((found for found in (case.find("failure"), case.find("error")) if found is not None), None)
        if trouble is not None:
            said = (trouble.text or "").strip() or trouble.get("message", "")
            failed.append(Failure(name, tuple(said.splitlines())))
        elif case.find("skipped") is not None:
            skipped.append(name)
        else:
            passed += 1
    return of_cases(passed, failed) + skipped_as_failed(skipped, allowed_skip)


def unittest_log(path):
    """From the output of python's unittest."""
    text = path.read_text(errors="replace")
    ran = int(re.findall(r"^Ran (\d+) tests?", text, re.M)[-1])
    failed = sum(int(n) for n in re.findall(r"(?:failures|errors|skipped)=(\d+)", text))
    named = re.findall(r"^(?:FAIL|ERROR): (.*)\n(?:.*\n)?-+\n((?:.+\n)*)", text, re.M)
    return Tally(ran - failed, failed, failures=tuple(Failure(name, tuple(said.splitlines())) for name, said in named))


def passed_failed_line(path):
    """From the last `N passed, N failed` of an output; our own tools end like that, and begin lines with `FAILED` and a
    name."""
    text = path.read_text(errors="replace")
    passed, failed = re.findall(r"^(\d+) passed, (\d+) failed$", text, re.M)[-1]
    named = re.findall(r"^FAILED:? (.*)", text, re.M)
    return Tally(int(passed), int(failed), failures=tuple(Failure(name) for name in named))
