"""Adversarial cases, group B: the HTTP upgrade, and the refusals of protocol 7.4. One test per case, named after it."""

import base64
import json
import os
import time

import pytest

from harness import frames, metrics
from harness.raw_client import upgrade_request
from harness.waiting import until

ORIGIN = "https://app.example.com"
CONFIG = {
    "server": {"handshake_timeout": "1500ms", "allowed_origins": [ORIGIN, "http://localhost:3000"]},
    "auth": {"token_timeout": "1s"},
}

pytestmark = pytest.mark.usefixtures("undisturbed")


def refuses(server, request, *statuses, head_only=False):
    """The server answers these literal bytes with one of `statuses` and `Connection: close`, closes, counts it, and logs
    it in exactly one line. Returns the response."""
    mark = server.log_size()
    counted = server.metrics()
    with server.raw() as client:
        try:
            client.send(request)
        except OSError:
            pass
        response = client.read_response(head_only=head_only)
        assert response.status in statuses, response
        assert response.headers.get("connection") == ["close"], response.headers
        client.expect_closed()
    lines = until(lambda: server.refusals(mark), what="the log line of the refusal")
    assert [line["status"] for line in lines] == [response.status], lines
    name, labels = metrics.HTTP_RESPONSES, {"status": response.status}
    assert server.metrics().count(name, **labels) == counted.count(name, **labels) + 1
    return response


def accepts(server, request, **raw_options):
    with server.raw(**raw_options) as client:
        response = client.request(request)
        assert response.status == 101, response
        return response


def authorized(server, target="/v1/stream", **changes):
    return upgrade_request(target, authorization=f"Bearer {server.token()}", **changes)


def with_lines(server, *lines, **changes):
    return authorized(server, extra=lines, **changes)


# --- 7.4 and the good answer -------------------------------------------------------------------------------------


def test_the_accept_key_is_that_of_the_rfc(server):
    response = accepts(server, authorized(server, sec_websocket_key="dGhlIHNhbXBsZSBub25jZQ=="))
    assert response.headers["sec-websocket-accept"] == ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="]
    assert [v.lower() for v in response.headers["upgrade"]] == ["websocket"]
    assert [v.lower() for v in response.headers["connection"]] == ["upgrade"]
    assert "sec-websocket-protocol" not in response.headers


def test_no_extension_is_ever_agreed(server):
    offer = "permessage-deflate; client_max_window_bits"
    assert "sec-websocket-extensions" not in accepts(server, authorized(server, sec_websocket_extensions=offer)).headers


def test_401_names_the_scheme_and_has_a_body_of_the_form_of_4_4(server):
    response = refuses(server, upgrade_request(authorization="Bearer x.y.z"), 401)
    assert response.headers["www-authenticate"] == ['Bearer error="invalid_token"']
    assert response.headers["content-type"][0].startswith("application/json")
    body = json.loads(response.body)
    assert (body["type"], body["event"]) == ("error", "auth_failed")
    assert body["payload"]["code"] == "malformed_token"


def test_404_for_another_path(server):
    for path in (
        "/",
        "/v1",
        "/v1/stream/",
        "/v1/stream/x",
        "/V1/STREAM",
        "/v1//stream",
        "/v1/%73tream",
        "/metrics",
        "/healthz",
        "/readyz",
    ):
        refuses(server, authorized(server, path), 404)


def test_413_for_a_body_on_the_upgrade(server):
    request = with_lines(server, "Content-Length: 2000000")
    refuses(server, request, 413, 400)


def test_414_for_a_target_that_is_too_long(server):
    refuses(server, authorized(server, "/v1/stream?" + "x" * 20 * 1024), 414)


@pytest.mark.parametrize("version", ["12", "14", "8", "013", "13, 8", "", "x"])
def test_426_for_another_websocket_version_names_ours(server, version):
    response = refuses(server, authorized(server, sec_websocket_version=version), 426, 400)
    if version in ("12", "14", "8"):
        assert response.status == 426
        assert response.headers["sec-websocket-version"] == ["13"]


