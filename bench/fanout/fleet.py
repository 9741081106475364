"""Several Carillon processes on one port, with one log: for more clients than a process has descriptors for."""

import contextlib
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests/brokers"))

from broker import Broker, Log  # noqa: E402
from peers import Carillon  # noqa: E402


@contextlib.contextmanager
def fleet(build, folder, count):
    """The first of them, and the processes of all. Their log is on a Redis of their own; the kernel deals the clients out."""
    broker = Broker("redis", folder.with_name(f"{folder.name}-redis"))
    shutil.rmtree(broker.folder, ignore_errors=True)
    with contextlib.ExitStack() as block:
        block.callback(broker.kill)
        broker.start()
        settings = {"CARILLON_SERVER_REUSE_PORT": "true", **Log(broker).environment()}
        first = block.enter_context(Carillon(build, folder, settings))
        nodes = [first.served]
        for number in range(1, count):
            nodes.append(first.served.beside(number))
            block.callback(nodes[-1].end)
            nodes[-1].start()
        yield first, [node.process.pid for node in nodes]
