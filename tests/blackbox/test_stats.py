"""What a node says of itself: over REST to administrators, on the administrator's port, and by `carillon stats`."""

import contextlib
import datetime
import http.server
import json
import threading

import pytest
from ports import free_port
from validation import faults

from harness import command, events
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


def rest_stats(server, scope="admin", **headers):
    with server.rest("operator", scope=scope, is_remembered=False) as rest:
        return rest.call("GET", "/v1/stats", headers=headers)


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
    assert all(before["events"][event][stage]["count"] == 0 for event in EVENTS for stage in STAGES)

    order = events.order("alice", status="FILLED", quantity_filled=1.5, quantity_total=1.5)
    with server.connect("alice") as alice:
        server.publish(events.signal())
        server.publish(order)
        server.publish({**events.order("alice"), "payload": order["payload"]})  # its order has ended
        alice.notifications(2)
        # The first receipt tells the server that this client sends some; writes after it are measured.
        receipt_for(server, alice)
        receipt_for(server, alice)
        after = until(lambda: (now := stats(server))["events"]["system_alert"]["written_to_receipt"]["count"] and now)
        assert after["sessions"] == 1 and after["connections"] == 1 and after["sessions_behind"] == 0

    times = after["events"]
    assert [times[event]["published"] for event in EVENTS] == [1, 1, 2]
    assert [times[event]["late"] for event in EVENTS] == [0, 0, 0]
    assert after["notifications_sent"] == 4
    assert [times[event]["event_to_accepted"]["count"] for event in EVENTS] == [1, 1, 2]
    assert [times[event]["accepted_to_written"]["count"] for event in EVENTS] == [1, 1, 2]
    assert [times[event]["written_to_receipt"]["count"] for event in EVENTS] == [0, 0, 1]
    assert [times[event]["event_to_accepted"]["limit_seconds"] for event in EVENTS] == [2, 2, 5]
    for event in EVENTS:
        for stage in STAGES:
            buckets = times[event][stage]["buckets"]
            assert sum(bucket["count"] for bucket in buckets) == times[event][stage]["count"]
            bounds = [bucket["le_seconds"] for bucket in buckets]
            assert bounds[-1] is None and bounds[:-1] == sorted(set(bounds[:-1]))
    assert after["withheld"] == {"after_terminal": 1}
    assert after["dead_letters"] == {} and after["resumes"] == {} and after["slow_clients"] == 0


def test_an_event_that_comes_late_is_beyond_its_limit(carillon):
    server = carillon().start()
    server.publish({**events.signal(), "timestamp": "2020-01-01T00:00:00Z"})
    signals = until(lambda: (now := stats(server)["events"]["new_trade_signal"])["event_to_accepted"]["count"] and now)
    assert signals["late"] == 1
    stage = signals["event_to_accepted"]
    assert (stage["count"], stage["beyond_limit"], stage["limit_seconds"]) == (1, 1, 2)
    assert stage["buckets"][-1] == {"le_seconds": None, "count": 1}


def test_it_counts_resumes_by_result(carillon):
    server = carillon().start()
    with server.connect("alice") as alice:
        alice.catch_up()
        position = alice.live["payload"]["position"]
    for asked in (position, position, "j0.7"):
        with server.connect("alice", resume=asked) as alice:
            alice.catch_up()
    assert stats(server)["resumes"] == {"complete": 2, "epoch": 1}


def test_refusals_are_counted_by_reason(carillon):
    server = carillon().start()
    with server.rest() as rest:
        rest.publish(events.alert())
        assert rest.post({"event": "rumour"}).status == 422
    with server.raw() as client:
        assert client.upgrade(authorization="Bearer no-token").status == 401
    with server.connect("alice") as alice:
        alice.send("no JSON")
        assert alice.next_of("invalid_message")["payload"]["code"] == "not_json"
    now = until(lambda: (now := stats(server))["sessions_closed"] and now)
    assert now["rest_calls"] == {"202": 1, "422": 1}
    assert now["auth_failed"] == {"malformed_token": 1}
    assert now["invalid_messages"] == {"not_json": 1}
    assert now["sessions_closed"] == {"1000": 1}
    assert now["http_responses"]["401"] == 1 and now["http_responses"]["422"] == 1


def test_a_client_that_does_not_read_is_behind(carillon):
    server = carillon().start()
    with server.raw_stream("alice", receive_buffer=4096):

        def is_behind():
            server.publish(*[events.order("alice") for _ in range(100)])
            return stats(server)["sessions_behind"] == 1

        until(is_behind, 30, "a session that is behind")
    until(lambda: (now := stats(server))["sessions_behind"] == 0 and now["sessions"] == 0, 20, "its end")


def test_it_says_what_it_is(carillon):
    server = carillon().start()
    now = stats(server)
    assert now["version"] and command.run("version").stdout.strip().endswith(now["version"])
    assert (now["ready"], "obstacle" in now) == (True, False)
    assert now["log"] == {"kind": "journal", "connected": True, "writable": True, "lag_milliseconds": 0}
    assert 0 <= now["uptime_seconds"] < 60
    said = datetime.datetime.fromisoformat(now["at"])
    assert abs((said - datetime.datetime.now(datetime.UTC)).total_seconds()) < 60


def without_what_moves(stats):
    return {name: value for name, value in stats.items() if name not in ("at", "uptime_seconds", "http_responses")}


def test_administrators_get_the_same_over_rest(server):
    answer = rest_stats(server)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert without_what_moves(answer.json) == without_what_moves(stats(server))


def test_nobody_else_gets_it_over_rest(server):
    for scope in (None, "publish", "signals orders alerts"):
        assert rest_stats(server, scope).status == 403
    for value in (None, "Bearer x"):
        answer = rest_stats(server, Authorization=value)
        assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.json["event"] == "auth_failed"


def test_it_keeps_its_schema(server):
    with server.connect("alice") as alice:
        server.publish(events.alert())
        alice.notification()
        assert faults("stats.schema.json", rest_stats(server).json) == []
    # And it would say so if it did not.
    assert faults("stats.schema.json", {**rest_stats(server).json, "sessions": -1})


def test_people_get_a_table(server):
    result = command.run("stats", "--admin", address_of(server))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(address_of(server) + ": ")
    for word in (*EVENTS, "event to accepted", "written to receipt", "withheld", "dead letters", "slow clients"):
        assert word in result.stdout


def test_the_port_is_found_in_a_configuration_or_the_development_setup(server, tmp_path):
    result = command.run("stats", "--config", server.config_path)
    assert result.stdout.startswith(address_of(server) + ": ")

    (tmp_path / ".carillon").symlink_to(server.directory)
    result = command.run("stats", directory=tmp_path)
    assert result.stdout.startswith(address_of(server) + ": ")

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
        (404, b"no", "/stats is answered by 404"),
        (200, b"<html>", "at byte 0"),
        (200, b"{}", "not the statistics of a Carillon server"),
        (200, b"", "at byte 0"),
    ],
)
def test_another_program_there(status, body, why):
    with answering(status, body) as address:
        said = failure("--admin", address)
    assert f"what answers at {address} is not a server's administrator's port" in said and why in said


def test_the_public_port_is_not_the_administrators(server):
    said = failure("--admin", "127.0.0.1:%d" % server.address[1])
    assert "is not a server's administrator's port" in said
