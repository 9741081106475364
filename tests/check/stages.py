#!/usr/bin/env python3
"""Builds everything and runs every test; ./check calls this once the packages are there.

Each stage writes build/check/STAGE.log. The last line of the output is `N passed, N failed`, the sum over all stages; a
stage that fails without a count, or that did not run because what it needs did not build, counts as one failure.
"""

import argparse
import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import tally
from tally import Tally

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
LOGS = BUILD / "check"
CORES = os.cpu_count() or 1
STAGE_SECONDS_MAX = 1200
FUZZ_SECONDS = 10
SIMULATION_SEEDS = 20_000
SIMULATION_SEEDS_ASAN = 400
LOG_TAIL_LINES = 60
CANNOT_BE_HAD = 77  # says a script of tests/brokers, and who started one

SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


class Check:
    def __init__(self):
        self.started = time.monotonic()
        self.total = Tally()
        self.broken = set()  # stages that did not succeed, for those that need them
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
        with self.telling:
            self.tell(name, result, clock(time.monotonic() - at), log)

    def tell(self, name, result, took, log):
        self.total += result
        if not result.failed:
            done = f"{result.passed} passed" if result.passed else "done"
            print(f"   {name}: {done} in {took}. {result.note}".rstrip(". "), flush=True)
            return
        self.broken.add(name)
        tail = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        for line in tail:
            print(f"   | {line}")
        print(f"   {name} FAILED in {took}: {result.passed} passed, {result.failed} failed. {result.note}")
        print(f"   the whole log: {log.relative_to(ROOT)}", flush=True)


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


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


