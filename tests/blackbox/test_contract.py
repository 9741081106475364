"""What the server really says, against the schemas and the specifications of contract/."""

import json
import time

import pytest
import yaml

from harness import events, journal
from harness.rest import Rest
from harness.waiting import until
from validation import FOLDER, SCHEMAS, faults

CONFIG = {"heartbeat": {"interval": "1s", "timeout": "10s"}}
OPENAPI = yaml.safe_load((FOLDER / "openapi.yaml").read_text())
JSON = {"Content-Type": "application/json"}


# --- REST --------------------------------------------------------------------------------------------------------


def responses_of(method, path):
    """Status to what the specification says of that answer."""
    found = OPENAPI["paths"][path][method.lower()]["responses"]
    named = OPENAPI["components"]["responses"]
    return {int(status): named[r["$ref"].rsplit("/", 1)[1]] if "$ref" in r else r for status, r in found.items()}


def valid(answer, method, path):
    """The status of an answer that is as the specification has it: known, with its headers, its body as its schema."""
    response = responses_of(method, path)[answer.status]
    (content_type,) = response["content"]
    assert answer.headers["Content-Type"] == content_type
    for name, header in response.get("headers", {}).items():
        assert answer.headers[name] and (header["schema"]["type"] != "integer" or answer.headers[name].isdigit()), name
    reference = response["content"][content_type]["schema"]["$ref"].removeprefix("schemas/")
    assert not faults(reference, answer.json), answer
    if "problem" in reference:
        assert answer.json["status"] == answer.status
    return answer.status


@pytest.fixture(scope="module")
def call(server):
    """Calls with a token of these grants, holds the answer to the specification and gives its status."""

    def call(method, path, body=None, scope="publish", query="", token=None, **headers):
        token = token or server.token("operator", scope=scope)
        with Rest(("localhost", server.address[1]), server.tls(), token) as rest:
            return valid(rest.call(method, path + query, body, {**JSON, **headers}), method, path)

    return call


def vectors(member):
    """Envelopes whose outcome does not depend on the time."""
    rows = json.loads((FOLDER / "vectors" / "envelopes.json").read_text())[member]
    return [row for row in rows if "timestamp" not in row["name"] and '"timestamp"' not in row["text"]]


def test_answers_to_publishing_are_as_specified(server, call):
    event = json.dumps(events.alert())
    body = {
        202: event,
        400: "{",
        409: json.dumps({**json.loads(event), "payload": events.alert(message="another")["payload"]}),
        413: json.dumps([{}] * 1001),
        422: json.dumps([events.alert(), {}, events.order("alice", side="HOLD")]),
    }
    for status, text in body.items():
        assert call("POST", "/v1/events", text) == status
    assert call("POST", "/v1/events", event) == 202  # a duplicate
    assert call("POST", "/v1/events", event + "\n" + event, **{"Content-Type": "application/x-ndjson"}) == 202
    assert call("POST", "/v1/events", event, **{"Content-Type": "text/plain"}) == 415
    assert call("POST", "/v1/events", event, Authorization=None) == 401
    assert call("POST", "/v1/events", event, token=server.token(ttl=-60)) == 401
    assert call("POST", "/v1/events", event, scope="signals") == 403


def test_answers_about_dead_letters_are_as_specified(carillon, call):
    path, replay = "/v1/dead-letters", "/v1/dead-letters/replay"
    assert call("GET", path, scope="admin") == 200
    assert call("GET", path, scope="admin", query="?limit=0") == 400
    assert call("GET", path, scope="publish") == 403
    assert call("GET", path, Authorization=None) == 401
    assert call("POST", replay, "{}", scope="admin") == 400
    assert call("POST", replay, "{}", scope="publish") == 403
    assert call("POST", replay, "{}", Authorization=None) == 401
    assert call("POST", replay, " " * (1 << 20), scope="admin") == 413
    assert call("POST", replay, '{"positions":["j1.999"]}', scope="admin") == 200

    other = carillon().start()
    other.publish(events.alert())
    assert other.stop() == 0
    journal.append_foreign(other.journal, (b"foreign-1", b"{broken"), (b"foreign-2", b'{"id":"\xff"}'))
    other.start()
    with Rest(("localhost", other.address[1]), other.tls(), other.token("operator", scope="admin")) as rest:
        listed = until(
            lambda: len((found := rest.call("GET", path)).json["dead_letters"]) == 2 and found, what="letters"
        )
        assert valid(listed, "GET", path) == 200
        body = {"positions": [letter["position"] for letter in listed.json["dead_letters"]]}
        assert not faults("dead_letter_replay.schema.json", body)
        answer = rest.call("POST", replay, json.dumps(body), JSON)
        assert valid(answer, "POST", replay) == 200
        assert len(answer.json["refused"]) == 2


