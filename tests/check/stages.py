#!/usr/bin/env python3
"""Builds everything and runs every test; ./check calls this once the packages are there.

Each stage writes build/check/STAGE.log. The last line of the output is `N passed, N failed`, the sum over all stages, and
before it stand the names of the failed cases. A stage that fails without a count, or that did not run because what it
needs did not build, counts as one failure.
"""

import argparse
import concurrent.futures
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import tally
from command import ROOT, run, stop
from course import LOGS, Course, Stage
from failures import Failure, excerpt
from tally import Tally, of_cases

sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/brokers"))

from broker import CANNOT_BE_HAD, SCRIPT_OF, Broker  # noqa: E402

BUILD = ROOT / "build"
CORES = os.cpu_count() or 1
FUZZ_SECONDS = 10
SIMULATION_SEEDS = 20_000
SIMULATION_SEEDS_ASAN = 400


def build(preset, targets, *options):
    def steps(log):
        run(log, "cmake", "--preset", preset, "-DCARILLON_GRPC=ON", *options)
        which = ["--target", *targets] if targets else []
        run(log, "cmake", "--build", "--preset", preset, "--parallel", CORES, *which, gives_way=True)
        return Tally()

    return steps


def beside_each_other(log, parts, one):
    """`one(part's log, part)` for each, as many at a time as there are cores; their results. The parts' logs become the
    stage's. `parts` are named by their keys."""

    def with_log(item):
        own_log = log.with_suffix(f".{item[0]}.log")
        own_log.write_text("")
        return own_log, one(own_log, *item)

    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        results = list(pool.map(with_log, parts.items()))
    with log.open("a") as out:
        for own_log, _ in results:
            out.write(f"{own_log.name}:\n{own_log.read_text(errors='replace')}\n")
    return [result for _, result in results]


def one_case(name, code, log):
    """A command that ended with `code` and wrote `log`."""
    return of_cases(1, []) if code == 0 else of_cases(0, [Failure(name, excerpt(log.read_text(errors="replace")))])


def gtest(log, binary, *arguments, environment=None, allowed_skip=()):
    report = log.with_suffix(".json")
    report.unlink(missing_ok=True)
    code = run(log, binary, f"--gtest_output=json:{report}", *arguments, environment=environment, check=False)
    return tally.gtest(report, log, code, allowed_skip)


def unit_tests(preset):
    """The one test binary, as many processes as cores, each with its share of the cases."""

    def shard(own_log, index, _):
        shares = {"GTEST_TOTAL_SHARDS": str(CORES), "GTEST_SHARD_INDEX": str(index)}
        return gtest(own_log, BUILD / preset / "carillon_tests", environment=shares, allowed_skip=allowed_skip())

    def steps(log):
        total = sum(beside_each_other(log, dict.fromkeys(range(CORES)), shard), Tally())
        return total if total.passed or total.failed else Tally(0, 1, "there was no test to run")

    return steps


def broker_tests(preset):
    """The binary of the tests with real brokers, one process for each broker, and one for what needs none."""

    def one(own_log, broker, pattern):
        folders = LOGS / "brokers" / f"{preset}-{broker}"
        remove_brokers(folders)
        folders.mkdir(parents=True)
        counted = gtest(own_log, BUILD / preset / "carillon_broker_tests", f"--gtest_filter={pattern}",
                        environment={"CARILLON_BROKER_FOLDERS": str(folders)},
                        allowed_skip=allowed_broker_skip())
        remove_brokers(folders)
        counted.note = f"{broker}: {counted.note}" if counted.note else ""
        return counted

    patterns = {name: f"{name}*" for name in ("Kafka", "Rabbitmq", "Redis", "Jetstream")}
    patterns["others"] = "-" + ":".join(patterns.values())
    return lambda log: sum(beside_each_other(log, patterns, one), Tally())


def may_lack_brokers():
    return os.environ.get("CI") != "true"


