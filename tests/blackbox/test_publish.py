"""Publishing over REST (protocol 8.5): what is taken, what is refused and how."""

import json
import ssl
import time

import pytest

from harness import events
from harness.raw_client import PeerClosed


def ndjson(*envelopes):
    return "".join(json.dumps(envelope) + "\n" for envelope in envelopes)


def head(server, token, *lines, path="/v1/events", method="POST"):
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *lines, "", ""]
    ).encode()


def publisher(server):
    return server.token("publisher", scope="publish")


def accepted(server, response):
    """What a raw client's 202 says."""
    assert response.status == 202, response
    answer = json.loads(response.body)
    server.remember_accepted(answer)
    return answer


# --- 202 ---------------------------------------------------------------------------------------------------------


def test_one_envelope_is_accepted(server):
    event = events.signal()
    with server.rest() as rest:
        answer = rest.post(event)
    assert answer.status == 202
    assert answer.headers["Content-Type"].startswith("application/json")
    assert set(answer.json) == {"accepted", "duplicates", "position", "ids"}
    assert (answer.json["accepted"], answer.json["duplicates"], answer.json["ids"]) == (1, 0, [event["id"]])
    assert isinstance(answer.json["position"], str) and answer.json["position"]


def test_an_array_answers_the_ids_in_the_order_sent(server):
    batch = [events.signal(), events.order("alice"), events.alert()] * 5
    batch = [{**event, "id": events.fresh_id()} for event in batch]
    with server.rest() as rest:
        answer = rest.publish(*batch)
    assert answer["accepted"] == 15
    assert answer["ids"] == [event["id"] for event in batch]


@pytest.mark.parametrize("end", ["\n", "", "\r\n", "\n\n"], ids=["line feed", "none", "CR LF", "empty line"])
def test_lines_are_accepted(server, end):
    batch = [events.alert() for _ in range(3)]
    with server.rest() as rest:
        answer = rest.post(ndjson(*batch).rstrip("\n") + end, "application/x-ndjson")
        assert answer.status == 202, answer
        assert answer.json["ids"] == [event["id"] for event in batch]


def test_an_envelope_without_id_gets_one(server):
    event = events.alert()
    del event["id"]
    with server.rest() as rest:
        first, second = rest.publish(event), rest.publish(event)
    assert first["accepted"] == second["accepted"] == 1
    assert first["ids"] != second["ids"]
    assert 1 <= len(first["ids"][0]) <= 128


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/json;charset=UTF-8"],
)
def test_the_content_type_is_read_as_http_has_it(server, content_type):
    with server.rest() as rest:
        assert rest.post(events.alert(), content_type).status == 202


def test_a_thousand_envelopes_are_the_most(server):
    def batch(count):
        return [events.alert(message="x") for _ in range(count)]

    with server.rest() as rest:
        assert rest.publish(*batch(1000))["accepted"] == 1000
        assert rest.post(batch(1001)).status in (413, 422)
        assert rest.post(ndjson(*batch(1000)), "application/x-ndjson").status == 202
        assert rest.post(ndjson(*batch(1001)), "application/x-ndjson").status in (413, 422)


def test_a_mebibyte_is_the_most(server):
    event = json.dumps(events.alert())
    with server.rest() as rest:
        assert rest.post(event + " " * (1024 * 1024 - len(event))).status == 202
    with server.rest() as rest:
        try:
            answer = rest.post(event + " " * (1024 * 1024 - len(event) + 1))
        except (ConnectionError, ssl.SSLError):
            return  # refused by its announced length, before it was all sent
        assert answer.status == 413
        assert answer.headers["Connection"] == "close"


# --- repetition --------------------------------------------------------------------------------------------------


def test_the_same_id_and_content_is_a_duplicate_and_delivered_once(server):
    event, marker = events.order("alice"), events.alert()
    with server.connect("alice") as alice, server.rest() as rest:
        first = rest.publish(event)
        again = rest.publish(event)
        assert (again["accepted"], again["duplicates"]) == (0, 1)
        assert again["ids"] == first["ids"] and again["position"] == first["position"]
        rest.publish(marker)
        assert [n["payload"] for n in alice.notifications(2)] == [event["payload"], marker["payload"]]


def test_the_same_content_in_another_spelling_is_a_duplicate(server):
    event = events.alert(message="caf\u00e9")
    with server.rest() as rest:
        rest.publish(event)
        spaced = json.dumps(event, indent=3, ensure_ascii=False)
        answer = rest.post(spaced)
        assert answer.status == 202 and answer.json["duplicates"] == 1


