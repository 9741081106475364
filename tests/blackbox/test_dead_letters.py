"""A record that is not a valid event (product: never stops the flow, never dropped in silence): kept with its reason and
position, listed, replayed once it is valid."""

import json
import time

import pytest

from harness import command, events, journal
from harness.rest import Rest
from harness.waiting import until

BAD = {
    "not_json": b"{broken",
    "empty": b"",
    "not_utf8": b'{"id":"x","event":"\xff"}',
    "array": b"[1,2,3]",
    "no_event": b'{"id":"x"}',
    "unknown_event": b'{"id":"x","event":"rumour","payload":{}}',
    "order_of_nobody": json.dumps({k: v for k, v in events.order("alice").items() if k != "user_id"}).encode(),
    "empty_audience": json.dumps({**events.alert(), "audience": {"users": []}}).encode(),
    "large": b'{"id":"x","payload":"' + b"x" * 100_000 + b'"}',
}


def admin(server, scope="admin"):
    return Rest(("localhost", server.address[1]), server.tls(), server.token("operator", scope=scope))


def listed(server, limit=100):
    with admin(server) as rest:
        answer = rest.call("GET", f"/v1/dead-letters?limit={limit}")
        assert answer.status == 200, answer
        return answer.json["dead_letters"]


def replay(server, *positions):
    with admin(server) as rest:
        body = json.dumps({"positions": positions}).encode()
        answer = rest.call("POST", "/v1/dead-letters/replay", body, {"Content-Type": "application/json"})
        assert answer.status == 200, answer
        return answer.json


def with_records(server, *records):
    """A journal that a careless tool put these records into, and the server running on it."""
    server.start()
    server.publish(events.alert())
    assert server.stop() == 0
    journal.append_foreign(
        server.journal, *[(f"foreign-{time.time_ns()}-{i}".encode(), r) for i, r in enumerate(records)]
    )
    return server.start()


