"""What is measured, and what it must be. A stage's measure() puts loads on servers, its figures() say what came of them."""

import re
import subprocess
import tempfile

from bench import PEERS, SERVER_CORES
from figures import Figure
from machine import on_cores
from served import PATIENT

CPU = "cpu_per_delivery_us"


class Stage:
    """`is_repeated`: in every run; otherwise only in the first one, because it averages over very much by itself."""

    name = None
    is_repeated = True

    def measure(self, bench):
        raise NotImplementedError

    def figures(self, reports):
        raise NotImplementedError


class BesidePeers(Stage):
    """The same messages through every server in turn."""

    clients = 5_000

    def __init__(self, name, title, to_floor_max, **load):
        self.name, self.title, self.to_floor_max, self.load = name, title, to_floor_max, load

    def measure(self, bench):
        for peer in PEERS:
            bench.broadcast(self, peer, self.clients, **self.load)

    def figures(self, reports):
        for peer in PEERS:
            yield Figure(f"{self.title}: {peer}, server CPU per delivery (us)", reports.median(CPU, peer=peer))
        yield Figure("  carillon to floor", reports.ratio(CPU, "carillon", "floor"), ("<=", self.to_floor_max))
        to_peers = [reports.ratio(CPU, "carillon", peer) for peer in ("nats", "nchan")]
        yield Figure("  carillon to the better of nats and nchan", None if None in to_peers else max(to_peers), ("<=", 0.6))
        for key, what in (("last_client_ms", "last client (ms)"), ("idle_bytes_per_connection", "bytes per idle connection")):
            for peer in PEERS:
                yield Figure(f"{self.title}: {peer}, {what}", reports.median(key, peer=peer))


class LastClient(Stage):
    name = "last"
    clients = 10_000

    def measure(self, bench):
        for peer in ("floor", "carillon"):
            bench.broadcast(self, peer, self.clients, events=25, interval_ms=300)

    def figures(self, reports):
        for peer in ("floor", "carillon"):
            yield Figure(f"one event to 10,000 clients: {peer}, last client (ms)", reports.median("last_client_ms", peer=peer))
        yield Figure("  carillon to floor", reports.ratio("last_client_ms", "carillon", "floor"), ("<=", 1.15))


class Memory(Stage):
    name = "memory"
    clients = 10_000

    def measure(self, bench):
        bench.scenario(self, self.clients, "memory", "--base-clients", 1_000, "--clients", self.clients)

    def figures(self, reports):
        yield Figure("memory per idle connection, 1,000 to 10,000 (bytes)",
                     reports.median("idle_bytes_per_connection"), ("<=", 16_384))
        yield Figure("  after each got an event (bytes)", reports.median("used_bytes_per_connection"), ("<=", 17_408))


class Targeted(Stage):
    """From the call that publishes to the client. The journal is in memory, for what is measured is the way of an event
    past others' events; how long the disk takes to have it is told beside it."""

    name = "targeted"
    clients = 10_000

    def measure(self, bench):
        with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="carillon-bench-") as memory:
            settings = {"CARILLON_LOG_JOURNAL_PATH": f"{memory}/journal.db"}
            bench.targeted(self, self.clients, settings)["journal"] = "memory"
        bench.targeted(self, self.clients)["journal"] = "disk"

    def figures(self, reports):
        yield Figure("an event for one of 10,000 clients while broadcasts go to all, p99 (ms)",
                     reports.median("targeted_p99_ms", journal="memory"), ("<=", 5))
        yield Figure("  p50 (ms)", reports.median("targeted_p50_ms", journal="memory"))
        yield Figure("  with the journal on the disk, p99 (ms)", reports.median("targeted_p99_ms", journal="disk"))
        yield Figure("    p50 (ms)", reports.median("targeted_p50_ms", journal="disk"))


class Storm(Stage):
    """What TLS alone needs is asked of the same core right before."""

    name = "storm"
    clients = 1_000

    def measure(self, bench):
        seconds = handshake_seconds()
        report = bench.scenario(self, self.clients, "connect-storm", "--clients", self.clients)
        if report["valid"]:
            report["figures"]["crypto_us"] = 1e6 * seconds
            report["figures"]["share_of_crypto"] = 1e6 * seconds / report["figures"]["cpu_per_connect_us"]

    def figures(self, reports):
        yield Figure("connects per second of server CPU: TLS, token, auth_ok", reports.median("connects_per_cpu_second"))
        yield Figure("  to what one signature and one key exchange leave room for", reports.median("share_of_crypto"),
                     (">=", 0.8))
        yield Figure("  p99 of live clients in a storm, to quiet", reports.median("live_p99_ratio"), ("<=", 2))
        yield Figure("connects per second of server CPU with a TLS ticket", reports.median("resumed_connects_per_cpu_second"))


class Heartbeats(Stage):
    name, is_repeated = "heartbeats", False
    clients = 10_000

    def measure(self, bench):
        bench.scenario(self, self.clients, "heartbeats", "--clients", self.clients, "--seconds", 60)

    def figures(self, reports):
        yield Figure("10,000 idle clients with heartbeats (% of a core)", reports.median("cpu_percent_of_a_core"), ("<=", 3))