def test_duplicates_within_one_call_count_once(server):
    event = events.alert()
    with server.rest() as rest:
        answer = rest.publish(event, events.alert(), event, events.alert())
    assert (answer["accepted"], answer["duplicates"]) == (3, 1)
    assert len(answer["ids"]) == 4


def test_the_same_id_with_another_content_is_409_and_appends_nothing(server):
    event, other, marker = events.alert(message="one"), events.alert(), events.alert()
    with server.connect("alice") as alice, server.rest() as rest:
        rest.publish(event)
        answer = rest.post([other, {**event, "payload": {**event["payload"], "message": "two"}}])
        assert answer.status == 409
        assert event["id"] in answer.text
        rest.publish(marker)
        assert [n["payload"] for n in alice.notifications(2)] == [event["payload"], marker["payload"]]


def test_a_conflict_within_one_call_is_409_or_422(server):
    event = events.alert(message="one")
    with server.rest() as rest:
        answer = rest.post([event, {**event, "payload": {**event["payload"], "message": "two"}}])
        assert answer.status in (409, 422)
        assert rest.publish(event)["accepted"] == 1


def test_a_number_in_another_spelling_is_another_content(server):
    event = events.signal(entry_price=0.1)
    with server.rest() as rest:
        rest.publish(event)
        assert rest.post(json.dumps(event).replace('"entry_price": 0.1,', '"entry_price": 0.10,')).status == 409


# --- 422 ---------------------------------------------------------------------------------------------------------


def errors_of(answer):
    """The errors of a 422 of RFC 9457's form."""
    assert answer.status == 422, answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json
    assert problem["status"] == 422 and problem["title"]
    for error in problem["errors"]:
        assert {"index", "pointer", "message", "code"} <= set(error)
        assert error["message"] and error["code"]
    return problem["errors"]


def test_422_names_every_bad_item_and_appends_nothing(server):
    marker = events.alert()
    batch = [events.signal(), events.signal(direction="HOLD"), events.alert(), events.order(7), events.alert(level=...)]
    with server.connect("alice") as alice, server.rest() as rest:
        errors = errors_of(rest.post(batch))
        rest.publish(marker)
        assert alice.notification()["payload"] == marker["payload"]
        # None of the good ones was appended, so they are not duplicates now.
        assert rest.publish(batch[0], batch[2])["accepted"] == 2
    assert [(e["index"], e["pointer"]) for e in errors] == [
        (1, "/payload/direction"),
        (3, "/user_id"),
        (4, "/payload/level"),
    ]


def test_422_of_lines_counts_them_from_zero(server):
    with server.rest() as rest:
        answer = rest.post(ndjson(events.alert(), events.alert(level="LOUD")) + "{broken\n", "application/x-ndjson")
        assert [e["index"] for e in errors_of(answer)] == [1, 2]


def test_422_never_echoes_what_was_sent(server):
    with server.rest() as rest:
        assert "zzz-secret" not in rest.post(events.signal(direction="zzz-secret", entry_price="zzz-secret")).text


