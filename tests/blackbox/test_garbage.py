"""Bytes that nobody meant: random and mutated input at every layer. Whatever it is, the connection ends in order, nobody
else notices, and nothing is left behind. The seed is fixed, so that a failure can be repeated."""

import random
import socket
import time

import pytest

from harness import client_hello, frames
from harness.raw_client import PeerClosed, upgrade_request

CONFIG = {"server": {"handshake_timeout": "1s"}, "limits": {"messages_per_second_max": 1000}}

pytestmark = pytest.mark.usefixtures("undisturbed")

CLOSE_CODES = {1000, 1002, 1003, 1007, 1008, 1009, 4400, 4401, 4429, *range(3000, 5000), *range(1000, 1015)}


def mutated(data, random_source):
    data = bytearray(data)
    for _ in range(random_source.randint(1, 8)):
        place = random_source.randrange(len(data))
        kind = random_source.randrange(4)
        if kind == 0:
            data[place] ^= 1 << random_source.randrange(8)
        elif kind == 1:
            del data[place : place + random_source.randint(1, 8)]
        elif kind == 2:
            data[place:place] = random_source.randbytes(random_source.randint(1, 8))
        else:
            data[place:place] = data[place : place + random_source.randint(1, 40)]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def test_random_bytes_instead_of_tls(server):
    source = random.Random(1)
    for _ in range(100):
        with socket.create_connection(server.address, timeout=3) as client:
            data = (
                source.randbytes(source.randint(1, 500))
                if source.random() < 0.5
                else mutated(client_hello.client_hello(), source)
            )
            try:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
                while client.recv(4096):
                    pass
            except ConnectionError:
                pass


def test_mutated_requests_are_answered_or_ended(server):
    source = random.Random(2)
    good = upgrade_request(authorization=f"Bearer {server.token()}")
    statuses = set()
    for _ in range(300):
        with server.raw() as client:
            request = mutated(good, source)
            client.send(request + (b"\r\n\r\n" if source.random() < 0.5 else b""))
            client.tls_end()
            try:
                statuses.add(client.read_response().status)
            except PeerClosed:
                pass
    assert statuses <= {101, 400, 401, 404, 405, 411, 413, 414, 426, 431, 505}, statuses
    assert {101, 400, 401} <= statuses


def test_random_frames_end_with_a_code_of_the_protocol(server):
    source = random.Random(3)
    messages = [
        '{"type":"heartbeat","event":"ping"}',
        "{}",
        "[1,2",
        '{"type":"ack","event":"received","payload":{"id":"x"}}',
        "\u20ac" * 20,
    ]
    for _ in range(200):
        stream = b"".join(
            frames.frame(source.choice([0, 1, 1, 1, 2, 8, 9, 10]), source.choice(messages), fin=source.random() < 0.8)
            for _ in range(source.randint(1, 10))
        )
        with server.raw_stream() as client:
            client.send(mutated(stream, source) if source.random() < 0.7 else stream)
            client.send(frames.close(1000))
            try:
                closed = client.read_close()
            except TimeoutError:
                continue  # our close was taken for the inside of an unfinished frame
            assert closed.code is None or closed.code in CLOSE_CODES, closed


def test_connections_cut_anywhere_leave_nothing(server):
    good = upgrade_request(authorization=f"Bearer {server.token()}") + frames.text(
        '{"type":"heartbeat","event":"ping"}'
    )
    for cut in range(0, len(good), 25):
        with server.raw() as client:
            client.send(good[:cut] or b"G")
            client.reset()


def test_half_closed_connection_is_ended(server):
    with server.raw_stream() as client:
        client.socket.shutdown(socket.SHUT_WR)
        client.receive_rest(5)


def test_three_hundred_half_open_handshakes_do_not_keep_a_good_client_waiting(server):
    hello = client_hello.client_hello()
    crowd = [socket.create_connection(server.address, timeout=5) for _ in range(300)]
    try:
        for client in crowd:
            client.sendall(hello[: len(hello) // 2])
        start = time.monotonic()
        with server.connect("alice"):
            assert time.monotonic() - start < 1
    finally:
        for client in crowd:
            client.close()