class Allocations(Stage):
    """At two sizes with the same events: the slope is what a delivery allocates, the rest is what an event does."""

    name, is_repeated = "allocations", False
    sizes, events = (500, 10_000), 100

    def measure(self, bench):
        for clients in self.sizes:
            counter = bench.folder / "allocations"
            bench.broadcast(self, "carillon", clients, events=self.events, words=["--allocations", counter], settings={
                "LD_PRELOAD": str(bench.build / "bench/count_allocations.so"), "ALLOCATIONS_FILE": str(counter)})

    def figures(self, reports):
        few, many = (reports.median("allocations", clients=clients) for clients in self.sizes)
        per_delivery = None if None in (few, many) else (many - few) / (self.sizes[1] - self.sizes[0]) / self.events
        yield Figure("allocations per delivery", per_delivery, ("=", 0), decimals=4)
        yield Figure("  per event, 500 clients", None if few is None else few / self.events)


class Pressure(Stage):
    name, is_repeated = "pressure", False
    sizes = {"1,000 broadcasts a second": (200, {"events": 10_000, "interval_ms": 1}),
             "broadcasts as fast as they get through": (5_000, {"events": 5_000, "together": 50})}

    def measure(self, bench):
        for clients, load in self.sizes.values():
            bench.broadcast(self, "carillon", clients, **load)

    def figures(self, reports):
        for title, (clients, _) in self.sizes.items():
            yield Figure(f"{title}, {clients:,} clients: deliveries per second",
                         reports.median("deliveries_per_second", clients=clients))
            yield Figure("  server CPU per delivery (us)", reports.median(CPU, clients=clients))
            yield Figure("  p99 (ms)", reports.median("delivery_p99_ms", clients=clients))


class Stalled(Stage):
    name, is_repeated = "stalled", False
    clients = 2_000

    def measure(self, bench):
        bench.scenario(self, self.clients, "stalled", "--clients", self.clients, "--stalled", 200, "--rate", 500,
                       "--seconds", 15, settings=PATIENT)

    def figures(self, reports):
        yield Figure("p99 of 1,800 clients while 200 stall, to quiet", reports.median("p99_ratio"), ("<", 1.2))


class Unfriendly(Stage):
    name, is_repeated = "unfriendly", False
    clients = 1_000

    def measure(self, bench):
        bench.scenario(self, self.clients, "unfriendly", "--clients", self.clients)

    def figures(self, reports):
        yield Figure("p99 with handshakes, pings, half-open and stalled connections all at once, to quiet",
                     reports.median("p99_ratio"), ("<", 2))


class Growth(Stage):
    """From few clients to as many as a process has descriptors for: at each size for some seconds."""

    name, is_repeated = "growth", False
    sizes = (100, 1_000, 5_000, 15_000)
    series = {"floor": ("floor", 1), "carillon": ("carillon", 1), "carillon, 2 shards": ("carillon", 2)}
    seconds, delivery_us = 4, 30  # for which the interval between two events leaves time

    def measure(self, bench):
        for clients in self.sizes:
            interval_ms = max(5, clients * self.delivery_us / 1000)
            for peer, shards in self.series.values():
                bench.broadcast(self, peer, clients, events=round(1000 * self.seconds / interval_ms), interval_ms=interval_ms,
                                shards=shards)

    def figures(self, reports):
        for clients in self.sizes:
            for title, (peer, shards) in self.series.items():
                about = {"peer": peer, "clients": clients, "shards": shards}
                yield Figure(f"one event to {clients:,} clients: {title}, server CPU per delivery (us)",
                             reports.median(CPU, **about))
                yield Figure("  last client (ms)", reports.median("last_client_ms", **about))


class Many(Stage):
    """Over several processes, for no process has so many descriptors. They all share the machine's cores."""

    name, is_repeated = "many", False
    nodes, clients_of_each = 4, 15_000

    def measure(self, bench):
        bench.shared_broadcast(self, self.nodes, self.clients_of_each, events=10, interval_ms=3_000)

    def figures(self, reports):
        yield Figure("60,000 clients of 4 processes: memory per idle connection (bytes)",
                     reports.median("idle_bytes_per_connection"))
        yield Figure("  one event to all of them, last client (ms)", reports.median("last_client_ms"))


def handshake_seconds():
    """One ECDSA signature with P-256 and one derivation with X25519, by `openssl speed` on the core that servers get."""
    with on_cores(SERVER_CORES):
        told = subprocess.run(["openssl", "speed", "-mr", "-seconds", "1", "ecdsap256", "ecdhx25519"], check=True,
                              capture_output=True, text=True).stdout
    # +F4:number:bits:signatures a second:verifications a second, +F5:number:bits:derivations a second:seconds of one
    signatures, derivations = (float(re.search(rf"^\+{kind}:\d+:\d+:([^:]+):", told, re.M)[1]) for kind in ("F4", "F5"))
    return 1 / signatures + 1 / derivations


STAGES = {stage.name: stage for stage in (
    BesidePeers("alone", "one event to 5,000 clients", 1.15, events=40, interval_ms=150),
    BesidePeers("together", "ten events at once to 5,000 clients", 1.2, events=120, together=10, interval_ms=1_000),
    LastClient(), Memory(), Targeted(), Storm(), Heartbeats(), Allocations(), Pressure(), Stalled(), Unfriendly(), Growth(),
    Many())}
