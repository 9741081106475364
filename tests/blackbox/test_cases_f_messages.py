"""Adversarial cases, group F: application messages and heartbeat. One test per case, named after it."""

import json
import signal
import time

import pytest

from harness import frames
from harness.raw_client import PeerClosed
from harness.server import Carillon
from harness.waiting import until

PING = '{"type":"heartbeat","event":"ping"}'

pytestmark = pytest.mark.usefixtures("undisturbed")


def answered_as_invalid(client, data):
    client.send(frames.text(data))
    error = client.read_message()
    assert (error["type"], error["event"]) == ("error", "invalid_message"), error
    return error["payload"]


def test_f1_every_must_reject_vector_is_answered_and_the_eleventh_within_a_minute_closes(server, vectors):
    files = sorted((vectors / "json").glob("n_*.json"))
    assert len(files) == 188
    # Those that are no UTF-8 are a WebSocket error (1007) before they are a JSON error; see the next test.
    texts = [data for data in (file.read_bytes() for file in files) if is_utf8(data) and len(data) <= 16 * 1024]
    assert len(texts) > 150
    for begin in range(0, len(texts), 10):
        batch = texts[begin : begin + 10]
        with server.raw_stream() as client:
            for data in batch:
                assert answered_as_invalid(client, data)["code"] in ("not_json", "bad_shape")
            if len(batch) == 10:
                client.send(frames.text(batch[0]))
                closed = client.expect_close(4400)
                assert [m["payload"]["code"] for m in closed.messages] in ([], ["too_many"])


def is_utf8(data):
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_f1_must_reject_vectors_that_are_not_utf8_or_too_large_close_as_such(server, vectors):
    for file in sorted((vectors / "json").glob("n_*.json")):
        data = file.read_bytes()
        if is_utf8(data) and len(data) <= 16 * 1024:
            continue
        with server.raw_stream() as client:
            try:
                client.send(frames.text(data))
            except OSError:
                pass
            client.expect_close(1009 if len(data) > 16 * 1024 else 1007)


def test_f1_every_must_accept_vector_is_json_to_the_server(server, vectors):
    # Inside a message that is otherwise good, whatever they are they are ignored.
    for file in sorted((vectors / "json").glob("y_*.json")):
        data = file.read_bytes()
        with server.raw_stream() as client:
            client.send(frames.text(b'{"type":"heartbeat","event":"ping","x":' + data + b"}"))
            expected = ("invalid_message",) if "duplicated" in file.name else ("pong",)
            assert client.read_message()["event"] in expected, file.name


def test_f1_either_way_vectors_do_no_harm(server, vectors):
    for file in sorted((vectors / "json").glob("i_*.json")):
        with server.raw_stream() as client:
            client.send(frames.text(file.read_bytes()))
            try:
                assert client.read_message()["event"] == "invalid_message"
            except PeerClosed as closed:
                assert closed.args[0] == 1007