SIGNAL = events.signal
FAULTS = [
    # event, pointer
    ([], ""),
    (7, ""),
    ({}, "/event"),
    ({**events.alert(), "event": "rumour"}, "/event"),
    ({**events.alert(), "event": 3}, "/event"),
    ({**events.alert(), "id": ""}, "/id"),
    ({**events.alert(), "id": "x" * 129}, "/id"),
    ({**events.alert(), "id": 7}, "/id"),
    ({**events.alert(), "id": None}, "/id"),
    ({**events.alert(), "id": "tab\t"}, "/id"),
    ({**events.alert(), "id": "\u00e9"}, "/id"),
    ({**events.alert(), "timestamp": "yesterday"}, "/timestamp"),
    ({**events.alert(), "timestamp": 1795348800}, "/timestamp"),
    ({**events.alert(), "timestamp": "2026-02-30T00:00:00Z"}, "/timestamp"),
    ({**events.alert(), "timestamp": "2026-11-22T12:00:00"}, "/timestamp"),
    ({**events.alert(), "timestamp": "2026-11-22 12:00:00Z junk"}, "/timestamp"),
    ({**events.alert(), "timestamp": "9999-12-31T23:59:59Z"}, "/timestamp"),
    ({**events.alert(), "payload": []}, "/payload"),
    ({"id": "no-payload", "event": "system_alert"}, "/payload"),
    ({**events.order("alice"), "user_id": ""}, "/user_id"),
    ({**events.order("alice"), "user_id": None}, "/user_id"),
    ({k: v for k, v in events.order("alice").items() if k != "user_id"}, "/user_id"),
    ({**events.order("alice"), "user_id": "x" * 257}, "/user_id"),
    ({**events.alert(), "audience": {}}, "/audience/users"),
    ({**events.alert(), "audience": []}, "/audience"),
    ({**events.alert(), "audience": None}, "/audience"),
    ({**events.alert(), "audience": "alice"}, "/audience"),
    ({**events.alert(), "audience": {"users": []}}, "/audience/users"),
    ({**events.alert(), "audience": {"users": "alice"}}, "/audience/users"),
    ({**events.alert(), "audience": {"users": ["alice", 7]}}, "/audience/users/1"),
    ({**events.alert(), "audience": {"users": ["alice", ""]}}, "/audience/users/1"),
    ({**events.alert(), "audience": {"users": [f"u{i}" for i in range(1001)]}}, "/audience/users"),
    *[
        (SIGNAL(**{name: ...}), f"/payload/{name}")
        for name in (
            "signal_id",
            "instrument_id",
            "direction",
            "entry_price",
            "stop_loss",
            "take_profit",
            "source_agent_id",
        )
    ],
    (SIGNAL(signal_id=""), "/payload/signal_id"),
    (SIGNAL(signal_id=7), "/payload/signal_id"),
    (SIGNAL(signal_id="x" * 257), "/payload/signal_id"),
    (SIGNAL(signal_id="a\nb"), "/payload/signal_id"),
    (SIGNAL(signal_id="a\u007fb"), "/payload/signal_id"),
    (SIGNAL(direction="buy"), "/payload/direction"),
    (SIGNAL(entry_price="64000"), "/payload/entry_price"),
    (SIGNAL(entry_price=None), "/payload/entry_price"),
    (SIGNAL(entry_price=True), "/payload/entry_price"),
    (SIGNAL(take_profit=[]), "/payload/take_profit"),
    (SIGNAL(take_profit=65000), "/payload/take_profit"),
    (SIGNAL(take_profit=[1, "2"]), "/payload/take_profit/1"),
    (SIGNAL(confidence=1.01), "/payload/confidence"),
    (SIGNAL(confidence=-0.1), "/payload/confidence"),
    (SIGNAL(confidence="high"), "/payload/confidence"),
    *[
        (events.order("alice", **{name: ...}), f"/payload/{name}")
        for name in ("order_id", "instrument_id", "status", "side", "type", "quantity_total", "quantity_filled")
    ],
    (events.order("alice", status="OPEN"), "/payload/status"),
    (events.order("alice", status="CANCELLED"), "/payload/status"),
    (events.order("alice", side="LONG"), "/payload/side"),
    (events.order("alice", type="STOP"), "/payload/type"),
    (events.order("alice", quantity_total=0), "/payload/quantity_total"),
    (events.order("alice", quantity_total=-1), "/payload/quantity_total"),
    (events.order("alice", quantity_filled=-0.1), "/payload/quantity_filled"),
    (events.order("alice", quantity_filled=1.6), "/payload/quantity_filled"),
    (events.order("alice", price_avg_filled="1"), "/payload/price_avg_filled"),
    (events.order("alice", status="REJECTED", reason_failed="x" * 4097), "/payload/reason_failed"),
    (events.alert(alert_id=...), "/payload/alert_id"),
    (events.alert(level="FATAL"), "/payload/level"),
    (events.alert(message=""), "/payload/message"),
    (events.alert(message="x" * 4097), "/payload/message"),
    (events.alert(component=7), "/payload/component"),
]


@pytest.mark.parametrize("envelope, pointer", FAULTS, ids=lambda value: value if isinstance(value, str) else None)
def test_an_invalid_envelope_is_422_and_the_pointer_names_the_place(server, envelope, pointer):
    with server.rest() as rest:
        (error,) = errors_of(rest.post([envelope]))
    assert (error["index"], error["pointer"]) == (0, pointer)


