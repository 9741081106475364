"""Adversarial cases, group A: TCP and TLS. One test per case, named after it."""

import re
import select
import socket
import ssl
import subprocess
import threading
import time

import pytest

from harness import client_hello as hello
from harness import command, events, frames
from harness.waiting import until

CONFIG = {"server": {"handshake_timeout": "1500ms"}}

pytestmark = pytest.mark.usefixtures("undisturbed")


def tcp(server):
    client = socket.create_connection(server.address, timeout=5)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def received_until_end(client, timeout=5):
    """Everything up to the end of the connection, orderly or not."""
    client.settimeout(timeout)
    data = b""
    try:
        while part := client.recv(65536):
            data += part
    except ConnectionError:
        pass
    return data


def answer_to(server, data):
    with tcp(server) as client:
        try:
            client.sendall(data)
        except ConnectionError:
            pass
        return received_until_end(client)


def test_a1_silent_connection_is_dropped_at_the_handshake_deadline(server):
    with tcp(server) as client:
        start = time.monotonic()
        assert received_until_end(client) == b""
        assert 1.3 < time.monotonic() - start < 2.5


def test_a1_default_deadline_is_five_seconds(carillon):
    server = carillon().start()
    with tcp(server) as client:
        start = time.monotonic()
        assert received_until_end(client, timeout=8) == b""
        assert 4.5 < time.monotonic() - start < 6


def test_a2_bytewise_hello_is_dropped_at_the_absolute_deadline(server):
    with tcp(server) as client:
        start = time.monotonic()
        for byte in hello.client_hello():
            client.send(bytes([byte]))
            if select.select([client], [], [], 0.2)[0]:
                break
        assert received_until_end(client) == b""
        assert 1.3 < time.monotonic() - start < 2.5


def test_a2_stalled_handshake_after_a_whole_hello_is_dropped(server):
    with tcp(server) as client:
        start = time.monotonic()
        client.sendall(hello.client_hello())
        assert received_until_end(client)[:1] == b"\x16"
        assert 1.3 < time.monotonic() - start < 2.5


@pytest.mark.parametrize("version", [0x0303, 0x0302, 0x0301, 0x0300], ids=["TLS 1.2", "TLS 1.1", "TLS 1.0", "SSLv3"])
def test_a5_older_protocol_versions_get_the_alert_protocol_version(server, version):
    older_suites = (0xC02B, 0xC02F, 0xC013, 0x002F)
    extensions = [extension for extension in hello.usual_extensions()[1:3]]
    answer = answer_to(server, hello.client_hello(extensions, version, older_suites))
    # OpenSSL built without SSLv3 knows the version too little to name it.
    allowed = (hello.PROTOCOL_VERSION, hello.HANDSHAKE_FAILURE) if version == 0x0300 else (hello.PROTOCOL_VERSION,)
    assert hello.alert_in(answer) in allowed


def test_a5_versions_below_1_3_in_supported_versions_get_the_alert_protocol_version(server):
    extensions = [hello.supported_versions(0x0303, 0x0302)] + hello.usual_extensions()[1:]
    assert hello.alert_in(answer_to(server, hello.client_hello(extensions))) == hello.PROTOCOL_VERSION


def test_a5_tls_1_2_is_spoken_where_the_operator_allows_it_with_aead_suites_only(carillon):
    server = carillon({"server": {"tls_min_version": "1.2"}}).start()
    context = server.tls()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        socket.create_connection(server.address) as client,
        context.wrap_socket(client, server_hostname="localhost") as tls,
    ):
        assert tls.version() == "TLSv1.2"
        assert "GCM" in tls.cipher()[0] or "CHACHA20" in tls.cipher()[0]
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    with socket.create_connection(server.address) as client, pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        context.wrap_socket(client, server_hostname="localhost")


def test_a6_null_suites_and_sha1_signatures_are_refused(server):
    assert hello.alert_in(answer_to(server, hello.client_hello(suites=hello.NULL_SUITES))) == hello.HANDSHAKE_FAILURE
    usual = hello.usual_extensions()
    sha1_only = usual[:2] + [hello.signature_algorithms(0x0203, 0x0201)] + usual[3:]
    assert hello.alert_in(answer_to(server, hello.client_hello(sha1_only))) == hello.HANDSHAKE_FAILURE


@pytest.mark.parametrize(
    "extensions",
    [
        [hello.extension(0xFA00 + i, b"x" * 6400) for i in range(10)],
        [hello.extension(0x5000 + i, b"") for i in range(1000)],
        [hello.supported_versions(0x0304)],
        [hello.extension(0x5000, b""), hello.extension(0x5000, b"")],
    ],
    ids=["64 KiB", "1000 extensions", "duplicated known extension", "duplicated unknown extension"],
)
def test_a8_oversized_or_repetitive_hello_gets_an_alert(server, extensions):
    answer = answer_to(server, hello.client_hello(hello.usual_extensions() + extensions))
    assert hello.alert_in(answer) in (hello.DECODE_ERROR, hello.ILLEGAL_PARAMETER)


def s_client(server, *arguments, request=b""):
    """Runs OpenSSL's client with that on its standard input; returns all it printed."""
    command = ["openssl", "s_client", "-connect", "%s:%d" % server.address, "-servername", "localhost", *arguments]
    result = subprocess.run(command, input=request, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=15)
    return result.stdout.decode(errors="replace")


