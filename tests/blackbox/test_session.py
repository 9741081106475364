"""A session's life: carriers, acknowledgement, refresh, expiry, heartbeat, messages (protocol 2, 3, 4.2 to 4.4, 7.1)."""

import datetime
import json
import re
import time

import pytest

from harness import events, frames

CONFIG = {
    "heartbeat": {"interval": "1s", "timeout": "1s"},
    "auth": {"token_timeout": "1s", "leeway": "1s"},
}

TIMESTAMP = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$")


def seconds_of(timestamp):
    return datetime.datetime.fromisoformat(timestamp.replace("Z", "+00:00")).timestamp()


# --- 2.2, 2.4, 2.5: carriers and their acknowledgement -----------------------------------------------------------


@pytest.mark.parametrize("carrier", ["a", "b", "c"])
def test_each_carrier_opens_a_session_that_is_acknowledged_first(server, carrier):
    expiry = int(time.time()) + 1000
    with server.open(server.token("alice", exp=expiry), carrier) as alice:
        ack = alice.next()
    assert list(ack) == ["type", "event", "timestamp", "payload"]
    assert (ack["type"], ack["event"]) == ("ack", "auth_ok")
    assert abs(seconds_of(ack["timestamp"]) - time.time()) < 5
    payload = ack["payload"]
    assert payload["user_id"] == "alice"
    assert payload["grants"] == ["signals", "orders", "alerts"]
    assert TIMESTAMP.match(payload["expires_at"]) and seconds_of(payload["expires_at"]) == expiry
    assert payload["heartbeat_interval_ms"] == 1000
    assert payload["heartbeat_timeout_ms"] == 1000
    assert payload["session_id"]
    assert "resume" not in payload


def test_each_session_has_an_id_of_its_own(server):
    with server.connect() as one, server.connect() as two:
        assert one.auth_ok["payload"]["session_id"] != two.auth_ok["payload"]["session_id"]


def test_grants_are_the_known_words_of_scope(server):
    with server.connect(scope="orders read:all publish") as alice:
        assert sorted(alice.auth_ok["payload"]["grants"]) == ["orders", "publish"]


@pytest.mark.parametrize(
    "carriers",
    [("a", "b"), ("a", "a"), ("b", "b")],
    ids=["header and subprotocol", "two headers", "two subprotocols"],
)
def test_two_carriers_at_once_are_refused(server, carriers):
    token = server.token()
    lines = [
        f"Authorization: Bearer {token}" if c == "a" else f"Sec-WebSocket-Protocol: carillon.bearer.{token}"
        for c in carriers
    ]
    with server.raw() as client:
        response = client.upgrade(extra=["Sec-WebSocket-Protocol: carillon.v1", *lines])
        assert response.status == 400
        client.expect_closed()


def test_a_first_message_token_after_a_header_token_is_a_refresh(server):
    with server.connect(carrier="a") as alice:
        alice.authenticate(server.token())
        assert alice.next_of("auth_ok")["payload"]["user_id"] == "alice"


@pytest.mark.parametrize("name", ["token", "access_token", "tok%65n"])
def test_c36_token_in_the_query_is_refused_and_never_logged(server, name):
    token, mark = server.token(), server.log_size()
    with server.raw() as client:
        response = client.upgrade(f"/v1/stream?{name}={token}")
        assert response.status == 400
        assert token.encode() not in response.body
        client.expect_closed()
    assert token not in json.dumps(server.log_lines(mark))


def test_c36_token_in_the_query_is_refused_beside_a_good_header_too(server):
    with server.raw() as client:
        assert (
            client.upgrade(f"/v1/stream?token={server.token()}", authorization=f"Bearer {server.token()}").status == 400
        )
        client.expect_closed()


def test_c37_subprotocol_token_is_accepted_and_never_echoed(server):
    token = server.token()
    with server.raw() as client:
        response = client.upgrade(sec_websocket_protocol=f"carillon.v1, carillon.bearer.{token}")
        assert response.status == 101
        assert response.headers["sec-websocket-protocol"] == ["carillon.v1"]
        assert token not in str(response)
        assert client.read_message()["event"] == "auth_ok"


def test_subprotocol_without_a_token_waits_for_the_first_message(server):
    with server.raw() as client:
        response = client.upgrade(sec_websocket_protocol="carillon.v1")
        assert response.headers["sec-websocket-protocol"] == ["carillon.v1"]
        client.send(frames.text(json.dumps({"type": "auth", "event": "token", "payload": {"token": server.token()}})))
        assert client.read_message()["event"] == "auth_ok"