@pytest.mark.parametrize("number", ["1e31", "1e-31", "1" * 41, "0." + "1" * 39, "1e400", "1e+031"])
def test_a_number_beyond_the_limits_is_422(server, number):
    with server.rest() as rest:
        body = json.dumps(events.signal(stop_loss="@")).replace('"@"', number)
        (error,) = errors_of(rest.post(body))
    assert error["pointer"] == "/payload/stop_loss"


@pytest.mark.parametrize("number", ["1e30", "1e-30", "1" * 40, "0." + "1" * 38, "1E+3", "-0.0", "0"])
def test_a_number_at_the_limits_is_accepted(server, number):
    with server.rest() as rest:
        assert rest.post(json.dumps(events.signal(stop_loss="@")).replace('"@"', number)).status == 202


def test_quantities_are_compared_as_decimals(server):
    def order(total, filled):
        body = json.dumps(events.order("alice", quantity_total="@total", quantity_filled="@filled"))
        return body.replace('"@total"', total).replace('"@filled"', filled)

    with server.rest() as rest:
        assert rest.post(order("0.3", "0.30")).status == 202
        assert rest.post(order("1e2", "100.000")).status == 202
        assert rest.post(order("9007199254740992", "9007199254740993")).status == 422
        assert rest.post(order("0.1", "0.1000000000000000000001")).status == 422
        assert rest.post(order("1e-30", "0")).status == 202


def test_the_longest_strings_are_counted_in_bytes(server):
    with server.rest() as rest:
        assert rest.post(events.signal(signal_id="\u00e9" * 128)).status == 202
        assert rest.post(events.signal(signal_id="\u00e9" * 129)).status == 422
        assert rest.post(events.alert(message="\U0001f514" * 1024)).status == 202
        assert rest.post({**events.alert(), "id": "!" + "~" * 126 + " "}).status in (202, 422)


def test_a_timestamp_up_to_a_day_ahead_is_accepted(server):
    def stamp(ahead):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ahead))

    with server.rest() as rest:
        assert rest.post({**events.alert(), "timestamp": stamp(86400 - 60)}).status == 202
        assert rest.post({**events.alert(), "timestamp": stamp(86400 + 60)}).status == 422
        assert rest.post({**events.alert(), "timestamp": "1970-01-01T00:00:00Z"}).status == 202


# --- 400, 401, 403, 404, 405, 411, 413, 415 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"nonsense", b'{"id":"a","id":"b"}', b"\xff", b"[1,]", b"[" * 5000, b"{}{}", b"\xef\xbb\xbf{}"],
    ids=["empty", "open brace", "word", "duplicate key", "no UTF-8", "trailing comma", "deep", "two objects", "BOM"],
)
def test_a_body_that_is_not_json_is_400_or_422(server, body):
    with server.rest() as rest:
        answer = rest.post(body)
        assert answer.status in (400, 422)
        assert answer.headers["Content-Type"].startswith("application/problem+json")


@pytest.mark.parametrize(
    "content_type, body", [("application/json", "[]"), ("application/x-ndjson", ""), ("application/x-ndjson", "\n\n")]
)
def test_a_call_without_events_is_400_or_422(server, content_type, body):
    with server.rest() as rest:
        assert rest.post(body, content_type).status in (400, 422)


def test_401_without_or_with_a_bad_token(server):
    for header in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Basic dXNlcjpwYXNz",
        f"Bearer {server.token(ttl=-60, scope='publish')}",
    ):
        with server.rest() as rest:
            answer = rest.post(events.alert(), Authorization=header)
            assert answer.status in ((401,) if header not in ("", "Bearer", "Bearer ") else (400, 401)), header
            if answer.status == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_403_without_the_grant_publish(server):
    for scope in (None, "", "signals orders alerts", "admin", "publisher", "PUBLISH"):
        with server.rest(token=server.token("alice", scope=scope)) as rest:
            assert rest.post(events.alert()).status == 403, scope


def test_404_and_405(server):
    with server.rest() as rest:
        assert rest.call("POST", "/v1/event", b"{}", {"Content-Type": "application/json"}).status == 404
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        with server.rest() as rest:
            answer = rest.call(method, "/v1/events")
            assert answer.status == 405
            assert answer.headers["Allow"] == "POST"


def test_411_without_a_length(server):
    with server.raw() as client:
        response = client.request(head(server, publisher(server), "Content-Type: application/json"))
        assert response.status == 411
        assert response.headers["connection"] == ["close"]
        client.expect_closed()


