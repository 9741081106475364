"""Adversarial cases, group D: frames and closing. One test per case, named after it."""

import json
import struct
import threading
import time

import pytest

from harness import frames, metrics
from harness.raw_client import PeerClosed
from harness.server import Carillon
from harness.waiting import until

PING = '{"type":"heartbeat","event":"ping"}'

pytestmark = pytest.mark.usefixtures("undisturbed")


def closes(server, data, code, **options):
    """These literal bytes on an open session make the server close with `code`, count that, and log it in one line."""
    mark = server.log_size()
    with server.counts_one(metrics.SESSIONS_CLOSED, code=code), server.raw_stream() as client:
        client.send(data)
        closed = client.expect_close(code, **options)
    lines = until(lambda: server.ends_of(client, mark), what="the log line of the close")
    assert [line["code"] for line in lines] == [code]
    return closed


@pytest.mark.parametrize(
    "opcode", [frames.CONTINUATION, frames.TEXT, frames.BINARY, frames.CLOSE, frames.PING, frames.PONG]
)
def test_d1_unmasked_frame_is_1002(server, opcode):
    closes(server, frames.frame(opcode, b"\x03\xe8", mask=None), 1002)


@pytest.mark.parametrize("rsv", [1, 2, 4, 7])
@pytest.mark.parametrize("opcode", [frames.TEXT, frames.PING, frames.CLOSE])
def test_d2_reserved_bits_are_1002(server, rsv, opcode):
    closes(server, frames.frame(opcode, b"", rsv=rsv), 1002)


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_d3_unknown_opcode_is_1002_before_its_payload(server, opcode):
    closes(server, frames.header(opcode, 100), 1002)


def test_d4_binary_frame_is_1003(server):
    closes(server, frames.frame(frames.BINARY, b"\x00\x01"), 1003)


def test_d4_binary_frame_is_1003_at_its_header(server):
    closes(server, frames.header(frames.BINARY, 100), 1003)


def test_d6_oversized_frame_is_1009_at_its_header(server):
    closes(server, frames.header(frames.TEXT, 16 * 1024 * 1024) + b"x" * 10, 1009)


def test_d6_frame_of_one_byte_too_many_is_1009_at_its_header(server):
    closes(server, frames.header(frames.TEXT, 16 * 1024 + 1), 1009)


@pytest.mark.parametrize(
    "data",
    [
        frames.header(frames.TEXT, 10, length_bytes=2),
        frames.header(frames.TEXT, 10, length_bytes=8),
        frames.header(frames.TEXT, 300, length_bytes=8),
        bytes([0x81, 0xFF]) + struct.pack(">Q", 1 << 63) + frames.MASK,
    ],
    ids=["16 bits for 10", "64 bits for 10", "64 bits for 300", "top bit set"],
)
def test_d6_length_that_is_not_minimal_is_1002(server, data):
    closes(server, data, 1002)


def test_d8_unknown_opcode_with_a_gibibyte_declared_is_1002_and_allocates_nothing(server):
    with server.grows_by_less_than(1024 * 1024):
        closes(server, frames.header(3, 1 << 30), 1002)


@pytest.fixture(scope="module", autouse=True)
def unfinished(tmp_path_factory, keys, authority):
    """Connections that begin a message and never finish it, on a server of their own. They are started before all tests
    of the module, because each takes ten seconds. Each result is (seconds to the close, Closed)."""
    server = Carillon(tmp_path_factory.mktemp("unfinished"), keys, authority).start()
    results = {}

    def trickle(client, data):
        for i in range(len(data)):
            client.send(data[i : i + 1])
            if client.is_readable(0.5):
                return

    def fragment(client, _):
        client.send(frames.text('{"type":', fin=False))
        # Heartbeats are answered meanwhile, and must not buy the message more time.
        for _ in range(40):
            if client.is_readable(0.5):
                return
            client.send(frames.pong())

    def half(client, data):
        client.send(data[:5])

    def run(name, behave, data=b""):
        with server.raw_stream(f"unfinished-{name}") as client:
            start = time.monotonic()
            behave(client, data)
            closed = client.read_close(15)
            results[name] = (time.monotonic() - start, closed)

    header_then_payload = frames.text(" " * 200 + PING)
    threads = [
        threading.Thread(target=run, args=("bytewise", trickle, header_then_payload)),
        threading.Thread(target=run, args=("fragment", fragment)),
        threading.Thread(target=run, args=("half header", half, frames.header(frames.TEXT, 300))),
    ]
    for thread in threads:
        thread.start()

    def result(name):
        for thread in threads:
            thread.join()
        return results[name]

    yield result
    for thread in threads:
        thread.join()
    assert server.stop() == 0
    server.assert_clean()


def test_d10_control_frame_of_126_bytes_is_1002(server):
    for opcode in (frames.PING, frames.PONG, frames.CLOSE):
        closes(server, frames.header(opcode, 126), 1002)