def allowed_broker_skip():
    return ["broker"] if may_lack_brokers() else []


def remove_brokers(folders):
    """A test that died may have left a server, which is in a session of its own."""
    for folder in folders.glob("*-??????"):
        script = ROOT / "tests/brokers" / folder.name[:-7]
        subprocess.run([script, "kill", "--dir", folder / "server"], check=False, capture_output=True)
    shutil.rmtree(folders, ignore_errors=True)


def allowed_skip():
    """The words of the tests that may be skipped: those of test data that is not kept in this repository."""
    return [] if (ROOT.parent / "shared" / "vectors").is_dir() else ["vector", "wycheproof", "jsonsuite"]


def architecture(log):
    """One case per rule, and those that show that the rules see what they should."""
    run(log, sys.executable, ROOT / "tests/architecture/check_architecture_test.py", check=False)
    counted = tally.unittest_log(log)
    run(log, "cmake", "--preset", "release", "-DCARILLON_TESTS=ON", "-DCARILLON_GRPC=ON")
    run(log, sys.executable, ROOT / "tests/architecture/check_architecture.py",
        "--compile-commands", BUILD / "release/compile_commands.json", check=False)
    return counted + tally.passed_failed_line(log)


def format_check(log):
    """One case per file."""
    files = [path for folder in ("src", "tests", "fuzz", "bench") for path in sorted((ROOT / folder).rglob("*.[ch]pp"))]
    run(log, "clang-format-19", "--dry-run", "-Werror", *files, check=False)
    wrong = sorted({line.split(":", 1)[0] for line in log.read_text().splitlines() if ": error:" in line})
    return of_cases(len(files) - len(wrong), [Failure(str(Path(path).relative_to(ROOT))) for path in wrong])


def tidy(log):
    run(log, sys.executable, ROOT / "tests/check/tidy.py", BUILD / "release/compile_commands.json", BUILD / "tidy-cache",
        check=False, gives_way=True)
    return tally.passed_failed_line(log)


def fuzz(log):
    """One case per target: so many seconds from its seeds without a finding."""

    def one(own_log, name, target):
        found, seeds = LOGS / "corpus" / name, ROOT / "fuzz" / "corpus" / name
        found.mkdir(parents=True, exist_ok=True)
        code = run(own_log, target, f"-max_total_time={FUZZ_SECONDS}", "-timeout=10", "-rss_limit_mb=2048",
                   f"-artifact_prefix={LOGS}/{name}-", found, *([seeds] if seeds.is_dir() else []), check=False)
        return one_case(name, code, own_log)

    targets = {path.name.removesuffix("_fuzz"): path
               for path in sorted((BUILD / "fuzz/fuzz").glob("*_fuzz")) if os.access(path, os.X_OK)}
    return sum(beside_each_other(log, targets, one), Tally()) if targets else Tally(0, 1, "there is no fuzz target")


