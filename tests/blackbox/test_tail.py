"""`carillon tail` begins with what stands, goes on from where it was, and says when something may be missing."""

import pytest

from harness import command, events
from harness.waiting import until


def tail(server, *words):
    token = server.directory / "alice.token"
    token.write_text(server.token("alice") + "\n")
    return command.Running(
        "tail",
        *words,
        "--url",
        "https://localhost:%d" % server.address[1],
        "--ca",
        server.directory / "ca.pem",
        "--token-file",
        token,
    )


def notice(running, beginning):
    """The line on standard error that begins so, once it is there."""
    return until(lambda: next((line for line in running.err if line.startswith(beginning)), None), 10, beginning)


def position_after(server, event):
    """Publishes it; where alice then is."""
    server.publish(event)
    with server.connect("alice") as alice:
        alice.catch_up()
        return alice.live["payload"]["position"]


@pytest.mark.parametrize("carrier", ["header", "subprotocol", "message"])
def test_it_begins_with_what_stands_or_where_it_is_told(carillon, carrier):
    server = carillon().start()
    position = position_after(server, events.order("alice", order_id="order-open"))
    with tail(server, "--carrier", carrier) as began:
        assert "order-open" in began.line(0) and began.line(0).endswith("(snapshot)")
        assert notice(began, "live") == f"live at {position}"
    with tail(server, "--carrier", carrier, "--no-snapshot") as began:
        assert notice(began, "live") == f"live at {position}"
        server.publish(events.order("alice", order_id="order-new"))
        assert "order-new" in began.line(0) and not began.line(0).endswith(")")
    with tail(server, "--carrier", carrier, "--from", position) as began:
        assert "order-new" in began.line(0) and began.line(0).endswith("(replayed)")
        assert notice(began, "live").endswith(", 1 replayed")


def test_it_goes_on_where_it_was_when_the_server_was_away(carillon):
    server = carillon({"server": {"drain_window": "100ms"}}).start()
    with tail(server) as began:
        notice(began, "live")
        server.publish(events.order("alice", order_id="order-before"))
        assert "order-before" in began.line(0)
        assert server.stop() == 0
        server.start()
        server.publish(events.order("alice", order_id="order-after"))
        assert "order-after" in began.line(1, timeout=30)
        until(lambda: sum(line.startswith("live at") for line in began.err) == 2, 10, "the second time it is live")
        assert len(began.out) == 2


def test_it_says_what_may_be_missing_and_why(carillon):
    server = carillon().start()
    position_after(server, events.order("alice", order_id="order-open"))
    for asked, reason in (("jffff.7", "epoch"), ("nonsense", "unknown")):
        with tail(server, "--from", asked) as began:
            assert f"events since {asked} may be missing: {reason}" in notice(began, "connected")
            assert began.line(0).endswith("(snapshot)")
