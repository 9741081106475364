"""`carillon stats`: the latency meter of a running server, for people and for programs."""

import contextlib
import http.server
import json
import threading

import pytest

from harness import command, events
from harness.server import free_port
from harness.waiting import until

EVENTS = ("new_trade_signal", "order_update", "system_alert")
STAGES = ("event_to_accepted", "accepted_to_written", "written_to_receipt")


def address_of(server):
    return "%s:%d" % server.admin_address


def stats(server):
    result = command.run("stats", "--json", "--admin", address_of(server))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


def failure(*words, directory=None):
    """What it says on standard error."""
    result = command.run("stats", *words, directory=directory)
    assert result.returncode == 1
    assert result.stdout == ""
    assert all(line.startswith("carillon: ") for line in result.stderr.splitlines())
    return result.stderr


def receipt_for(server, alice):
    """Publishes an alert, which alice gets and acknowledges."""
    server.publish(events.alert())
    alice.received(alice.notification()["id"])


def test_it_measures_each_stage_by_event(carillon):
    server = carillon().start()
    before = stats(server)
    assert all(before["delivery_seconds"][event][stage]["count"] == 0 for event in EVENTS for stage in STAGES)

    order = events.order("alice", status="FILLED", quantity_filled=1.5, quantity_total=1.5)
    with server.connect("alice") as alice:
        server.publish(events.signal())
        server.publish(order)
        server.publish({**events.order("alice"), "payload": order["payload"]})  # its order has ended
        alice.notifications(2)
        # The first receipt tells the server that this client sends some; writes after it are measured.
        receipt_for(server, alice)
        receipt_for(server, alice)
        after = until(
            lambda: (now := stats(server))["delivery_seconds"]["system_alert"]["written_to_receipt"]["count"] and now
        )
        assert after["sessions"] == 1 and after["connections"] == 1

    times = after["delivery_seconds"]
    assert [times[event]["event_to_accepted"]["count"] for event in EVENTS] == [1, 1, 2]
    assert [times[event]["accepted_to_written"]["count"] for event in EVENTS] == [1, 1, 2]
    assert [times[event]["written_to_receipt"]["count"] for event in EVENTS] == [0, 0, 1]
    assert [times[event]["event_to_accepted"]["limit"] for event in EVENTS] == [2, 2, 5]
    for event in EVENTS:
        written = times[event]["accepted_to_written"]
        assert 0 < written["p50"] <= written["p99"] <= written["slowest"]
    assert after["withheld"] == {"after_terminal": 1}
    assert after["dead_letters"] == {} and after["resumes"] == {} and after["slow_clients"] == 0


def test_an_event_that_comes_late_is_beyond_its_limit(carillon):
    server = carillon().start()
    server.publish({**events.signal(), "timestamp": "2020-01-01T00:00:00Z"})
    stage = until(
        lambda: (now := stats(server)["delivery_seconds"]["new_trade_signal"]["event_to_accepted"])["count"] and now
    )
    assert stage == {"count": 1, "p50": None, "p99": None, "slowest": None, "beyond_limit": 1, "limit": 2}


def test_it_counts_resumes_by_result(carillon):
    server = carillon().start()
    with server.connect("alice") as alice:
        alice.catch_up()
        position = alice.live["payload"]["position"]
    for asked in (position, position, "j0.7"):
        with server.connect("alice", resume=asked) as alice:
            alice.catch_up()
    assert stats(server)["resumes"] == {"complete": 2, "epoch": 1}


def test_people_get_a_table(server):
    result = command.run("stats", "--admin", address_of(server))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(address_of(server) + ": ")
    for word in (*EVENTS, "event to accepted", "written to receipt", "withheld", "dead letters", "slow clients"):
        assert word in result.stdout


def test_the_port_is_found_in_a_configuration_or_the_development_setup(server, tmp_path):
    result = command.run("stats", "--json", "--config", server.config_path)
    assert json.loads(result.stdout)["admin"] == address_of(server)

    (tmp_path / ".carillon").symlink_to(server.directory)
    result = command.run("stats", "--json", directory=tmp_path)
    assert json.loads(result.stdout)["admin"] == address_of(server)

    broken = server.directory / "broken.toml"
    broken.write_text(server.config_path.read_text() + "colour = 'blue'\n")
    assert "broken.toml:" in failure("--config", broken)
    assert "nothing.toml" in failure("--config", tmp_path / "nothing.toml")


def test_nobody_there(server):
    address = f"127.0.0.1:{free_port()}"
    assert f"at {address}: Connection refused" in failure("--admin", address)


@contextlib.contextmanager
def answering(status, body):
    """Another program's HTTP server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    # HTTP/1.1, so that the answer is of that version.
    Handler.protocol_version = "HTTP/1.1"
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as stranger:
        thread = threading.Thread(target=stranger.serve_forever, args=(0.05,))
        thread.start()
        yield "127.0.0.1:%d" % stranger.server_address[1]
        stranger.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (404, b"no", "/metrics is answered by 404"),
        (200, b"<html>", "line 1 is no sample of a metric"),
        (200, b"go_goroutines 7\n", "not the metrics of a Carillon server"),
        (200, b"", "not the metrics of a Carillon server"),
    ],
)
def test_another_program_there(status, body, why):
    with answering(status, body) as address:
        said = failure("--admin", address)
    assert f"what answers at {address} is not a server's administrator's port" in said and why in said


def test_the_public_port_is_not_the_administrators(server):
    said = failure("--admin", "127.0.0.1:%d" % server.address[1])
    assert "is not a server's administrator's port" in said
