"""The examples that run a server, as a user runs them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from harness.server import BINARY, OTHER_ENVIRONMENT, ROOT, free_port
from harness.waiting import until

ENVIRONMENT = {**OTHER_ENVIRONMENT, "CARILLON_BINARY": BINARY}


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def five_free_ports():
    def first():
        port = free_port()
        return port if all(is_free(port + i) for i in range(5)) else None

    return until(first, what="five ports in a row")


@pytest.fixture
def three_nodes(tmp_path):
    if shutil.which("redis-server") is None and os.environ.get("CI") != "true":
        pytest.skip("broker: no redis-server here")
    port, said = five_free_ports(), tmp_path / "said"
    with open(said, "wb") as out:
        script = subprocess.Popen(
            [ROOT / "examples/three-nodes", "--port", str(port)], stdout=out, stderr=out, env=ENVIRONMENT
        )
    until(lambda: "Ctrl-C stops" in said.read_text() or script.poll() is not None, 60, "three nodes")
    assert script.poll() is None, said.read_text()
    yield port, [int(pid) for pid in re.search(r"kill -9 (\d+) .*or (\d+), (\d+)", said.read_text()).groups()]
    script.send_signal(signal.SIGTERM)
    assert script.wait(20) == 143
    until(lambda: is_free(port) and is_free(port + 4), 10, "the end of all that the script started")


def carillon(port, command, *arguments):
    home = ROOT / ".carillon/three-nodes"
    return [BINARY, command, "--url", f"https://127.0.0.1:{port}", "--ca", home / "ca.pem", *arguments, "--token-file", home]


def alerts(file):
    messages = [json.loads(line) for line in file.read_text().splitlines()]
    # The example keeps its log: what earlier runs left open comes as the snapshot.
    return [m["payload"]["alert_id"] for m in messages if m["event"] == "system_alert" and "snapshot" not in m]


def test_a_watcher_goes_on_when_nodes_of_three_are_killed(three_nodes, tmp_path):
    port, nodes = three_nodes
    seen, live = tmp_path / "seen", tmp_path / "live"
    tail = carillon(port, "tail", "--json")
    tail[-1] = tail[-1] / "alice.token"
    publish = carillon(port, "publish")
    publish[-1] = publish[-1] / "agent.token"
    with open(seen, "wb") as out, open(live, "wb") as err:
        watcher = subprocess.Popen(tail, stdout=out, stderr=err, env=OTHER_ENVIRONMENT)
    try:
        until(lambda: "live at" in live.read_text(), 10, "a watcher that is live")
        ids = []
        for node in [None, *nodes[:2]]:
            if node is not None:
                os.kill(node, signal.SIGKILL)
            ids.append(f"alert-{len(ids)}")
            payload = {"alert_id": ids[-1], "level": "WARNING", "message": "Hello"}
            line = json.dumps({"event": "system_alert", "payload": payload}) + "\n"
            subprocess.run(publish, input=line.encode(), env=OTHER_ENVIRONMENT, check=True, timeout=30, capture_output=True)
        until(lambda: len(alerts(seen)) >= len(ids), 30, "all alerts")
        assert alerts(seen) == ids
    finally:
        watcher.kill()
        watcher.wait()