@pytest.mark.parametrize("encoding", ["chunked", "gzip, chunked", "identity"])
def test_transfer_encodings_are_refused(server, encoding):
    body = json.dumps(events.alert()).encode()
    for extra in ((), (f"Content-Length: {len(body)}",)):
        with server.raw() as client:
            request = head(
                server, publisher(server), "Content-Type: application/json", f"Transfer-Encoding: {encoding}", *extra
            )
            response = client.request(request + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            assert response.status in (400, 411)
            assert response.headers["connection"] == ["close"]
            client.expect_closed()


def test_413_at_the_announced_length(server):
    with server.raw() as client:
        response = client.request(
            head(server, publisher(server), "Content-Type: application/json", f"Content-Length: {1 << 30}")
        )
        assert response.status == 413
        assert response.headers["connection"] == ["close"]
        client.expect_closed()


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/xml",
        "application/jsonx",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "application/json; charset=latin1",
    ],
)
def test_415_for_another_content_type(server, content_type):
    body = json.dumps(events.alert()).encode()
    lines = [f"Content-Length: {len(body)}"] + ([f"Content-Type: {content_type}"] if content_type is not None else [])
    with server.raw() as client:
        assert client.request(head(server, publisher(server), *lines) + body).status == 415


def test_415_for_a_content_encoding(server):
    with server.rest() as rest:
        assert rest.post(events.alert(), **{"Content-Encoding": "gzip"}).status == 415


def test_the_order_of_checks_lets_nobody_probe_without_a_token(server):
    with server.rest() as rest:
        assert rest.post("nonsense", "text/plain", Authorization=None).status == 401


# --- the connection ----------------------------------------------------------------------------------------------


def test_many_calls_share_one_connection(server):
    with server.rest() as rest:
        rest.publish(events.alert())
        local = rest.local_address()
        for _ in range(20):
            rest.publish(events.alert())
            assert rest.local_address() == local


def test_pipelined_calls_are_answered_in_order(server):
    batch = [events.alert() for _ in range(5)]
    requests = b""
    for event in batch:
        body = json.dumps(event).encode()
        requests += (
            head(server, publisher(server), "Content-Type: application/json", f"Content-Length: {len(body)}") + body
        )
    with server.raw() as client:
        client.send(requests)
        ids = []
        try:
            for _ in batch:
                ids += accepted(server, client.read_response())["ids"]
        except PeerClosed:
            pass  # one outstanding request per connection is allowed
    assert ids == [event["id"] for event in batch][: len(ids)] and ids


def test_expect_100_continue_is_answered_before_the_body(server):
    body = json.dumps(events.alert()).encode()
    lines = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Expect: 100-continue")
    with server.raw() as client:
        response = client.request(head(server, publisher(server), *lines))
        if response.status == 100:
            client.send(body)
            accepted(server, client.read_response())
        else:
            assert response.status == 417


def test_connection_close_is_honoured(server):
    body = json.dumps(events.alert()).encode()
    with server.raw() as client:
        lines = ("Content-Type: application/json", f"Content-Length: {len(body)}", "Connection: close")
        response = client.request(head(server, publisher(server), *lines) + body)
        accepted(server, response)
        assert response.headers["connection"] == ["close"]
        client.expect_closed()


def test_a_body_in_one_byte_records_is_put_together(server):
    body = json.dumps(events.alert()).encode()
    with server.raw() as client:
        client.send(head(server, publisher(server), "Content-Type: application/json", f"Content-Length: {len(body)}"))
        for i in range(len(body)):
            client.send(body[i : i + 1])
        accepted(server, client.read_response())


def test_a_body_that_never_comes_is_408(carillon):
    server = carillon({"server": {"handshake_timeout": "1s"}}).start()
    with server.raw() as client:
        client.send(head(server, publisher(server), "Content-Type: application/json", "Content-Length: 100") + b"{")
        assert client.read_response(timeout=15).status == 408
        client.expect_closed()


def test_a_publisher_that_hangs_up_in_the_middle_appends_nothing(server):
    event, marker = events.alert(), events.alert()
    body = json.dumps(event).encode()
    with server.connect("alice") as alice:
        with server.raw() as client:
            lines = ("Content-Type: application/json", f"Content-Length: {len(body)}")
            client.send(head(server, publisher(server), *lines) + body[:-1])
        server.publish(marker)
        assert alice.notification()["payload"] == marker["payload"]