@pytest.mark.parametrize("opening", ["[", '{"a":'], ids=["arrays", "objects"])
def test_f2_deep_nesting_is_refused_by_size_or_depth(server, opening):
    with server.raw_stream() as client:
        answered_as_invalid(client, opening * (16_000 // len(opening)))
        answered_as_invalid(client, '{"type":"heartbeat","event":"ping","x":' + opening * 40 + "1")
        answered_as_invalid(client, "[" * 33 + "]" * 33)
        client.send(frames.text(PING))
        assert client.read_event("pong")
    with server.raw_stream() as client:
        try:
            client.send(frames.text(opening * 100_000))
        except OSError:
            pass
        client.expect_close(1009)


@pytest.mark.parametrize(
    "number", ["1e999999", "18446744073709551616", "-0", "0.1e-9999", "9" * 400, "1E+400", "-1e-999999999999"]
)
def test_f3_extreme_numbers_are_answered_quickly(server, number):
    with server.raw_stream() as client:
        start = time.monotonic()
        client.send(frames.text('{"type":"heartbeat","event":"ping","payload":{"n":%s}}' % number))
        assert client.read_message()["event"] in ("pong", "invalid_message")
        assert time.monotonic() - start < 1


def test_f6_flood_of_keys_is_refused(server):
    keys = ",".join(f'"k{i:x}":1' for i in range(1500))
    with server.raw_stream() as client:
        before = server.cpu_seconds()
        answered_as_invalid(client, '{"type":"heartbeat","event":"ping","payload":{%s}}' % keys)
        assert server.cpu_seconds() - before < 0.1
        many = ",".join(f'"k{i}":1' for i in range(64))
        client.send(frames.text('{"type":"heartbeat","event":"ping","payload":{%s}}' % many))
        assert client.read_event("pong")
        answered_as_invalid(client, '{"type":"heartbeat","event":"ping","payload":{%s,"k64":1}}' % many)


def test_f7_unknown_type_is_not_fatal_and_extras_are_never_echoed(server):
    with server.raw_stream() as client:
        payload = answered_as_invalid(client, '{"type":"zzz-secret","event":"zzz-secret","payload":{"zzz-secret":1}}')
        assert payload["code"] == "unknown_type"
        assert "zzz-secret" not in json.dumps(payload)
        client.send(frames.text('{"type":"heartbeat","event":"ping","zzz-secret":1,"payload":{"zzz-secret":1}}'))
        assert "zzz-secret" not in json.dumps(client.read_event("pong"))


def test_f9_pongs_unasked_are_4429_over_the_rate(server):
    with server.raw_stream() as client:
        client.send(frames.pong() * 20)
        try:
            for _ in range(100):
                client.send(frames.pong() * 10)
        except OSError:
            pass
        assert client.read_close().code == 4429


def test_f13_twenty_messages_a_second_with_a_burst_of_fifty_are_taken(server):
    with server.raw_stream() as client:
        client.send(frames.text(PING) * 45)
        for _ in range(45):
            assert client.read_message()["event"] == "pong"


def test_f13_more_messages_than_that_are_warned_of_and_4429(server):
    with server.raw_stream() as client:
        client.send(frames.text(PING) * 200)
        closed = client.read_close()
        assert closed.code == 4429
    pongs = [m for m in closed.messages if m["event"] == "pong"]
    assert 50 <= len(pongs) <= 60
    (warning,) = [m for m in closed.messages if m["type"] == "error"]
    assert warning["payload"]["code"] == "too_many"
    assert warning["payload"]["retry_after_ms"] > 0


def test_7_connection_too_many_of_a_user_is_429_or_4429(carillon):
    server = carillon({"limits": {"connections_per_user_max": 2}}).start()
    held = [server.connect("alice") for _ in range(2)]
    with server.raw() as third:
        response = third.upgrade(authorization=f"Bearer {server.token('alice')}")
        assert response.status == 429
        assert int(response.headers["retry-after"][0]) >= 1
    for carrier in ("b", "c"):
        with server.open(server.token("alice"), carrier) as third:
            code, messages = third.until_closed()
            assert code == 4429
            assert [m for m in messages if m["event"] == "auth_ok"] == []
    server.connect("bob").close()
    held.pop().close()
    until(lambda: server.connections() == 1)
    server.connect("alice").close()
    for stream in held:
        stream.close()


@pytest.fixture(scope="module")
def brisk(tmp_path_factory, keys, authority):
    """A server whose heartbeat is a second and a second."""
    brisk = Carillon(
        tmp_path_factory.mktemp("brisk"), keys, authority, {"heartbeat": {"interval": "1s", "timeout": "1s"}}
    ).start()
    yield brisk
    assert brisk.stop() == 0
    brisk.assert_clean()


def test_f12_own_stall_closes_nobody(brisk):
    mark = brisk.log_size()
    clients = [brisk.connect(f"user-{i}") for i in range(10)]
    for client in clients:
        client.next_of("ping")
    brisk.process.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    # Nothing can be waited for on a stopped server; the stall itself is the stimulus.
    with pytest.raises(TimeoutError):
        while True:
            clients[0].next(timeout=3)
    brisk.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - stopped > 2.9
    for client in clients:
        client.send(json.loads(PING))
        client.next_of("pong")
        client.close()
    assert not [line for line in brisk.log_lines(mark) if line.get("code") == 4411]


def test_f12_silence_is_noticed_again_after_the_stall(brisk):
    with brisk.raw_stream() as client:
        client.expect_close(4411, timeout=5)