def test_unknown_query_parameters_are_ignored(server):
    with server.open(server.token(), query="?colour=blue&snapshot=false&&=&snapshot") as alice:
        alice.expect_auth_ok().catch_up()
        marker = events.alert()
        server.publish(marker)
        while alice.notification()["payload"] != marker["payload"]:
            pass


# --- 2.3: refusals -----------------------------------------------------------------------------------------------


def test_nothing_reaches_a_connection_before_its_authentication(server):
    with server.raw() as client:
        assert client.upgrade().status == 101
        server.publish(events.alert(level="CRITICAL"), events.signal())
        closed = client.expect_close(4408, timeout=3)
    assert [m["event"] for m in closed.messages] == ["auth_failed"]


def test_c38_no_token_in_time_is_4408(server):
    with server.raw() as client:
        client.upgrade()
        start = time.monotonic()
        closed = client.expect_close(4408, timeout=3)
        assert 0.8 < time.monotonic() - start < 2
    (error,) = closed.messages
    assert (error["type"], error["event"]) == ("error", "auth_failed")
    assert error["payload"]["code"] == "timeout"
    assert error["payload"]["message"]


def test_c38_pings_do_not_extend_the_time_for_the_token(server):
    with server.raw() as client:
        client.upgrade()
        start = time.monotonic()
        client.send_bytewise(frames.ping() * 3, interval=0.05)
        # Nothing but the refusal is sent, not even pongs.
        assert [m["event"] for m in client.expect_close(4408, timeout=3).messages] == ["auth_failed"]
        assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    "message",
    [
        {"type": "heartbeat", "event": "ping"},
        {"type": "ack", "event": "received", "payload": {"id": "j1.1"}},
        {"type": "auth", "event": "token", "payload": {}},
        {"type": "auth", "event": "token"},
        {"type": "auth", "event": "token", "payload": {"token": 7}},
        {"type": "auth", "event": "password", "payload": {"token": "x"}},
        {"no": "type"},
    ],
    ids=["ping", "received", "no token", "no payload", "token of a wrong type", "another auth event", "no type"],
)
def test_c38_any_other_message_before_the_token_is_4401(server, message):
    with server.raw() as client:
        client.upgrade()
        client.send(frames.text(json.dumps(message)))
        closed = client.expect_close(4401, timeout=3)
    assert [m["event"] for m in closed.messages] == ["auth_failed"]


def test_c38_a_17_kib_auth_message_is_1009(server):
    with server.raw() as client:
        client.upgrade()
        message = {"type": "auth", "event": "token", "payload": {"token": "x" * 17 * 1024}}
        client.send(frames.text(json.dumps(message)))
        assert client.expect_close(1009).messages == []


def test_c38_a_binary_first_message_is_1003(server):
    with server.raw() as client:
        client.upgrade()
        client.send(frames.frame(frames.BINARY, b"\x00"))
        assert client.expect_close(1003).messages == []


# --- 2.6, 2.7: refresh and expiry --------------------------------------------------------------------------------


def test_a_refresh_by_the_same_user_extends_the_session(server):
    later = int(time.time()) + 500
    with server.connect(ttl=2) as alice:
        first = alice.auth_ok["payload"]
        alice.authenticate(server.token(exp=later))
        again = alice.next_of("auth_ok")["payload"]
        assert seconds_of(again["expires_at"]) == later
        assert again["session_id"] == first["session_id"]
        assert "resume" not in again
        # The first token's end (2 s, and 1 s of leeway) passes without a close.
        deadline = time.monotonic() + 4
        while time.monotonic() < deadline:
            assert alice.next()["event"] == "ping"
        server.publish(events.order("alice"))
        alice.notification()


def test_a_refresh_changes_the_grants(server):
    with server.connect(scope="signals") as alice:
        alice.authenticate(server.token(scope="orders"))
        assert alice.next_of("auth_ok")["payload"]["grants"] == ["orders"]
        server.publish(events.signal(), events.order("alice"), events.alert())
        assert [n["event"] for n in alice.notifications(2)] == ["order_update", "system_alert"]


def test_a_refresh_by_another_user_is_4403(server):
    with server.connect("alice") as alice:
        alice.authenticate(server.token("bob"))
        code, messages = alice.until_closed()
    assert code == 4403
    assert "auth_ok" not in [m["event"] for m in messages]


