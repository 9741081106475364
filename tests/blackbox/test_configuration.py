"""What an operator may change, seen from outside."""

import json

from harness import events, frames
from harness.raw_client import PeerClosed


def test_the_claims_that_name_user_and_grants_are_configurable(carillon):
    server = carillon({"auth": {"user_claim": "uid", "scope_claim": "rights"}}).start()
    with server.connect(token=server.token("ignored", uid="alice", rights="orders", scope="signals")) as alice:
        assert alice.auth_ok["payload"]["user_id"] == "alice"
        assert alice.auth_ok["payload"]["grants"] == ["orders"]
    with server.open(server.token("alice"), "b") as nobody:
        assert nobody.until_closed()[0] == 4401


def test_the_grants_of_a_token_without_scope_are_configurable(carillon):
    server = carillon({"auth": {"default_grants": ["signals"]}}).start()
    with server.connect("alice") as alice:
        assert alice.auth_ok["payload"]["grants"] == ["signals"]
        server.publish(events.order("alice"), events.signal())
        assert alice.notification()["event"] == "new_trade_signal"


def test_an_empty_list_of_default_grants_denies_all(carillon):
    server = carillon({"auth": {"default_grants": []}}).start()
    with server.connect("alice") as alice:
        assert alice.auth_ok["payload"]["grants"] == []
        server.publish(events.order("alice"), events.signal(), events.alert())
        assert alice.notification()["event"] == "system_alert"


def test_the_size_of_a_message_is_configurable(carillon):
    server = carillon({"limits": {"message_bytes_max": "2KiB"}}).start()
    message = '{"type":"heartbeat","event":"ping"}'
    with server.raw_stream() as client:
        client.send(frames.text(message.ljust(2048)))
        client.read_event("pong")
        client.send(frames.text(message.ljust(2049)))
        client.expect_close(1009)


def test_the_rate_of_messages_is_configurable(carillon):
    server = carillon({"limits": {"messages_per_second_max": 1000}}).start()
    with server.raw_stream() as client:
        client.send(frames.text('{"type":"heartbeat","event":"ping"}') * 500)
        for _ in range(500):
            client.read_event("pong")


def test_one_shard_does_what_many_do(carillon):
    for shards in (1, 3):
        server = carillon({"server": {"shards": shards}}).start()
        sessions = [server.connect(f"user-{i}") for i in range(8)]
        event = events.alert()
        server.publish(event)
        assert {session.notification()["payload"]["alert_id"] for session in sessions} == {event["payload"]["alert_id"]}
        for session in sessions:
            session.close()


def test_the_most_talkative_log_holds_no_token_and_no_payload(carillon):
    server = carillon({"telemetry": {"log_level": "debug", "log_format": "text"}}).start()
    good, bad = server.token("alice"), server.token("alice", ttl=-60)
    with server.connect("alice"), server.rest() as rest:
        rest.publish(events.order("alice"))
        rest.post(events.alert(level="LOUD"))
        rest.post([events.alert(), {}])
    for target, token in (("/v1/stream", bad), (f"/v1/stream?token={good}", good), (f"/{good}", bad)):
        with server.raw() as client:
            client.upgrade(target, authorization=f"Bearer {token}")
    for carrier in ("b", "c"):
        with server.open(bad, carrier) as stream:
            stream.until_closed()
    with server.raw_stream() as client:
        client.send(frames.text(json.dumps({"type": good, "event": events.CANARY})))
        client.read_event("invalid_message")
        client.send(frames.text(json.dumps({"type": "auth", "event": "token", "payload": {"token": bad}})))
        try:
            client.read_event("auth_failed")
        except PeerClosed:
            pass
    assert server.stop() == 0
    text = server.output()
    assert "session" in text and "refused" in text
    server.assert_clean()