def run(log, *command, environment=None, check=True, seconds_max=STAGE_SECONDS_MAX):
    """Runs a command with its output appended to the log; what it started is gone when this returns."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, **SANITIZER_ENVIRONMENT, **(environment or {})}, start_new_session=True,
        )
        running.add(process.pid)
        try:
            code = process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            code = f"nothing after {seconds_max} s"
        end_group(process.pid)
        process.wait()
        running.discard(process.pid)
    if check and code != 0:
        raise RuntimeError(f"{Path(command[0]).name} ended with {code}")
    return code


def build(preset, targets, *options):
    def steps(log):
        run(log, "cmake", "--preset", preset, "-DCARILLON_GRPC=ON", *options)
        run(log, "cmake", "--build", "--preset", preset, "--parallel", CORES, *(["--target", *targets] if targets else []))
        return Tally()

    return steps


def unit_tests(preset):
    """The one test binary, as many processes as cores, each with its share of the cases."""

    def shard(log, index):
        report = log.with_suffix(f".{index}.json")
        report.unlink(missing_ok=True)
        own_log = log.with_suffix(f".{index}.log")
        own_log.write_text("")
        shares = {"GTEST_TOTAL_SHARDS": str(CORES), "GTEST_SHARD_INDEX": str(index)}
        code = run(own_log, BUILD / preset / "carillon_tests", f"--gtest_output=json:{report}", "--gtest_brief=1",
                   environment=shares, check=False)
        counted = tally.gtest(report, allowed_skip()) if report.exists() else Tally()
        if code != 0 and not counted.failed:
            counted += Tally(0, 1, f"carillon_tests ended with {code}")
        return own_log, counted

    def steps(log):
        with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
            results = list(pool.map(lambda index: shard(log, index), range(CORES)))
        with log.open("a") as out:
            for own_log, _ in results:
                out.write(own_log.read_text(errors="replace"))
        total = sum((counted for _, counted in results), Tally())
        return total if total.passed or total.failed else Tally(0, 1, "there was no test to run")

    return steps


def broker_tests(preset):
    """The binary of the tests with real brokers, one process for each broker, and one for what needs none."""

    def one(log, broker, pattern):
        folders = LOGS / "brokers" / f"{preset}-{broker}"
        remove_brokers(folders)
        folders.mkdir(parents=True)
        report = log.with_suffix(f".{broker}.json")
        report.unlink(missing_ok=True)
        own_log = log.with_suffix(f".{broker}.log")
        own_log.write_text("")
        code = run(own_log, BUILD / preset / "carillon_broker_tests", f"--gtest_filter={pattern}",
                   f"--gtest_output=json:{report}", environment={"CARILLON_BROKER_FOLDERS": str(folders)}, check=False)
        remove_brokers(folders)
        counted = tally.gtest(report, "broker" if may_lack_brokers() else None) if report.exists() else Tally()
        if code != 0 and not counted.failed:
            counted += Tally(0, 1, f"carillon_broker_tests of {broker} ended with {code}")
        counted.note = f"{broker}: {counted.note}" if counted.note else ""
        return own_log, counted

    patterns = {name: f"{name}*" for name in ("Kafka", "Rabbitmq", "Redis", "Jetstream")}
    patterns["others"] = "-" + ":".join(patterns.values())

    def steps(log):
        with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
            results = list(pool.map(lambda item: one(log, *item), patterns.items()))
        with log.open("a") as out:
            for own_log, _ in results:
                out.write(own_log.read_text(errors="replace"))
        return sum((counted for _, counted in results), Tally())

    return steps


def may_lack_brokers():
    return os.environ.get("CI") != "true"


def remove_brokers(folders):
    """A test that died may have left a server, which is in a session of its own."""
    for folder in folders.glob("*-??????"):
        script = ROOT / "tests/brokers" / folder.name[:-7]
        subprocess.run([script, "kill", "--dir", folder / "server"], check=False, capture_output=True)
    shutil.rmtree(folders, ignore_errors=True)


def allowed_skip():
    """The word of the tests that may be skipped: those of test data that is not kept in this repository."""
    return None if (ROOT.parent / "shared" / "vectors").is_dir() else "vector"


def architecture(log):
    """One case per rule, and those that show that the rules see what they should."""
    run(log, sys.executable, ROOT / "tests/architecture/check_architecture_test.py")
    counted = tally.unittest_log(log)
    run(log, "cmake", "--preset", "release", "-DCARILLON_TESTS=ON", "-DCARILLON_GRPC=ON")
    run(log, sys.executable, ROOT / "tests/architecture/check_architecture.py",
        "--compile-commands", BUILD / "release/compile_commands.json", check=False)
    return counted + tally.passed_failed_line(log)


def format_check(log):
    """One case per file."""
    files = [path for folder in ("src", "tests", "fuzz", "bench") for path in sorted((ROOT / folder).rglob("*.[ch]pp"))]
    run(log, "clang-format-19", "--dry-run", "-Werror", *files, check=False)
    wrong = {line.split(":", 1)[0] for line in log.read_text().splitlines() if ": error:" in line}
    return Tally(len(files) - len(wrong), len(wrong))


def tidy(log):
    run(log, sys.executable, ROOT / "tests/check/tidy.py", BUILD / "release/compile_commands.json", BUILD / "tidy-cache",
        check=False)
    return tally.passed_failed_line(log)


def fuzz(log):
    """One case per target: so many seconds from its seeds without a finding."""

    def one(target):
        own_log = log.with_suffix(f".{target.name}.log")
        own_log.write_text("")
        name = target.name.removesuffix("_fuzz")
        found, seeds = LOGS / "corpus" / name, ROOT / "fuzz" / "corpus" / name
        found.mkdir(parents=True, exist_ok=True)
        code = run(own_log, target, f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
                   f"-artifact_prefix={LOGS}/{name}-", found, *([seeds] if seeds.is_dir() else []), check=False)
        return own_log, code

    targets = [path for path in sorted((BUILD / "fuzz/fuzz").glob("*_fuzz")) if os.access(path, os.X_OK)]
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        results = list(pool.map(one, targets))
    failed = [own_log for own_log, code in results if code != 0]
    with log.open("a") as out:
        for own_log in failed:
            out.write(f"{own_log.name}:\n{own_log.read_text(errors='replace')}")
    return Tally(len(targets) - len(failed), len(failed)) if targets else Tally(0, 1, "there is no fuzz target")


def simulation(binary, seeds, has_variants):
    """One case per core for its share of the seeds, and one for each broken variant that must be noticed."""

    def part(log, index):
        share = -(-seeds // CORES)
        own_log = log.with_suffix(f".{index}.log")
        own_log.write_text("")
        return own_log, run(own_log, binary, "--seeds", 1 + index * share, share, check=False)

    def steps(log):
        with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
            parts = list(pool.map(lambda index: part(log, index), range(CORES)))
        with log.open("a") as out:
            for own_log, _ in parts:
                out.write(own_log.read_text(errors="replace"))
        failed = sum(1 for _, code in parts if code != 0)
        result = Tally(len(parts) - failed, failed)
        if has_variants:
            run(log, binary, "--variants", check=False)
            result += tally.passed_failed_line(log)
        return result

    return steps


def pytest(runner, binary, *arguments):
    """A runner of pytest cases against a built server."""

    def steps(log):
        report = log.with_suffix(".xml")
        report.unlink(missing_ok=True)
        code = run(log, ROOT / runner, f"--junitxml={report}", *arguments, environment={"CARILLON_BINARY": str(binary)},
                   check=False)
        counted = tally.junit(report, allowed_skip()) if report.exists() else Tally()
        if code != 0 and not counted.failed:
            counted += Tally(0, 1, f"{runner} ended with {code}")
        return counted if counted.passed or counted.failed else Tally(0, 1, "there was no test to run")

    return steps


def campaign(binary, *options):
    """One case: so many seconds of kills under load of which nobody noticed anything."""

    def steps(log):
        load = BUILD / "release/tests/campaign/carillon-campaign"
        code = run(log, ROOT / "tests/campaign/run", "--binary", binary, "--load", load, *options, check=False)
        if code == CANNOT_BE_HAD and may_lack_brokers():
            return Tally(note=log.read_text(errors='replace').strip().splitlines()[-1])
        return Tally(1, 0) if code == 0 else Tally(0, 1, f"tests/campaign/run ended with {code}")

    return steps


def broker_campaign(binary, kind):
    """Three nodes on a real broker, which is killed too."""
    folder = LOGS / f"campaign-{kind}"

    def steps(log):
        try:
            return campaign(binary, "--log", kind, "--folder", folder, "--broker-kills", "2", "--kills", "3", "--minutes",
                            "0.4", "--rate", "1000")(log)
        finally:
            # The broker is in a session of its own, and the runner may have been ended by force.
            if Path(f"{folder}-broker").is_dir():
                script = ROOT / "tests/brokers" / {"jetstream": "nats"}.get(kind, kind)
                subprocess.run([script, "kill", "--dir", f"{folder}-broker/data"], check=False, capture_output=True)

    return steps


def main():
    parser = argparse.ArgumentParser(prog="./check", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="architecture, format and release unit tests only")
    quick = parser.parse_args().quick
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    LOGS.mkdir(parents=True, exist_ok=True)

    check = Check()
    check.stage("format", format_check)
    check.stage("architecture", architecture)
    check.stage("build release", build("release", [], "-DCARILLON_TESTS=ON"))
    check.stage("unit release", unit_tests("release"), needs=["build release"])
    if not quick:
        with check.beside("brokers", broker_tests("release"), needs=["build release"]):
            check.stage("simulation",
                        simulation(BUILD / "release/carillon_simulation", SIMULATION_SEEDS, has_variants=True),
                        needs=["build release"])
            check.stage("tidy", tidy, needs=["build release"])
        # The fuzz preset is the asan preset with coverage counters: one build serves both.
        with check.beside("black box", pytest("tests/blackbox/run", BUILD / "release/carillon"), needs=["build release"]):
            check.stage("build asan", build("fuzz", ["carillon", "carillon_tests", "carillon_broker_tests",
                                                     "carillon_simulation", "fuzz/all"]))
            check.stage("unit asan", unit_tests("fuzz"), needs=["build asan"])
        with check.beside("brokers asan", broker_tests("fuzz"), needs=["build asan"]):
            check.stage("simulation asan",
                        simulation(BUILD / "fuzz/carillon_simulation", SIMULATION_SEEDS_ASAN, has_variants=False),
                        needs=["build asan"])
            check.stage("fuzz", fuzz, needs=["build asan"])
            check.stage("campaign", campaign(BUILD / "release/carillon"), needs=["build release"])
            for kind in ("redis", "kafka", "rabbitmq", "jetstream"):
                check.stage(f"campaign {kind}", broker_campaign(BUILD / "release/carillon", kind), needs=["build release"])
        with check.beside("black box asan", pytest("tests/blackbox/run", BUILD / "fuzz/carillon"), needs=["build asan"]):
            check.stage("build tsan", build("tsan", ["carillon_tests"]))
            check.stage("unit tsan", unit_tests("tsan"), needs=["build tsan"])
        check.stage("browser", pytest("tests/browser/run", BUILD / "release/carillon"), needs=["build release"])
        check.stage("campaign asan", campaign(BUILD / "fuzz/carillon", "--rate", "500", "--users", "20", "--minutes", "0.4",
                                         "--kills", "6"),
                    needs=["build release", "build asan"])
    print(f"all in {clock(time.monotonic() - check.started)}")
    print(f"{check.total.passed} passed, {check.total.failed} failed")
    return 1 if check.total.failed or not check.total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