def test_a9_early_data_is_never_accepted(server, tmp_path):
    session, request = tmp_path / "session.pem", tmp_path / "request"
    request.write_bytes(b"GET /v1/stream HTTP/1.1\r\n\r\n")
    # A session ticket comes after the handshake, so the first connection makes a request that is answered.
    first = s_client(server, "-sess_out", str(session), "-ign_eof", request=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "Max Early Data: 0" in first
    assert session.exists()
    again = s_client(
        server,
        "-sess_in",
        str(session),
        "-early_data",
        str(request),
        "-ign_eof",
        request=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    assert "Reused, TLSv1.3" in again
    assert "Early data was accepted" not in again
    # Exactly the one request after the handshake was answered.
    assert again.count("HTTP/1.1 404") == 1


def test_a10_resumed_tls_session_carries_no_identity(server):
    context = server.tls()

    def handshake(session):
        with socket.create_connection(server.address, timeout=5) as client:
            with context.wrap_socket(client, server_hostname="localhost", session=session) as tls:
                yield tls

    for tls in handshake(None):
        tls.sendall(
            b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Authorization: Bearer " + server.token("alice").encode() + b"\r\n\r\n"
        )
        assert b"101" in tls.recv(4096)
        session = tls.session
    for tls in handshake(session):
        assert tls.session_reused
        tls.sendall(
            b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
            b"Authorization: Bearer " + server.token("bob").encode() + b"\r\n\r\n"
        )
        data = b""
        while b'"auth_ok"' not in data or b'"user_id"' not in data:
            data += tls.recv(4096)
        assert b'"user_id":"bob"' in data


def test_a11_renegotiation_is_refused(carillon):
    server = carillon({"server": {"tls_min_version": "1.2"}}).start()
    printed = s_client(server, "-tls1_2", "-legacy_renegotiation", request=b"R\n")
    assert "Secure Renegotiation IS supported" in printed
    assert "RENEGOTIATING" in printed
    assert not re.search(r"RENEGOTIATING.*depth=0", printed, re.S)


@pytest.mark.parametrize(
    "name", [b"unknown.example", b"192.0.2.1", b"x" * 255, None], ids=["unknown", "IP literal", "255 bytes", "none"]
)
def test_a13_unknown_server_names_get_the_certificate_or_an_alert(server, name):
    extensions = hello.usual_extensions() + ([hello.server_name(name)] if name else [])
    with tcp(server) as client:
        client.sendall(hello.client_hello(extensions))
        answer = client.recv(4096)
    assert answer[0] == 22 or hello.alert_in(answer) == hello.UNRECOGNIZED_NAME


def test_a13_server_name_of_300_bytes_is_an_alert(server):
    answer = answer_to(server, hello.client_hello(hello.usual_extensions() + [hello.server_name(b"x" * 300)]))
    assert hello.alert_in(answer) in (hello.DECODE_ERROR, hello.ILLEGAL_PARAMETER, hello.UNRECOGNIZED_NAME)


def test_1_1_clear_text_to_the_tls_port_is_closed(server):
    for request in (b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\x00" * 600):
        start = time.monotonic()
        answer = answer_to(server, request)
        assert not answer.startswith(b"HTTP") and len(answer) <= 7
        assert time.monotonic() - start < 1


def serial_served_by(server):
    with socket.create_connection(server.address, timeout=5) as client:
        with server.tls().wrap_socket(client, server_hostname="localhost") as tls:
            return int(tls.getpeercert()["serialNumber"], 16)


def test_a15_certificate_reload_under_a_stream_of_connections(carillon, authority):
    server = carillon().start()
    old = server.connect("alice")
    failures, handshakes, stop = [], [], threading.Event()

    def knock():
        while not stop.is_set():
            try:
                handshakes.append((time.monotonic(), serial_served_by(server)))
            except OSError as error:
                failures.append(error)

    threads = [threading.Thread(target=knock) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        until(lambda: len(handshakes) > 50)
        certificate, key, new_serial = authority.issue("renewed")
        server.replace_certificate(certificate, key)
        reloaded = time.monotonic()
        server.reload()
        until(lambda: any(serial == new_serial for _, serial in handshakes[-3:]), 3, "the new certificate")
        until(lambda: handshakes[-1][0] > reloaded + 1.5)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert {serial for at, serial in handshakes if at > reloaded + 1} == {new_serial}
    server.publish(events.alert())
    assert old.notification()["event"] == "system_alert"
    old.close()


def broken_pairs(authority):
    certificate, key, _ = authority.issue()
    other_key = authority.issue()[1]
    expired, expired_key, _ = authority.issue(expired=True)
    return {
        "garbage": (b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", key),
        "empty": (b"", key),
        "mismatched": (certificate, other_key),
        "expired": (expired, expired_key),
    }


@pytest.mark.parametrize("kind", ["garbage", "empty", "mismatched", "expired"])
def test_a16_broken_new_certificate_is_refused_and_the_old_one_stays(carillon, authority, kind):
    server = carillon().start()
    with server.connect("alice") as alice:
        server.replace_certificate(*broken_pairs(authority)[kind])
        mark = server.log_size()
        server.reload()
        until(
            lambda: [line for line in server.log_lines(mark) if line["level"] == "error"], what="the error in the log"
        )
        assert serial_served_by(server) == server.serial
        server.publish(events.alert())
        alice.notification()
    check = command.run("check-config", server.config_path)
    assert check.returncode != 0
    assert "server.pem" in check.stderr or "server.key" in check.stderr


def test_a16_server_does_not_start_with_a_broken_certificate(carillon, authority):
    for certificate, key in broken_pairs(authority).values():
        server = carillon()
        server.replace_certificate(certificate, key)
        server.spawn()
        assert server.wait(10) != 0
        assert "server.pem" in server.output() or "server.key" in server.output()


def test_a_raw_frame_after_garbage_records_is_never_read(server):
    with server.raw_stream() as client:
        record = bytearray(client.sealed(frames.text('{"type":"heartbeat","event":"ping"}')))
        record[-1] ^= 1
        client.socket.sendall(bytes(record))
        client.receive_rest(2)