def test_503_beyond_the_connections_of_the_node(carillon):
    server = carillon({"limits": {"connections_max": 3}}).start()
    held = [server.connect(f"user-{i}") for i in range(3)]
    with server.raw() as client:
        response = client.upgrade(authorization=f"Bearer {server.token()}")
        assert response.status == 503
        assert int(response.headers["retry-after"][0]) >= 1
        assert response.headers["connection"] == ["close"]
        client.expect_closed()
    for stream in held:
        stream.close()


# --- the cases ---------------------------------------------------------------------------------------------------


def test_b1_bytewise_head_is_408_at_the_absolute_deadline(server):
    with server.raw() as client:
        start = time.monotonic()
        client.send(b"GET /v1/stream HTTP/1.1\r\n")
        client.send_bytewise(b"Host: localhost\r\n" * 4, interval=0.1)
        response = client.read_response()
        assert response.status == 408
        assert response.headers["connection"] == ["close"]
        client.expect_closed()
        assert 1.3 < time.monotonic() - start < 2.5


def test_b1_silence_after_the_tls_handshake_is_408_too(server):
    with server.raw() as client:
        assert client.read_response().status == 408
        client.expect_closed()


@pytest.mark.parametrize(
    "lines", [["X-A: " + "a" * 4200] * 4, ["X-A: " + "a" * 16 * 1024]], ids=["17 KiB in all", "one of 16 KiB"]
)
def test_b2_oversized_head_is_431(server, lines):
    refuses(server, with_lines(server, *lines), 431)


def test_b2_head_that_never_ends_is_431_at_the_limit(server):
    refuses(server, b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 3000, 431)


def test_b3_101_header_lines_are_431(server):
    refuses(server, with_lines(server, *[f"X-{i}: v" for i in range(95)]), 431)


def test_b4_head_in_one_byte_segments_costs_linear_time(server):
    def cost_of(size):
        request = authorized(server, x_padding="a" * (size - 600))
        with server.raw() as client:
            sealed = client.sealed(request)
            before = server.cpu_seconds()
            for i in range(len(sealed)):
                client.socket.send(sealed[i : i + 1])
            assert client.read_response().status == 101
            return server.cpu_seconds() - before

    small, large = cost_of(4 * 1024), cost_of(16 * 1024 - 256)
    # Four times the bytes; quadratic work would cost sixteen times as much. The floor is for the clock's noise.
    assert large < 8 * max(small, 0.02), (small, large)


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "CONNECT", "DELETE", "OPTIONS", "TRACE", "BREW", "get"])
def test_b6_other_methods_are_405(server, method):
    request = authorized(server, method=method)
    response = refuses(server, request, 405, head_only=method == "HEAD")
    assert response.headers["allow"] == ["GET"]