def test_a_refresh_with_a_bad_token_is_4401(server):
    with server.connect("alice") as alice:
        alice.authenticate(server.token("alice", ttl=-60))
        code, messages = alice.until_closed()
    assert code == 4401
    assert messages[-1]["event"] == "auth_failed"
    assert messages[-1]["payload"]["code"] == "expired"


def test_c41_an_expired_session_is_4419_within_a_second_of_expiry_and_leeway(server):
    expiry = int(time.time()) + 2
    with server.join(exp=expiry) as alice:
        code, messages = alice.until_closed(timeout=10)
        late_by = time.time() - (expiry + 1)
    assert code == 4419
    assert -0.2 < late_by < 1.2
    # A token with less than 60 s to live is announced at once.
    (expiring,) = [m for m in messages if m["event"] == "auth_expiring"]
    assert seconds_of(expiring["payload"]["expires_at"]) == expiry


def test_c41_expiry_is_announced_60_s_before(server):
    expiry = int(time.time()) + 63
    with server.connect(exp=expiry) as alice:
        expiring = alice.next_of("auth_expiring", timeout=6)
        assert 59 <= expiry - time.time() < 61
    assert expiring["type"] == "ack"
    assert seconds_of(expiring["payload"]["expires_at"]) == expiry


# --- 4.2, 4.3, 7.1: heartbeat ------------------------------------------------------------------------------------


def test_a_heartbeat_tells_position_and_count(server):
    with server.connect("alice", scope="orders") as alice, server.connect("bob") as bob:
        for _ in range(3):
            mine = [events.order("alice") for _ in range(7)]
            others = [events.order("bob"), events.signal()]
            position = server.publish(*mine, *others)["position"]
            ping = None
            while ping is None or ping["payload"]["position"] != position:
                ping = alice.next_of("ping", timeout=3)
            assert ping["type"] == "heartbeat" and TIMESTAMP.match(ping["timestamp"])
            # Position and count are true at this place of the stream: nothing of the batch may follow.
            assert ping["payload"]["delivered"] == alice.counted
        assert alice.counted == 21
        bob.notifications(6)


def test_heartbeats_come_every_interval_of_the_connections_life(server):
    with server.connect() as alice:
        times = []
        for _ in range(4):
            alice.next_of("ping", timeout=3)
            times.append(time.monotonic())
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert all(0.8 < gap < 1.3 for gap in gaps), gaps


def test_connections_do_not_beat_together(server):
    clients = [server.connect(f"beat-{i}") for i in range(16)]
    phases = []
    for client in clients:
        ping = client.next_of("ping", timeout=3)
        phases.append(seconds_of(ping["timestamp"]) % 1)
        client.close()
    # All within a quarter of the interval would be a herd.
    phases.sort()
    gaps = [b - a for a, b in zip(phases, phases[1:])] + [phases[0] + 1 - phases[-1]]
    assert max(gaps) < 0.75, phases


def test_a_client_may_ping(server):
    with server.connect() as alice:
        alice.send({"type": "heartbeat", "event": "ping", "timestamp": "2026-11-22T12:00:00.000Z", "payload": {}})
        pong = alice.next_of("pong", timeout=2)
    assert pong["type"] == "heartbeat" and TIMESTAMP.match(pong["timestamp"])


def test_a_websocket_ping_is_answered_with_its_payload(server):
    with server.raw_stream() as client:
        client.send(frames.ping(b"x" * 125))
        got = client.read_frame()
        while got.opcode == frames.TEXT:
            got = client.read_frame()
        assert (got.opcode, got.payload) == (frames.PONG, b"x" * 125)


def test_f8_silent_client_is_4411_after_interval_and_timeout(server):
    with server.raw_stream() as client:
        start = time.monotonic()
        closed = client.expect_close(4411, timeout=5)
        assert 1.5 < time.monotonic() - start < 3
    assert [m["event"] for m in closed.messages].count("ping") in (1, 2, 3)


def receipt(position):
    return frames.text(json.dumps({"type": "ack", "event": "received", "payload": {"id": position}}))


SIGNS_OF_LIFE = {
    "pong frame": frames.pong(),
    "pong frame with payload": frames.pong(b"unasked"),
    "ping frame": frames.ping(b"mine"),
    "pong message": frames.text('{"type":"heartbeat","event":"pong"}'),
    "received": None,  # of a position that the client was told
    "ping message": frames.text('{"type":"heartbeat","event":"ping"}'),
}


