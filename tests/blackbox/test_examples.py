"""The quickstart and the examples that run a server, as a user runs them."""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess

import pytest
from ports import free_ports

from harness.server import BINARY, OTHER_ENVIRONMENT, ROOT
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


# --- quickstart: the script itself; packages and builds are others' ------------------------------------------------


def checkout(folder, with_console):
    """What quickstart finds where everything is built."""
    (folder / "build/release").mkdir(parents=True)
    shutil.copy(BINARY, folder / "build/release/carillon")
    (folder / "build/release/build.ninja").touch()
    shutil.copy(ROOT / "quickstart", folder)
    (folder / "examples").symlink_to(ROOT / "examples")
    for name in ("packaging/apt/install", "bin/cmake"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(f'#!/bin/sh\necho "$@" >> {folder}/called\n')
        (folder / name).chmod(0o755)
    if with_console:
        (folder / "build/release/console").mkdir()
        (folder / "build/release/console/index.html").write_text("<title>console</title>")
    return folder


@contextlib.contextmanager
def running_quickstart(folder, *options):
    """(its process, its port, the file with what it prints), once alice's tail has begun. It leaves nothing behind."""
    port, said = free_ports(5)[0], folder / "said"
    environment = {**OTHER_ENVIRONMENT, "PATH": f"{folder}/bin:{os.environ['PATH']}"}
    with open(said, "wb") as out:
        script = subprocess.Popen(
            [folder / "quickstart", "--port", str(port), *options], stdout=out, stderr=out, env=environment
        )
    try:
        until(lambda: "live at" in said.read_text() or script.poll() is not None, 30, "the quickstart")
        assert script.poll() is None, said.read_text()
        yield script, port, said
    finally:
        script.send_signal(signal.SIGINT)
        script.wait(20)
    until(lambda: is_free(port) and is_free(port + 1), 10, "the end of all that the script started")


@contextlib.contextmanager
def quickstart(folder, *options):
    """Its port and what it printed; it ends by Ctrl-C."""
    with running_quickstart(folder, *options) as (script, port, said):
        yield port, said.read_text()
    assert script.returncode == 130


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_quickstart_begins_with_the_console_and_a_token(tmp_path):
    with quickstart(checkout(tmp_path, with_console=True)) as (port, said):
        tokens = re.findall(rf"https://127\.0\.0\.1:{port}/console/#token=(\S+)", said)
        assert [claims_of(token)["sub"] for token in tokens] == ["alice", "alice"]
        assert [claims_of(token)["scope"].split() for token in tokens] == [
            ["signals", "orders", "alerts"],
            ["signals", "orders", "alerts", "admin"],
        ]
        assert said.index("/console/#token=") < said.index("Carillon runs") and "certificate" in said
        context = ssl.create_default_context(cafile=tmp_path / ".carillon/ca.pem")
        with contextlib.closing(http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)) as client:
            client.request("GET", "/console/")
            assert client.getresponse().read() == b"<title>console</title>"
    called = (tmp_path / "called").read_text().splitlines()
    assert called == [
        "build console",
        "--build --preset release --target carillon",
        "--build --preset release --target console",
    ]


def test_quickstart_ends_with_its_server(tmp_path):
    """Also while the agents have something to publish, which is tried again for minutes."""
    with running_quickstart(checkout(tmp_path, with_console=True)) as (script, port, said):
        children = subprocess.run(["pgrep", "-P", str(script.pid)], capture_output=True, text=True, check=True).stdout
        command_of = {pid: pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children.split()}
        [server] = [int(pid) for pid, command in command_of.items() if b"serve" in command.split(b"\0")]
        os.kill(server, signal.SIGKILL)
        assert script.wait(20) == 1
    assert "The server ended" in said.read_text()


def test_quickstart_goes_without_a_console(tmp_path):
    with quickstart(checkout(tmp_path, with_console=False), "--no-console") as (_, said):
        assert "/console/" not in said
    assert (tmp_path / "called").read_text().splitlines() == ["build", "--build --preset release --target carillon"]


def test_quickstart_goes_on_where_the_console_cannot_be_built(tmp_path):
    folder = checkout(tmp_path, with_console=False)
    (folder / "bin/cmake").write_text('#!/bin/sh\nfor last; do :; done\necho "about $last"\n[ "$last" != console ]\n')
    with quickstart(folder) as (_, said):
        assert "the console could not be built" in said and "about console" in said
        assert "/console/" not in said


# --- three nodes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def three_nodes(tmp_path):
    if shutil.which("redis-server") is None and os.environ.get("CI") != "true":
        pytest.skip("broker: no redis-server here")
    port, said = free_ports(5)[0], tmp_path / "said"
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
    return [
        BINARY,
        command,
        "--url",
        f"https://127.0.0.1:{port}",
        "--ca",
        home / "ca.pem",
        *arguments,
        "--token-file",
        home,
    ]


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
            subprocess.run(
                publish, input=line.encode(), env=OTHER_ENVIRONMENT, check=True, timeout=30, capture_output=True
            )
        until(lambda: len(alerts(seen)) >= len(ids), 30, "all alerts")
        assert alerts(seen) == ids
    finally:
        watcher.kill()
        watcher.wait()