def simulation(binary, seeds, has_variants):
    """One case per core for its share of the seeds, and one for each broken variant that must be noticed."""

    def part(own_log, index, _):
        share = -(-seeds // CORES)
        code = run(own_log, binary, "--seeds", 1 + index * share, share, check=False, gives_way=True)
        return one_case(f"{index + 1}. share of the seeds", code, own_log)

    def variants(own_log, *_):
        run(own_log, binary, "--variants", check=False, gives_way=True)
        return tally.passed_failed_line(own_log)

    def steps(log):
        results = beside_each_other(log, dict.fromkeys(range(CORES)), part)
        if has_variants:
            results += beside_each_other(log, {"variants": None}, variants)
        return sum(results, Tally())

    return steps


def runner(path, binary=None):
    """A runner of tests that leaves a JUnit XML, where it needs one with a built server."""

    def steps(log):
        report = log.with_suffix(".xml")
        report.unlink(missing_ok=True)
        code = run(log, ROOT / path, f"--junitxml={report}",
                   environment={"CARILLON_BINARY": str(binary)} if binary else None, check=False)
        counted = tally.junit(report, allowed_skip() + allowed_broker_skip()) if report.exists() else Tally()
        if code != 0 and not counted.failed:
            counted += one_case(f"{path} ended with {code}", code, log)
        return counted if counted.passed or counted.failed else Tally(0, 1, "there was no test to run")

    return steps


def console_pages(log):
    """Beside the server, where it looks for them."""
    run(log, "cmake", "--build", "--preset", "release", "--target", "console")
    return Tally()


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
            if Path(f"{folder}-broker/data").is_dir():
                Broker(kind, f"{folder}-broker/data").kill()

    return steps


def quick_lanes():
    return [[
        Stage("format", format_check),
        Stage("architecture", architecture),
        Stage("build release", build("release", [], "-DCARILLON_TESTS=ON")),
        Stage("unit release", unit_tests("release"), needs=("build release",)),
    ]]


def all_lanes():
    """The first keeps the cores busy; the others mostly wait, and go first when they do not."""
    release, asan = BUILD / "release", BUILD / "fuzz"  # the fuzz preset is the asan preset with coverage counters
    busy = [
        *quick_lanes()[0],
        Stage("build asan", build("fuzz", ["carillon", "carillon_tests", "carillon_broker_tests", "carillon_simulation",
                                           "fuzz/all"])),
        Stage("unit asan", unit_tests("fuzz"), needs=("build asan",)),
        Stage("build tsan", build("tsan", ["carillon_tests"])),
        Stage("unit tsan", unit_tests("tsan"), needs=("build tsan",)),
        Stage("simulation", simulation(release / "carillon_simulation", SIMULATION_SEEDS, has_variants=True),
              needs=("build release",)),
        Stage("simulation asan", simulation(asan / "carillon_simulation", SIMULATION_SEEDS_ASAN, has_variants=False),
              needs=("build asan",)),
        Stage("fuzz", fuzz, needs=("build asan",)),
        Stage("tidy", tidy),
    ]
    brokers = [
        Stage("brokers", broker_tests("release"), needs=("build release",)),
        *(Stage(f"campaign {kind}", broker_campaign(release / "carillon", kind), needs=("build release",))
          for kind in SCRIPT_OF),
        Stage("brokers asan", broker_tests("fuzz"), needs=("build asan",)),
    ]
    servers = [
        Stage("black box", runner("tests/blackbox/run", release / "carillon"), needs=("build release",)),
        Stage("campaign", campaign(release / "carillon"), needs=("build release",)),
        Stage("black box asan", runner("tests/blackbox/run", asan / "carillon"), needs=("build asan",)),
        Stage("campaign asan",
              campaign(asan / "carillon", "--rate", "500", "--users", "20", "--minutes", "0.4", "--kills", "6"),
              needs=("build release", "build asan")),
    ]
    clients = [
        Stage("contract", runner("contract/test")),
        Stage("console", runner("console/test")),
        Stage("build console", console_pages, needs=("build release",)),
        Stage("browser", runner("tests/browser/run", release / "carillon"), needs=("build release", "build console")),
        Stage("documents", runner("tests/docs/run", release / "carillon"), needs=("build release", "build console")),
        Stage("python client", runner("clients/python/test", release / "carillon"), needs=("build release",)),
        Stage("typescript client", runner("clients/typescript/test", release / "carillon"), needs=("build release",)),
    ]
    return busy, brokers, servers, clients


def main():
    parser = argparse.ArgumentParser(prog="./check", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="architecture, format and release unit tests only")
    quick = parser.parse_args().quick
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    LOGS.mkdir(parents=True, exist_ok=True)

    course = Course()
    course.run(*quick_lanes() if quick else all_lanes())
    return course.end()


if __name__ == "__main__":
    sys.exit(main())