def test_any_message_or_pong_counts_as_life(server):
    clients = {name: server.raw_stream(name) for name in SIGNS_OF_LIFE}
    for _ in range(4):
        for name, client in clients.items():
            client.read_event("ping", timeout=3)
            client.send(SIGNS_OF_LIFE[name] or receipt(client.live["payload"]["position"]))
    for client in clients.values():
        client.close()


# --- 3, 4.4: messages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message, code",
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("hello", "not_json"),
        ("[]", "bad_shape"),
        ('"text"', "bad_shape"),
        ("{}", "bad_shape"),
        ('{"type":1,"event":"ping"}', "bad_shape"),
        ('{"type":"heartbeat"}', "bad_shape"),
        ('{"type":"heartbeat","event":"ping","payload":[]}', "bad_shape"),
        ('{"type":"ack","event":"received","payload":{}}', "bad_shape"),
        ('{"type":"auth","event":"token","payload":{"token":1}}', "bad_shape"),
        ('{"type":"subscribe","event":"x"}', "unknown_type"),
        ('{"type":"heartbeat","event":"dance"}', "unknown_type"),
        ('{"type":"notification","event":"system_alert","payload":{}}', "unknown_type"),
        ('{"type":"heartbeat","type":"auth","event":"ping"}', "not_json"),
    ],
)
def test_a_message_of_another_form_is_answered_and_ignored(server, message, code):
    with server.connect() as alice:
        alice.send(message)
        error = alice.next_of("invalid_message")
        assert error["type"] == "error"
        assert error["payload"]["code"] == code
        assert error["payload"]["message"]
        alice.send({"type": "heartbeat", "event": "ping"})
        alice.next_of("pong")


def test_members_that_are_not_known_are_ignored(server):
    with server.connect() as alice:
        alice.send({"type": "heartbeat", "event": "ping", "mood": "good", "payload": {"n": [1, {"a": None}]}})
        assert "mood" not in alice.next_of("pong")


def test_a_receipt_is_taken_in_silence(server):
    with server.connect() as alice:
        server.publish(events.order("alice"))
        alice.send({"type": "ack", "event": "received", "payload": {"id": alice.notification()["id"]}})
        alice.send({"type": "heartbeat", "event": "ping"})
        while (got := alice.next())["event"] != "pong":
            assert got["type"] != "error"


def test_the_largest_message_is_taken_and_one_byte_more_is_1009(server):
    head, tail = '{"type":"heartbeat","event":"ping","payload":{"x":"', '"}}'
    largest = head + "x" * (16 * 1024 - len(head) - len(tail)) + tail
    with server.raw_stream() as client:
        client.send(frames.text(largest))
        client.read_event("pong")
        client.send(frames.text(largest + " "))
        client.expect_close(1009)


def test_the_size_is_that_of_all_fragments_together(server):
    with server.raw_stream() as client:
        client.send(frames.text(" " * 9000, fin=False) + frames.frame(frames.CONTINUATION, b" " * 9000, fin=False))
        client.expect_close(1009)


def test_a_message_in_16_fragments_is_taken(server):
    message = b'{"type":"heartbeat","event":"ping"}'
    parts = [message[i : i + 1] for i in range(15)] + [message[15:]]
    with server.raw_stream() as client:
        for i, part in enumerate(parts):
            client.send(frames.frame(frames.CONTINUATION if i else frames.TEXT, part, fin=i == 15))
        client.read_event("pong")


def test_control_frames_may_come_between_fragments(server):
    with server.raw_stream() as client:
        client.send(frames.text('{"type":"heartbeat",', fin=False))
        client.send(frames.ping(b"between"))
        client.send(frames.frame(frames.CONTINUATION, b'"event":"ping"}'))
        seen = []
        while len(seen) < 2:
            got = client.read_frame()
            if got.opcode == frames.PONG:
                seen.append(got.payload)
            elif json.loads(got.payload)["event"] == "pong":
                seen.append("answer")
        assert set(seen) == {b"between", "answer"}


def test_depth_at_the_limit_is_taken_and_beyond_is_invalid(server):
    def ping(depth):  # of the whole message
        return '{"type":"heartbeat","event":"ping","payload":{"x":' + "[" * (depth - 2) + "]" * (depth - 2) + "}}"

    with server.connect() as alice:
        alice.send(ping(32))
        alice.next_of("pong")
        alice.send(ping(33))
        alice.next_of("invalid_message")