def soon_valid(seconds=3):
    """An alert that is too far in the future now, and is not `seconds` from now. It is narrowed to alice."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400 + seconds + 1))
    return events.narrowed({**events.alert(), "timestamp": stamp}, "alice")


def test_invalid_records_are_dead_letters_with_reason_and_position_and_the_flow_goes_on(carillon):
    server = with_records(carillon(), *BAD.values(), json.dumps(events.alert()).encode())
    letters = until(lambda: len(found := listed(server)) == len(BAD) and found, what="the dead letters")
    for letter in letters:
        assert set(letter) >= {"position", "at", "reason", "detail", "record"}
        assert letter["position"] and letter["reason"] and letter["detail"]
    # Newest first.
    by_name = dict(zip(reversed(BAD), letters, strict=True))
    assert by_name["not_json"]["reason"] == "not_json"
    assert by_name["not_json"]["record"] == "{broken"
    assert by_name["no_event"]["reason"] == "missing"
    assert "/user_id" in by_name["order_of_nobody"]["detail"]
    assert len({letter["position"] for letter in letters}) == len(BAD)
    assert server.metrics().total("carillon_dead_letters_total") >= len(BAD)
    lines = [line for line in server.log_lines() if "dead" in line["event"] and line.get("position")]
    assert {line["position"] for line in lines} == {letter["position"] for letter in letters}

    with server.connect("alice") as alice:
        marker = events.order("alice")
        server.publish(marker)
        assert alice.notification()["payload"] == marker["payload"]


def test_a_restart_makes_no_dead_letter_twice(carillon):
    server = with_records(carillon(), BAD["not_json"], BAD["array"])
    first = until(lambda: len(found := listed(server)) == 2 and found)
    assert server.stop() == 0
    server.start()
    assert listed(server) == first


def test_the_list_is_newest_first_and_limited(carillon):
    server = with_records(carillon(), *[b"bad %d" % i for i in range(5)])
    until(lambda: len(listed(server)) == 5)
    assert [letter["record"] for letter in listed(server, limit=2)] == ["bad 4", "bad 3"]
    with admin(server) as rest:
        for limit in ("0", "-1", "x", "1001", ""):
            assert rest.call("GET", f"/v1/dead-letters?limit={limit}").status == 400


def test_only_an_administrator_sees_and_replays(carillon):
    server = with_records(carillon(), BAD["not_json"])
    (letter,) = until(lambda: listed(server))
    body = json.dumps({"positions": [letter["position"]]}).encode()
    for scope in (None, "publish", "signals orders alerts"):
        with admin(server, scope) as rest:
            assert rest.call("GET", "/v1/dead-letters").status == 403
            assert (
                rest.call("POST", "/v1/dead-letters/replay", body, {"Content-Type": "application/json"}).status == 403
            )
    with admin(server) as rest:
        assert rest.call("GET", "/v1/dead-letters", headers={"Authorization": None}).status == 401
    assert listed(server) == [letter]


def test_a_letter_that_has_become_valid_is_replayed_once(carillon):
    event = soon_valid()
    server = with_records(carillon(), json.dumps(event).encode(), BAD["array"])
    good, bad = reversed(until(lambda: len(found := listed(server)) == 2 and found))
    with server.connect("alice") as alice:
        # Still too early, and the other will never be valid: both are refused with their reasons and stay.
        answer = replay(server, good["position"], bad["position"], "j0.999")
        assert answer["replayed"] == 0
        assert [(r["position"], bool(r["reason"])) for r in answer["refused"]] == [
            (good["position"], True),
            (bad["position"], True),
            ("j0.999", True),
        ]
        until(lambda: replay(server, good["position"])["replayed"] == 1, 10, "the replay")
        got = alice.notification()
        assert got["payload"] == event["payload"]
        assert got["id"] != good["position"]
        assert replay(server, good["position"]) == {
            "replayed": 0,
            "refused": [{"position": good["position"], "reason": "not_found"}],
        }
    assert listed(server) == [bad]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"positions":[]}',
        b'{"positions":"j1.1"}',
        b'{"positions":[1]}',
        b'{"positions":["a b"]}',
        b'{"positions":["%s"]}' % (b"x" * 600),
    ],
)
def test_a_replay_of_another_form_is_400(server, body):
    with admin(server) as rest:
        assert rest.call("POST", "/v1/dead-letters/replay", body, {"Content-Type": "application/json"}).status == 400


def access(server):
    (server.directory / "admin.token").write_text(server.token("operator", scope="admin"))
    return (
        "--url",
        "https://localhost:%d" % server.address[1],
        "--ca",
        server.directory / "ca.pem",
        "--token-file",
        server.directory / "admin.token",
    )


def test_the_command_line_lists_and_replays(carillon):
    event = soon_valid()
    server = with_records(carillon(), json.dumps(event).encode(), BAD["array"])
    until(lambda: len(listed(server)) == 2)
    shown = command.run("dead-letters", "list", *access(server))
    assert shown.returncode == 0, shown.stderr
    for letter in listed(server):
        assert letter["position"] in shown.stdout and letter["reason"] in shown.stdout
    lines = command.run("dead-letters", "list", "--json", "--limit", 1, *access(server)).stdout.splitlines()
    assert [json.loads(line)["position"] for line in lines] == [listed(server)[0]["position"]]

    with server.connect("alice") as alice:

        def replay_all():
            result = command.run("dead-letters", "replay", "--all", *access(server))
            # The other letter is refused each time, which is a failure that is told.
            assert result.returncode == 1
            assert BAD["array"].decode() not in result.stdout
            return len(listed(server)) == 1

        until(replay_all, 10, "the replay by the command")
        assert alice.notification()["payload"] == event["payload"]
    left = listed(server)[0]["position"]
    assert command.run("dead-letters", "replay", left, *access(server)).returncode == 1
    assert command.run("dead-letters", "replay", *access(server)).returncode == 2
