"""The admin listener: health, readiness, metrics, and nothing of it on the public port."""

import socket

from harness import events, metrics
from harness.waiting import until


def test_health_and_readiness(server):
    assert server.admin_status("/healthz") == 200
    assert server.admin_status("/readyz") == 200


def test_metrics_are_prometheus_text(server):
    status, body, headers = server.admin("/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    parsed = metrics.Metrics(body)
    assert parsed.samples
    assert all(name.startswith(("carillon_", "process_")) for name, _ in parsed.samples)


def test_the_connections_gauge_follows_the_connections(server):
    before = server.connections()
    with server.connect("alice"), server.connect("bob"):
        until(lambda: server.connections() == before + 2)
    until(lambda: server.connections() == before)


def test_no_metric_has_a_label_of_a_user(server):
    with server.connect("user-with-a-name") as stream:
        server.publish(events.order("user-with-a-name"))
        stream.notification()
        assert "user-with-a-name" not in server.admin("/metrics")[1]


def test_other_paths_and_methods_are_refused(server):
    assert server.admin("/")[0] == 404
    assert server.admin("/v1/stream")[0] == 404
    assert server.admin("/v1/events")[0] == 404
    with socket.create_connection(server.admin_address, timeout=5) as client:
        client.sendall(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 405 ")


def test_a_hundred_scrapes_at_once_are_bounded_and_disturb_nobody(server):
    clients = [socket.create_connection(server.admin_address, timeout=5) for _ in range(100)]
    for client in clients:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    served = 0
    for client in clients:
        data = b""
        while part := client.recv(65536):
            data += part
        client.close()
        # Beyond a bound they are told to come back.
        assert data.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 503 "))
        assert (b"carillon_" in data) == data.startswith(b"HTTP/1.1 200 ")
        served += data.startswith(b"HTTP/1.1 200 ")
    assert served >= 8


def test_an_admin_client_that_says_nothing_is_dropped(carillon):
    server = carillon({"server": {"handshake_timeout": "1s"}}).start()
    with socket.create_connection(server.admin_address, timeout=10) as client:
        data = b""
        while part := client.recv(4096):
            data += part
        assert data == b"" or data.startswith(b"HTTP/1.1 408 ")
