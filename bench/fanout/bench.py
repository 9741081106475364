"""Starts servers, puts loads on them, and keeps what these report."""

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fleet import fleet  # noqa: E402
from machine import CpuShares, on_cores  # noqa: E402
from peers import Carillon, Floor, Nats, Nchan  # noqa: E402

PEERS = {peer.name: peer for peer in (Floor, Carillon, Nats, Nchan)}
SERVER_CORES, LOAD_CORES = {0}, {1}
PATIENCE_SECONDS = 600
WARM_UP_BURSTS = 5
NO_HEARTBEATS = {"CARILLON_HEARTBEAT_INTERVAL": "10m"}  # they are no deliveries, and have a stage of their own
LEAD_SECONDS = 15  # from when all loads are told until they begin: the warm-up's time


class Reports(list):
    """Of one stage: what the loads wrote, each with the peer, clients and shards that it is of."""

    def median(self, key, **about):
        """Of those reports; None where one of them has no such figure."""
        values = [report["figures"].get(key) for report in self if about.items() <= report.items()]
        return None if not values or None in values else statistics.median(values)

    def ratio(self, key, over, below, **about):
        above, under = (self.median(key, peer=peer, **about) for peer in (over, below))
        return None if above is None or not under else above / under

    def void(self):
        return [report for report in self if not report["valid"]]


class Bench:
    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.results = {}  # stage: Reports

    def broadcast(self, stage, peer, clients, events, interval_ms=None, together=1, shards=1, settings=None, words=()):
        """Without an interval the next events go when everybody has the last. `settings` are a Carillon server's."""
        pace = ["--unthrottled"] if interval_ms is None else ["--interval-ms", interval_ms]

        def command(server, report):
            return [*self._fanout("broadcast", server, server.processes, report), "--clients", clients, "--events", events,
                    "--together", together, *pace, "--warm-up", WARM_UP_BURSTS, *words]

        return self._measure(stage, peer, command, clients, shards, NO_HEARTBEATS | (settings or {}))

    def targeted(self, stage, clients, settings=None):
        def command(server, report):
            return [*self._fanout("targeted", server, server.processes, report), "--clients", clients]

        return self._measure(stage, "carillon", command, clients, settings=NO_HEARTBEATS | (settings or {}))

    def scenario(self, stage, clients, *words, settings=None):
        """One of carillon-bench."""
        def command(server, report):
            return [*server.served.bench_command(self.build / "bench/carillon-bench", report), *words]

        return self._measure(stage, "carillon", command, clients, settings=settings)

    def shared_broadcast(self, stage, nodes, clients_of_each, events, interval_ms):
        """Several servers on one port and as many loads, on all cores: everybody gets the same events."""
        run = os.urandom(4).hex()

        def take():
            with fleet(self.build, self.folder / stage.name, nodes) as (first, processes):
                before = anonymous_bytes(processes)
                reports = [self.folder / f"report.{number}.json" for number in range(nodes)]
                for report in reports:
                    report.unlink(missing_ok=True)
                loads = Loads([
                    [*self._fanout("broadcast", first, processes, report), "--run", run, "--clients", clients_of_each,
                     "--sources", 2 * nodes, "--events", events, "--interval-ms", interval_ms, "--warm-up", WARM_UP_BURSTS,
                     *(["--only-listen"] if number > 0 else [])] for number, report in enumerate(reports)])
                with loads:
                    loads.wait_until_live()
                    idle = anonymous_bytes(processes) - before
                    loads.begin()
                told = [read_report(report) for report in reports]
            figures = {key: max(one["figures"].get(key, 0) for one in told)
                       for key in ("last_client_ms", "delivery_p99_ms", "delivery_max_ms")}
            figures["idle_bytes_per_connection"] = idle / (nodes * clients_of_each)
            return {"valid": all(one["valid"] for one in told), "figures": figures,
                    "first_faults": [fault for one in told for fault in one["first_faults"]]}

        return self._keep(stage, take, peer="carillon", clients=nodes * clients_of_each, shards=nodes)

    def _measure(self, stage, peer, command, clients, shards=1, settings=None):
        """The report of the load that `command` makes for a server which was started for it."""
        server_cores, load_cores = (SERVER_CORES, LOAD_CORES) if shards == 1 else (SERVER_CORES | LOAD_CORES,) * 2
        folder, report = self.folder / f"{stage.name}-{peer}", self.folder / "report.json"

        def server():
            if peer == "carillon":
                return Carillon(self.build, folder, {"CARILLON_SERVER_SHARDS": str(shards), **(settings or {})})
            return PEERS[peer](self.build, folder)

        def take():
            report.unlink(missing_ok=True)
            with contextlib.ExitStack() as block:
                with on_cores(server_cores):
                    started = block.enter_context(server())
                with on_cores(load_cores):
                    subprocess.run([*map(str, command(started, report))], timeout=PATIENCE_SECONDS, check=False)
            return read_report(report)

        return self._keep(stage, take, peer=peer, clients=clients, shards=shards)

    def _keep(self, stage, take, **about):
        """What fails makes the load void."""
        print(f"== {stage.name}: {about['peer']}, {about['clients']:,} clients"
              + (f", {about['shards']} shards" if about["shards"] > 1 else ""), flush=True)
        shares = CpuShares()
        try:
            report = take()
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            report = {"valid": False, "figures": {}, "first_faults": [str(error)]}
            print(f"  VOID: {error}", flush=True)
        report |= {**about, "others_cpu_share": round(shares.of_others(), 3)}
        self.results.setdefault(stage.name, Reports()).append(report)
        return report

    def _fanout(self, scenario, server, processes, report):
        secret = ["--secret", server.secret] if server.secret else []
        return [self.build / "bench/carillon-fanout", scenario, "--peer", server.name, "--subscribe", server.subscribe,
                "--publish", server.publish, "--ca", server.ca, *secret, "--server-pid", ",".join(map(str, processes)),
                "--json", report]


class Loads:
    """Several at a time, of one run: none begins before all have their clients."""

    def __init__(self, commands):
        self.commands, self.processes = commands, []

    def __enter__(self):
        self.processes = [subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                          for command in self.commands]
        return self

    def wait_until_live(self):
        for load in self.processes:
            if (said := load.stdout.readline()) != "live\n":
                raise RuntimeError(f"a load did not get its clients: {said}{load.stdout.read()}")

    def begin(self):
        """And see them through."""
        start = time.monotonic_ns() + LEAD_SECONDS * 10**9
        for load in self.processes:
            load.stdin.write(f"{start}\n")
            load.stdin.flush()
        for load in self.processes:
            print(load.communicate(timeout=PATIENCE_SECONDS)[0], end="", flush=True)

    def __exit__(self, *_):
        for load in self.processes:
            load.kill()
            load.wait()


def read_report(file):
    if not file.exists():
        raise RuntimeError("a load left no report")
    return json.loads(file.read_text())


def anonymous_bytes(processes):
    """What they have in memory that belongs to no file."""
    status = [Path(f"/proc/{process}/status").read_text() for process in processes]
    return sum(1024 * int(re.search(r"^RssAnon:\s+(\d+) kB$", text, re.M)[1]) for text in status)