@pytest.mark.parametrize("opcode", [frames.PING, frames.PONG, frames.CLOSE])
def test_d10_fragmented_control_frame_is_1002(server, opcode):
    closes(server, frames.frame(opcode, b"", fin=False), 1002)


def test_d11_continuation_without_a_start_is_1002(server):
    closes(server, frames.frame(frames.CONTINUATION, b"x"), 1002)


def test_d11_new_text_inside_a_fragmented_message_is_1002(server):
    closes(server, frames.text("{", fin=False) + frames.text("}"), 1002)


def test_d12_seventeenth_fragment_is_1008(server):
    start = frames.text("{", fin=False)
    closes(
        server,
        start + frames.frame(frames.CONTINUATION, b" ", fin=False) * 15 + frames.frame(frames.CONTINUATION, b"}"),
        1008,
    )


def test_d13_endless_empty_continuations_are_1008_at_the_seventeenth(server):
    with server.grows_by_less_than(1024 * 1024):
        closes(server, frames.text("", fin=False) + frames.frame(frames.CONTINUATION, b"", fin=False) * 10_000, 1008)


def flood(server, data, count, code, timeout=10):
    """Sends `data` up to `count` times until the server closes with `code`; returns what it said before. The flood may
    have been cut by the server's hanging up, so an answer that was lost to a reset counts as no answer."""
    mark = server.log_size()
    with server.raw_stream() as client:
        seen = []
        for _ in range(count):
            try:
                client.send(data)
            except OSError:
                break
            if client.peek_closed() or client.has_plain():
                break
        try:
            seen = client.read_close(timeout)
            assert seen.code == code, seen
        except PeerClosed:
            seen = None
    lines = until(lambda: server.ends_of(client, mark), what="the log line of the close")
    assert [line["code"] for line in lines] == [code]
    return seen


def test_d15_valid_messages_in_one_byte_segments_are_rate_limited(server):
    with server.raw_stream() as client:
        sealed = client.sealed(frames.text(PING) * 200)
        before = server.cpu_seconds()
        try:
            for i in range(len(sealed)):
                client.socket.send(sealed[i : i + 1])
        except OSError:
            pass
        closed = client.read_close(10)
        assert closed.code == 4429
        assert server.cpu_seconds() - before < 2


def test_d17_valid_text_up_to_the_last_code_point_is_taken(server):
    text = json.dumps({"type": "heartbeat", "event": "ping", "x": "é€\uffff\U0010ffff"}, ensure_ascii=False)
    with server.raw_stream() as client:
        data = text.encode()
        for cut in range(len(data) - 14, len(data) - 1):  # each byte of the characters
            client.send(frames.text(data[:cut], fin=False) + frames.frame(frames.CONTINUATION, data[cut:]))
            client.read_event("pong")


BAD_UTF8 = {
    "first byte": b"\xff{}",
    "middle byte": b'{"a":"\xfe"}',
    "last byte": b'{"a":1}\xc3',
    "overlong two": b"\xc0\xaf",
    "overlong three": b"\xe0\x80\xaf",
    "overlong four": b"\xf0\x80\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "beyond U+10FFFF": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "lone continuation": b"\x80",
    "truncated": b"\xe2\x82",
}


@pytest.mark.parametrize("name", BAD_UTF8)
def test_d17_invalid_utf8_is_1007(server, name):
    closes(server, frames.text(BAD_UTF8[name]), 1007)


def test_d17_bad_byte_in_an_unfinished_message_is_1007_at_once(server):
    closes(server, frames.text(b'{"a":"\xff', fin=False), 1007)


def test_d17_bad_byte_in_an_unfinished_frame_is_1007_at_once(server):
    closes(server, frames.header(frames.TEXT, 1000) + frames.masked(b'{"a":"\xff'), 1007)


def test_d17_character_broken_over_two_fragments_is_1007(server):
    closes(server, frames.text(b"\xe2\x82", fin=False) + frames.frame(frames.CONTINUATION, b"x", fin=False), 1007)


def test_d17_bad_utf8_in_a_close_reason_is_1007(server):
    closes(server, frames.close(1000, b"\xff"), 1007)


def test_d18_ping_flood_is_4429(server):
    flood(server, frames.ping(b"x") * 20, 500, 4429)


def test_d18_pings_within_the_budget_are_answered_with_the_latest_payload(server):
    with server.raw_stream() as client:
        client.send(b"".join(frames.ping(b"%d" % i) for i in range(10)))
        payloads = []
        while not payloads or payloads[-1] != b"9":
            got = client.read_frame()
            assert got.opcode == frames.PONG
            payloads.append(got.payload)
        assert payloads == sorted(payloads)


def test_d19_unsolicited_pong_flood_is_4429(server):
    flood(server, frames.pong(b"x") * 20, 500, 4429)


def test_d19_a_few_unsolicited_pongs_are_ignored(server):
    with server.raw_stream() as client:
        client.send(frames.pong(b"unasked") * 5 + frames.text(PING))
        assert client.read_event("pong")