@pytest.mark.parametrize(
    "request_bytes",
    [
        upgrade_request(version="HTTP/1.0"),
        upgrade_request(version="HTTP/1.2"),
        upgrade_request(version="HTTP/2.0"),
        upgrade_request(version="HTTP/1.1x"),
        upgrade_request(version="http/1.1"),
        upgrade_request(version="HTTP/01.1"),
        b"GET /v1/stream\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["1.0", "1.2", "2.0", "1.1x", "lower case", "01.1", "0.9", "HTTP/2 preface"],
)
def test_b7_other_http_versions_are_505_or_400(server, request_bytes):
    refuses(server, request_bytes, 505, 400)


@pytest.mark.parametrize(
    "request_bytes",
    [
        upgrade_request(host=None),
        upgrade_request(extra=["Host: localhost"]),
        upgrade_request(host=""),
        upgrade_request(host="a b"),
        upgrade_request(host="local/host"),
        upgrade_request(host="user@localhost"),
        upgrade_request(host="localhost:port"),
        upgrade_request("https://other.example/v1/stream"),
        upgrade_request("other.example:443"),
        upgrade_request("*"),
    ],
    ids=[
        "none",
        "two",
        "empty",
        "with space",
        "with slash",
        "with user",
        "bad port",
        "absolute form",
        "authority form",
        "*",
    ],
)
def test_b8_bad_host_or_target_is_400(server, request_bytes):
    refuses(server, request_bytes, 400)


def test_b9_missing_upgrade_is_426(server):
    assert refuses(server, authorized(server, upgrade=None), 426).headers["sec-websocket-version"] == ["13"]


@pytest.mark.parametrize(
    "changes",
    [{"connection": None}, {"connection": "keep-alive"}, {"connection": "upgraded"}, {"upgrade": "h2c"}],
    ids=["no Connection", "keep-alive only", "another token", "another protocol"],
)
def test_b9_incomplete_upgrade_is_400(server, changes):
    refuses(server, authorized(server, **changes), 400, 426)


@pytest.mark.parametrize("connection", ["keep-alive, Upgrade", "upgrade", "UPGRADE", "Upgrade,keep-alive"])
def test_b9_upgrade_among_other_connection_tokens_is_accepted(server, connection):
    accepts(server, authorized(server, connection=connection, upgrade="WebSocket"))


def test_b11_version_7_without_upgrade_is_refused_and_closed(server):
    refuses(server, authorized(server, upgrade=None, connection=None, sec_websocket_version="7"), 400, 426)


def test_b12_nothing_after_a_refusal_is_parsed(server):
    mark = server.log_size()
    with server.raw() as client:
        client.send(authorized(server, upgrade=None) + b"GET /admin HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        assert client.read_response().status == 426
        client.expect_closed()
    assert len(until(lambda: server.refusals(mark), what="the log line of the refusal")) == 1


@pytest.mark.parametrize(
    "key",
    [
        None,
        "",
        "x",
        base64.b64encode(b"a" * 15).decode(),
        base64.b64encode(b"a" * 17).decode(),
        "AAAAAAAAAAAAAAAAAAAAA!==",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAA AAAAAAAAAAAA==",
        "AAAAAAAAAAAAAAAAAAAAAA==,AAAAAAAAAAAAAAAAAAAAAA==",
    ],
    ids=["missing", "empty", "short", "15 bytes", "17 bytes", "bad base64", "no padding", "space inside", "list"],
)
def test_b13_bad_key_is_400(server, key):
    refuses(server, authorized(server, sec_websocket_key=key), 400)


def test_b13_two_keys_are_400(server):
    refuses(server, with_lines(server, "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()), 400)


@pytest.mark.parametrize(
    "line",
    [
        b"X-Fold: a\r\n b",
        b"X-Fold: a\r\n\tb",
        b"X-A: b\nX-C: d",
        b"X-A: b\rX-C: d",
        b"X-A: b\x00",
        b"X-A : b",
        b"X-\x80: b",
        b": b",
        b"no colon",
        b"X-A: b\x7f",
        b"X-A: b\x01",
        b"X A: b",
        b"X(A): b",
    ],
    ids=[
        "fold by space",
        "fold by tab",
        "bare LF",
        "bare CR",
        "NUL",
        "space before colon",
        "name with 0x80",
        "empty name",
        "no colon",
        "DEL",
        "control",
        "space in name",
        "delimiter in name",
    ],
)
def test_b15_malformed_header_line_is_400(server, line):
    refuses(server, with_lines(server, line), 400)


@pytest.mark.parametrize(
    "start",
    [
        b"GET  /v1/stream HTTP/1.1",
        b" GET /v1/stream HTTP/1.1",
        b"GET /v1/stream HTTP/1.1 ",
        b"GET\t/v1/stream HTTP/1.1",
        b"G\x00T /v1/stream HTTP/1.1",
        b"GET /v1/str\x01eam HTTP/1.1",
        b"GET /v1/stream\xc3\xa9 HTTP/1.1",
        b"GET",
        b"\x00",
    ],
    ids=[
        "two spaces",
        "leading space",
        "trailing space",
        "tab",
        "NUL",
        "control in path",
        "non-ASCII path",
        "method only",
        "NUL only",
    ],
)
def test_b15_malformed_request_line_is_400(server, start):
    refuses(server, upgrade_request().replace(b"GET /v1/stream HTTP/1.1", start), 400)


def test_b15_head_with_bare_line_feeds_only_is_400(server):
    refuses(server, upgrade_request().replace(b"\r\n", b"\n"), 400)


def test_b15_leading_empty_lines_are_400(server):
    refuses(server, b"\r\n\r\n" + upgrade_request(), 400)


@pytest.mark.parametrize(
    "lines",
    [
        ["Transfer-Encoding: chunked"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: chunked", "Content-Length: 0"],
        ["Content-Length: 0", "Content-Length: 0"],
        ["Content-Length: -1"],
        ["Content-Length: +1"],
        ["Content-Length: 1, 1"],
        ["Content-Length: 0x1"],
        ["Content-Length: 99999999999999999999"],
    ],
    ids=["chunked", "identity", "chunked and length", "two lengths", "negative", "plus", "list", "hex", "huge"],
)
def test_b15_doubtful_body_framing_is_400(server, lines):
    refuses(server, with_lines(server, *lines), 400, 413)


def test_b16_pipelined_requests_get_at_most_one_answer(server):
    with server.grows_by_less_than(1024 * 1024), server.raw() as client:
        try:
            client.send(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1000)
        except OSError:
            pass
        answers = client.receive_rest()
    assert answers.count(b"HTTP/1.1 ") <= 1


def test_b16_frames_sent_along_with_the_upgrade_are_read_after_it(server):
    with server.raw() as client:
        client.send(authorized(server) + frames.text('{"type":"heartbeat","event":"ping"}'))
        assert client.read_response().status == 101
        assert client.read_event("auth_ok") and client.read_event("pong")


def test_b19_line_breaks_are_never_reflected(server):
    mark = server.log_size()
    evil = "%0d%0aSet-Cookie:%20evil=1"
    response = accepts(server, authorized(server, f"/v1/stream?x={evil}&resume={evil}"))
    assert "set-cookie" not in response.headers
    response = refuses(server, authorized(server, f"/elsewhere{evil}?{evil}"), 404)
    assert "set-cookie" not in response.headers
    refuses(server, authorized(server, origin=f"https://evil{evil}"), 403, 400)
    refuses(server, authorized(server, sec_websocket_protocol="carillon.v1\rSet-Cookie: evil=1"), 400)
    # log_lines() reads each line as JSON, so an unescaped line break would not pass.
    assert all("\n" not in line.get("path", "") for line in server.log_lines(mark))


@pytest.mark.parametrize(
    "origin",
    [
        "https://other.example",
        "null",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://evil-app.example.com",
        "https://app.example.com.evil.example",
        "https://sub.app.example.com",
        "https://app.example.com/",
        "app.example.com",
        "HTTPS://app.example.com@evil.example",
        "https://app.example.co",
        "",
    ],
)
def test_b21_other_origins_are_403(server, origin):
    refuses(server, authorized(server, origin=origin), 403, 400)


@pytest.mark.parametrize("origin", [ORIGIN, "http://localhost:3000"])
def test_b21_listed_origin_is_accepted(server, origin):
    accepts(server, authorized(server, origin=origin))


def test_b21_any_origin_is_accepted_where_none_is_listed(carillon):
    server = carillon().start()
    accepts(server, authorized(server, origin="https://anything.example"))


def test_b22_missing_origin_is_accepted_by_default_and_403_when_not_allowed(server, carillon):
    accepts(server, authorized(server))
    strict = carillon({"server": {"allowed_origins": [ORIGIN], "allow_missing_origin": False}}).start()
    refuses(strict, authorized(strict), 403)
    accepts(strict, authorized(strict, origin=ORIGIN))


def test_b23_cookie_is_never_a_token(server):
    cookie = f"token={server.token()}; Authorization={server.token()}"
    refuses(server, upgrade_request(origin="https://evil.example", cookie=cookie), 403)
    with server.raw() as client:
        assert client.upgrade(origin=ORIGIN, cookie=cookie).status == 101
        client.expect_close(4408)


@pytest.mark.parametrize(
    "lines",
    [
        [f"Origin: {ORIGIN}"] * 2,
        [f"Origin: {ORIGIN}", "Origin: https://evil.example"],
        ["Origin: https://" + "a" * 8192],
        ["Origin: https://\u00e9xample.com"],
    ],
    ids=["twice", "two", "8 KiB", "non-ASCII"],
)
def test_b24_malformed_origin_is_400(server, lines):
    refuses(server, with_lines(server, *lines), 400)


def test_b25_seventeen_subprotocols_are_400(server):
    refuses(server, authorized(server, sec_websocket_protocol=", ".join(f"p{i}" for i in range(17))), 400)


def test_b25_thousand_subprotocols_are_400(server):
    refuses(server, authorized(server, sec_websocket_protocol=", ".join(f"p{i}" for i in range(1000))), 400)


@pytest.mark.parametrize("item", ["carillon v1", "carillon/v1", "a;b", "{x}", 'q"', "carillon.v1, a@b"])
def test_b25_subprotocol_with_characters_of_no_token_is_400(server, item):
    refuses(server, authorized(server, sec_websocket_protocol=item), 400)


def test_b25_unsupported_subprotocols_only_are_101_without_the_header(server):
    response = accepts(server, authorized(server, sec_websocket_protocol="graphql-ws, mqtt"))
    assert "sec-websocket-protocol" not in response.headers


def test_b26_odd_query_keys_are_plain_bytes(server):
    accepts(
        server, authorized(server, "/v1/stream?__proto__=1&constructor[prototype]=x&=&&a=%&b=%zz&resume=__proto__&c")
    )


def test_b26_query_of_a_mebibyte_is_refused_by_its_size(server):
    refuses(server, authorized(server, "/v1/stream?" + "k" * 1024 * 1024 + "=1"), 414, 431)


def test_b28_connection_beyond_the_limit_of_its_address_is_429(carillon):
    server = carillon({"limits": {"connections_per_ip_max": 3}}).start()
    held = [server.raw_stream(f"user-{i}", source="127.0.0.2") for i in range(3)]
    with server.raw(source="127.0.0.2") as client:
        response = client.upgrade(authorization=f"Bearer {server.token()}")
        assert response.status == 429
        assert int(response.headers["retry-after"][0]) >= 1
        assert response.headers["connection"] == ["close"]
        client.expect_closed()
    accepts(server, authorized(server), source="127.0.0.3")
    for client in held:
        client.send(frames.ping(b"untouched"))
        assert client.read_frame().payload == b"untouched"
        client.close()
    accepts(server, authorized(server), source="127.0.0.2")


@pytest.fixture
def behind_proxy(carillon):
    """A server that trusts the proxy 127.0.0.9 and allows two connections an address."""
    return carillon(
        {
            "server": {"trusted_proxies": ["127.0.0.9", "10.0.0.0/8"]},
            "limits": {"connections_per_ip_max": 2},
        }
    ).start()


def open_from(server, held, forwarded_for, proxy="127.0.0.9"):
    """The status of an upgrade that came with that X-Forwarded-For; keeps it open in `held`."""
    client = server.raw(source=proxy)
    held.append(client)
    return client.upgrade(authorization=f"Bearer {server.token()}", x_forwarded_for=forwarded_for).status


def test_b29_addresses_of_one_64_count_together(behind_proxy):
    held = []
    assert [open_from(behind_proxy, held, f"2001:db8:0:1::{i:x}") for i in range(1, 6)] == [101, 101, 429, 429, 429]
    assert open_from(behind_proxy, held, "2001:db8:0:2::1") == 101
    for client in held:
        client.close()


def test_b30_forwarded_for_of_an_untrusted_peer_is_ignored(behind_proxy):
    held = []
    assert [open_from(behind_proxy, held, f"198.51.100.{i}", proxy="127.0.0.5") for i in range(3)] == [101, 101, 429]
    for client in held:
        client.close()


def test_b30_right_most_untrusted_hop_wins(behind_proxy):
    held = []
    spoofed = [open_from(behind_proxy, held, f"203.0.113.{i}, 198.51.100.7, 10.1.2.3") for i in range(3)]
    assert spoofed == [101, 101, 429]
    assert open_from(behind_proxy, held, "203.0.113.1, 198.51.100.8") == 101
    for client in held:
        client.close()


@pytest.mark.parametrize(
    "forwarded_for", [", ".join(f"192.0.2.{i}" for i in range(100)), "unknown", "300.1.1.1", ",,,", "1.2.3.4:x", ""]
)
def test_b30_odd_forwarded_for_does_no_harm(behind_proxy, forwarded_for):
    held = []
    assert open_from(behind_proxy, held, forwarded_for) in (101, 400)
    held[0].close()