def test_answers_about_the_node_are_as_specified(server, call):
    path = "/v1/stats"
    server.publish(events.signal(), events.order("alice"), events.alert())
    with server.join_behind("alice") as alice:
        alice.received(alice.live["payload"]["position"])
        assert call("GET", path, scope="admin") == 200
    assert call("GET", path, scope="publish") == 403
    assert call("GET", path, Authorization=None) == 401


@pytest.mark.parametrize("limit, status", [("connections_max", 503), ("connections_per_ip_max", 429)])
def test_too_many_connections_are_refused_as_specified(carillon, limit, status):
    server = carillon({"limits": {limit: 1}}).start()
    with server.connect("alice"), server.rest() as rest:
        assert valid(rest.post(events.alert()), "POST", "/v1/events") == status


@pytest.mark.parametrize("row", vectors("refused"), ids=lambda row: row["name"])
def test_refused_envelopes_are_refused_over_rest(server, row):
    with server.rest() as rest:
        answer = rest.post(row["text"])
        status = valid(answer, "POST", "/v1/events")
    if row["text"].startswith("[") and row["text"] != "[]":
        assert status == 422 and answer.json["errors"][0]["index"] == 0
    elif status == 422:
        (fault,) = answer.json["errors"]
        assert (fault["code"], fault["pointer"]) == (row["code"], row["pointer"])
    else:
        assert status == 400 and (row["code"] == "not_json" or row["text"] == "[]")


def test_taken_envelopes_are_taken_over_rest(server):
    with server.rest() as rest:
        for row in vectors("taken"):
            answer = rest.post(row["text"])
            assert valid(answer, "POST", "/v1/events") == 202, row["name"]


# --- WebSocket ---------------------------------------------------------------------------------------------------


class Heard:
    """Every message of the sessions below; each must be valid when it comes."""

    def __init__(self):
        self.kinds = set()

    def take(self, *messages):
        for message in messages:
            assert not faults("server_message.schema.json", message), message
            self.kinds.add((message["type"], message["event"]))
            for mark in {"late", "replayed", "snapshot"} & message.keys():
                self.kinds.add(mark)
            resume = message["payload"].get("resume") if message["event"] == "auth_ok" else None
            if resume is not None:
                self.kinds.add(("resume", resume.get("reason", "complete"), "requested" in resume))

    def hear(self, stream, event, timeout=10.0):
        """Reads up to the next message of that event and returns it."""
        deadline = time.monotonic() + timeout
        while True:
            message = stream.next(deadline - time.monotonic())
            self.take(message)
            if message["event"] == event:
                return message


def all_kinds():
    """What a server of today can say."""
    kinds = set()
    for name in ("notification", "ack", "heartbeat", "error"):
        for part in SCHEMAS[f"{name}.schema.json"]["oneOf"]:
            properties = SCHEMAS[f"{name}.schema.json"]["$defs"][part["$ref"].rsplit("/", 1)[1]]["properties"]
            kinds.add((properties["type"]["const"], properties["event"]["const"]))
    kinds.remove(("error", "internal_server_error"))  # nothing makes this server say it
    return kinds


def test_every_message_of_a_session_is_valid(carillon):
    server = carillon({**CONFIG, "server": {"drain_window": "1s"}}).start()
    heard = Heard()
    server.publish(events.order("alice"), events.alert(level="ERROR"))

    with server.join_behind("alice") as alice:  # a snapshot, then each event, late and not
        heard.take(alice.auth_ok, *alice.caught_up, alice.live)
        position = alice.live["payload"]["position"]
        server.publish(events.signal(confidence=0.5), events.order("alice"), events.alert(component="gateway"))
        server.publish({**events.alert(), "timestamp": "2026-01-01T00:00:00Z"})
        heard.hear(alice, "new_trade_signal")
        heard.hear(alice, "order_update")
        heard.hear(alice, "ping")
        alice.send({"type": "heartbeat", "event": "ping"})
        heard.hear(alice, "pong")
        alice.send({"type": "rumour", "event": "heard"})
        heard.hear(alice, "invalid_message")
        alice.authenticate(server.token("alice", ttl=30))
        heard.hear(alice, "auth_ok")
        heard.hear(alice, "auth_expiring")

    for resume in (position, "j999999.1", "no position"):  # a replay, and gaps
        with server.join_behind("alice", resume=resume) as alice:
            heard.take(alice.auth_ok, *alice.caught_up, alice.live)

    with server.open(server.token("alice", ttl=-60), "b") as alice:
        code, messages = alice.until_closed()
        heard.take(*messages)
        assert code == 4401

    with server.join("alice") as alice:
        heard.hear(alice, "live")
        server.terminate()
        heard.hear(alice, "shutting_down")
    assert server.wait() == 0

    assert all_kinds() | {"late", "replayed", "snapshot"} <= heard.kinds
    assert {("resume", "complete", True), ("resume", "epoch", True), ("resume", "unknown", False)} <= heard.kinds