@pytest.mark.parametrize(
    "code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4401, 4999]
)
def test_d21_valid_close_code_is_echoed_and_tcp_closed(server, code):
    with server.raw_stream() as client:
        client.send(frames.close(code, "au revoir é".encode()))
        start = time.monotonic()
        assert client.read_close(answer=False).code == code
        client.expect_closed(1)
        assert time.monotonic() - start < 1


def test_d21_codes_of_the_clients_own_are_counted_as_one(server):
    """A label takes no words of a peer, and a client that says 4420 was not too slow."""
    before = server.metrics()
    for code in (3000, 4420, 4999):
        with server.raw_stream() as client:
            client.send(frames.close(code))
            assert client.read_close(answer=False).code == code
    after = server.metrics()
    assert closed_with("private", after) == closed_with("private", before) + 3
    assert closed_with("4999", after) == 0
    assert after.total("carillon_slow_clients_total") == before.total("carillon_slow_clients_total")


def closed_with(code, page):
    return page.count(metrics.SESSIONS_CLOSED, code=code)


def test_d21_close_without_a_code_is_answered(server):
    with server.raw_stream() as client:
        client.send(frames.close())
        assert client.read_close(answer=False).code in (None, 1000)
        client.expect_closed(1)


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65535])
def test_d21_close_code_that_must_not_be_sent_is_1002(server, code):
    closes(server, frames.close(code), 1002)


def test_d21_close_with_a_body_of_one_byte_is_1002(server):
    closes(server, frames.frame(frames.CLOSE, b"\x03"), 1002)


def test_d21_nothing_after_our_close_is_read(server):
    with server.raw_stream() as client:
        client.send(frames.close(1000) + frames.text(PING) + frames.ping(b"late"))
        assert client.read_frame().opcode == frames.CLOSE
        client.expect_closed(1)


def provoke_close(server, client):
    """Makes the server close first and wait for our close frame, which a fault in the framing would not make it do."""
    client.send(
        frames.text(json.dumps({"type": "auth", "event": "token", "payload": {"token": server.token("another")}}))
    )
    assert client.read_close(answer=False).code == 4403


def test_d23_peer_that_never_answers_our_close_is_cut_off_after_two_seconds(server):
    with server.raw_stream() as client:
        provoke_close(server, client)
        before, start = server.cpu_seconds(), time.monotonic()
        client.expect_closed(4)
        took = time.monotonic() - start
        assert 1 < took < 3
        # The neighbour's twenty events a second are the rest of what was used.
        assert server.cpu_seconds() - before < 0.1 * took


def test_d23_peer_that_keeps_talking_after_our_close_is_cut_off_too(server):
    with server.raw_stream() as client:
        provoke_close(server, client)
        start = time.monotonic()
        client.send_bytewise(frames.text(PING) * 2, interval=0.1)
        client.receive_rest(4)
        assert time.monotonic() - start < 3.5


def test_d23_peer_that_never_ends_tcp_after_its_close_is_cut_off(server):
    before = server.connections()
    with server.raw_stream() as client:
        client.send(frames.close(1000))
        until(lambda: server.connections() <= before, 3, "the end of the connection on the server's side")


@pytest.mark.parametrize("mask", [b"\0\0\0\0", b"\xff\xff\xff\xff", b"GET "])
def test_d25_any_masking_key_is_only_a_masking_key(server, mask):
    with server.raw_stream() as client:
        client.send(frames.text(PING, mask=mask))
        client.read_event("pong")


def test_d25_payload_that_looks_like_http_is_data(server):
    with server.raw_stream() as client:
        client.send(frames.text("GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n", mask=b"\0\0\0\0"))
        assert client.read_event("invalid_message")["payload"]["code"] == "not_json"
        client.send(frames.text(PING))
        client.read_event("pong")


@pytest.mark.parametrize("code", [1012, 1013, 1014])
def test_d26_codes_of_servers_from_a_client_are_a_normal_close(server, code):
    mark = server.log_size()
    with server.raw_stream() as client:
        client.send(frames.close(code))
        assert client.read_close(answer=False).code == code
    assert not [line for line in server.ends_of(client, mark) if line["level"] in ("warning", "error")]


# Last in the file, so that the ten seconds pass while the others run.


def test_d9_message_sent_byte_by_byte_is_1008_at_ten_seconds(unfinished):
    took, closed = unfinished("bytewise")
    assert closed.code == 1008
    assert 9.5 < took < 11.5


def test_d9_header_that_stops_halfway_is_1008_at_ten_seconds(unfinished):
    took, closed = unfinished("half header")
    assert closed.code == 1008
    assert 9.5 < took < 11.5


def test_d16_message_never_finished_is_1008_at_ten_seconds_whatever_heartbeats_say(unfinished):
    took, closed = unfinished("fragment")
    assert closed.code == 1008
    assert 9.5 < took < 11.5
