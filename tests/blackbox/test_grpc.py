"""Publishing by gRPC (protocol 8.6): what is taken, what is refused and how, and that nothing is lost or repeated."""

import json
import signal
import socket
import ssl

import grpc
import pytest
from ports import free_ports

from harness import command, events, grpc_client, journal, pki
from harness.faults import Faults
from harness.grpc_client import Client, pb, refusals
from harness.server import StartFailed
from harness.waiting import until

CONFIG = grpc_client.listening()
Status = grpc.StatusCode
METHODS = ["Publish", "PublishStream"]


def code(status):
    return status.value[0]


def signal_event(**changes):
    event = pb.Event(id=events.fresh_id())
    event.new_trade_signal.CopyFrom(
        pb.TradeSignal(
            signal_id=events.fresh_id("s"),
            instrument_id="BTC/USDT",
            direction=pb.TradeSignal.SELL,
            entry_price="64000.10",
            stop_loss="64500.00",
            take_profit=["63000", "62000.5"],
            source_agent_id=events.CANARY,
        )
    )
    event.new_trade_signal.MergeFrom(pb.TradeSignal(**changes))
    return event


def order_event(user_id="alice", **changes):
    event = pb.Event(id=events.fresh_id(), user_id=user_id)
    event.order_update.CopyFrom(
        pb.OrderUpdate(
            order_id=events.fresh_id("o"),
            client_order_id=events.CANARY,
            instrument_id="BTC/USDT",
            status=pb.OrderUpdate.SUBMITTED,
            side=pb.OrderUpdate.BUY,
            type=pb.OrderUpdate.LIMIT,
            quantity_total="1.50",
            quantity_filled="0.00",
        )
    )
    event.order_update.MergeFrom(pb.OrderUpdate(**changes))
    return event


def alert_event(message=events.CANARY, **members):
    event = pb.Event(**{"id": events.fresh_id(), **members})
    event.system_alert.CopyFrom(
        pb.SystemAlert(alert_id=events.fresh_id("a"), level=pb.SystemAlert.INFO, message=message)
    )
    return event


def bad_event():
    event = signal_event()
    event.new_trade_signal.entry_price = "much"
    return event


@pytest.fixture(autouse=True)
def begins_behind_all_before(server):
    """Sessions resume from what was last accepted over REST: what earlier tests published here may not be pushed yet."""
    server.publish(events.alert())


@pytest.fixture
def client(server):
    with Client(server) as client:
        yield client


def call(client, method, *batch):
    """Publishes by either method: (status, words)."""
    if method == "PublishStream":
        _, status, words = client.stream(batch).end()
        return status, words
    try:
        client.publish(*batch)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return Status.OK, ""


# --- what is taken -----------------------------------------------------------------------------------------------


def test_typed_events_reach_their_clients_digit_for_digit(server, client):
    with server.connect("alice") as alice:
        batch = [signal_event(), order_event("alice", price_avg_filled="-0.10"), order_event("bob"), alert_event()]
        response = client.publish(*batch)
        assert (response.accepted, response.duplicates) == (4, 0)
        assert list(response.ids) == [event.id for event in batch]
        texts = [alice.notification_text() for _ in range(3)]
    notifications = [json.loads(text) for text in texts]
    assert [n["event"] for n in notifications] == ["new_trade_signal", "order_update", "system_alert"]
    assert '"entry_price":64000.10,"stop_loss":64500.00,"take_profit":[63000,62000.5]' in texts[0]
    assert '"quantity_total":1.50,"quantity_filled":0.00,"price_avg_filled":-0.10' in texts[1]
    assert notifications[2]["id"] == response.position


def test_a_stream_answers_each_event_in_order_with_its_own_position(server, client):
    with server.connect("alice") as alice:
        batch = [order_event() for _ in range(50)]
        answers = client.stream(batch).answers()
        assert [answer.id for answer in answers] == [event.id for event in batch]
        assert not any(answer.is_duplicate or answer.HasField("refusal") for answer in answers)
        assert [answer.position for answer in answers] == [n["id"] for n in alice.notifications(50)]


def test_no_event_of_a_stream_waits_for_more_and_the_stream_stays_open(client):
    stream = client.stream()
    for _ in range(5):
        event = alert_event()
        stream.send(event)
        assert stream.answers(1)[0].id == event.id
    stream.close()
    assert stream.end() == ([], Status.OK, "")


def test_thousands_of_events_in_one_stream(server, client):
    batch = [order_event(f"user-{i % 7}") for i in range(5000)]
    answers = client.stream(batch).answers()
    assert [answer.id for answer in answers] == [event.id for event in batch]
    assert journal.ids(server.journal)[-5000:] == [event.id for event in batch]


def test_an_envelope_is_taken_as_rest_takes_it(server, client):
    event = events.alert(message="as JSON", runbook="r-7")
    with server.connect("alice") as alice:
        assert client.publish(pb.Event(envelope=json.dumps(event))).accepted == 1
        assert alice.notification()["payload"] == event["payload"]
        with server.rest() as rest:
            assert rest.publish(event)["duplicates"] == 1


def test_an_event_without_id_gets_one(client):
    (answer,) = client.stream([alert_event(id="")]).answers()
    response = client.publish(alert_event(id=""))
    assert 1 <= len(answer.id) <= 128 and answer.id != response.ids[0]


def test_a_signal_is_narrowed_to_its_audience(server, client):
    marker = alert_event()
    narrowed = signal_event()
    narrowed.audience.users.append("bob")
    with server.connect("alice") as alice, server.connect("bob") as bob:
        client.publish(narrowed, marker)
        assert alice.notification()["event"] == "system_alert"
        assert bob.notification()["event"] == "new_trade_signal"


def test_a_thousand_events_are_the_most_and_one_the_least(client):
    assert client.publish(*[alert_event(message="x") for _ in range(1000)]).accepted == 1000
    assert client.refusal(*[alert_event(message="x") for _ in range(1001)]).code() == Status.INVALID_ARGUMENT
    assert client.refusal().code() == Status.INVALID_ARGUMENT


@pytest.mark.parametrize("method", METHODS)
def test_a_message_of_more_than_a_mebibyte_is_resource_exhausted(client, method):
    assert call(client, method, alert_event(message="x" * 1024 * 1024))[0] == Status.RESOURCE_EXHAUSTED
    assert call(client, method, alert_event())[0] == Status.OK


# --- repetition --------------------------------------------------------------------------------------------------


def test_a_repeat_is_a_duplicate_at_the_same_position_and_delivered_once(server, client):
    event, marker = order_event(), order_event()
    with server.connect("alice") as alice:
        first, again, last = client.stream([event, event, marker]).answers()
        assert not first.is_duplicate and again.is_duplicate and not last.is_duplicate
        assert first.position == again.position != last.position
        response = client.publish(event)
        assert (response.accepted, response.duplicates, response.position) == (0, 1, first.position)
        assert [n["id"] for n in alice.notifications(2)] == [first.position, last.position]


def test_a_conflict_is_already_exists_and_a_stream_goes_on_after_it(client):
    event = alert_event(message="one")
    other = pb.Event()
    other.CopyFrom(event)
    other.system_alert.message = "two"
    first, conflict, last = client.stream([event, other, alert_event()]).answers()
    assert first.position and last.position
    assert (conflict.refusal.status, conflict.refusal.reason) == (code(Status.ALREADY_EXISTS), "conflict")
    assert conflict.id == event.id and not conflict.position
    fresh = alert_event()
    error = client.refusal(fresh, other)
    assert error.code() == Status.ALREADY_EXISTS and event.id in error.details()
    assert client.publish(fresh).accepted == 1


# --- what is refused ---------------------------------------------------------------------------------------------


def test_a_batch_names_its_bad_events_and_appends_nothing(client):
    batch = [alert_event(), bad_event(), order_event(""), alert_event(message="")]
    error = client.refusal(*batch)
    assert error.code() == Status.INVALID_ARGUMENT
    assert refusals(error) == [
        (1, "wrong_type", "/payload/entry_price"),
        (2, "missing", "/user_id"),
        (3, "missing", "/payload/message"),
    ]
    assert "much" not in error.details()
    assert client.publish(batch[0]).accepted == 1


def test_a_batch_of_a_thousand_bad_events_names_the_first(client):
    error = client.refusal(*[bad_event() for _ in range(1000)])
    assert error.code() == Status.INVALID_ARGUMENT
    assert [index for index, _, _ in refusals(error)][:3] == [0, 1, 2]


def test_a_bad_event_of_a_stream_is_answered_in_its_place_and_the_stream_goes_on(client):
    good = [alert_event() for _ in range(3)]
    answers = client.stream([good[0], bad_event(), good[1], b"\xff\xff", pb.Event(envelope="{"), good[2]]).answers()
    assert [answer.id for answer in answers if answer.position] == [event.id for event in good]
    assert [(a.refusal.status, a.refusal.reason, a.refusal.pointer) for a in answers if not a.position] == [
        (code(Status.INVALID_ARGUMENT), "wrong_type", "/payload/entry_price"),
        (code(Status.INVALID_ARGUMENT), "not_protobuf", ""),
        (code(Status.INVALID_ARGUMENT), "not_json", ""),
    ]
    assert [bool(answer.position) for answer in answers] == [True, False, True, False, False, True]


def test_a_batch_that_is_no_message_is_invalid(client):
    assert client.refusal(b"\xff\xff").code() == Status.INVALID_ARGUMENT


# --- who may -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "token, status, word",
    [
        (lambda server: None, Status.UNAUTHENTICATED, "missing_token"),
        (lambda server: "rubbish", Status.UNAUTHENTICATED, "malformed_token"),
        (lambda server: server.token(scope="publish", ttl=-60), Status.UNAUTHENTICATED, "expired"),
        (lambda server: server.token(scope="publish")[:-4] + "AAAA", Status.UNAUTHENTICATED, "invalid_signature"),
        (lambda server: server.token(), Status.PERMISSION_DENIED, "publish"),
        (lambda server: server.token(scope="signals admin"), Status.PERMISSION_DENIED, "publish"),
    ],
    ids=["none", "malformed", "expired", "forged", "default grants", "other grants"],
)
def test_a_call_needs_a_good_token_with_the_grant(server, method, token, status, word):
    with (
        Client(server, token=token(server)) as client,
        server.counts_one("carillon_grpc_calls_total", method=method, status=status.name),
    ):
        found, words = call(client, method, alert_event())
    assert found == status and word in words


def test_a_stream_ends_at_its_tokens_expiry_after_answering(carillon):
    server = carillon({**grpc_client.listening(), "auth": {"leeway": "0s"}}).start()
    with Client(server, token=server.token(scope="publish", ttl=2)) as client:
        stream = client.stream()
        stream.send(alert_event())
        assert stream.answers(1)[0].position
        answers, status, words = stream.end()
        stream.close()
    assert (answers, status) == ([], Status.UNAUTHENTICATED) and "expired" in words


# --- TLS and the port --------------------------------------------------------------------------------------------


def test_plaintext_is_refused(server):
    with Client(server, credentials=None) as client:
        assert client.refusal(alert_event()).code() == Status.UNAVAILABLE


def test_another_authoritys_server_is_not_taken_for_ours(server):
    with Client(server, credentials=grpc.ssl_channel_credentials(pki.Authority().pem)) as client:
        assert client.refusal(alert_event()).code() == Status.UNAVAILABLE


def tls_version(server, oldest, newest):
    """What a handshake of these versions ends with, or nothing."""
    context = ssl.create_default_context(cadata=server.authority.pem.decode())
    context.minimum_version, context.maximum_version = oldest, newest
    context.set_alpn_protocols(["h2"])
    host, port = grpc_client.address(server).split(":")
    try:
        with socket.create_connection((host, int(port)), 5) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                return tls.version()
    except (ssl.SSLError, ConnectionError):
        return None


def test_tls_1_3_alone_unless_1_2_is_allowed(server, carillon):
    v2, v3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
    assert tls_version(server, v2, v2) is None
    assert tls_version(server, v3, v3) == "TLSv1.3"
    lenient = carillon({**grpc_client.listening(), "server": {"tls_min_version": "1.2"}}).start()
    assert tls_version(lenient, v2, v2) == "TLSv1.2"
    assert tls_version(lenient, v2, v3) == "TLSv1.3"


def test_a_changed_certificate_is_taken(carillon):
    server = carillon(grpc_client.listening()).start()
    host, port = grpc_client.address(server).split(":")

    def serial():
        with socket.create_connection((host, int(port)), 5) as plain:
            with server.tls().wrap_socket(plain, server_hostname="localhost") as tls:
                return int(tls.getpeercert()["serialNumber"], 16)

    assert serial() == server.serial
    certificate, key, new = server.authority.issue()
    server.replace_certificate(certificate, key)
    until(lambda: serial() == new, 30, "the new certificate")


def test_a_taken_port_stops_the_start_with_a_sentence(server, carillon):
    with pytest.raises(StartFailed) as failed:
        carillon(CONFIG).start()
    assert failed.value.code == 1
    assert CONFIG["grpc"]["listen"] in failed.value.output


def reflection(address, credentials):
    """The status of a call of server reflection."""
    with grpc.secure_channel(address, credentials) as channel:
        ask = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        try:
            # list_services (7) = "".
            return Status.OK, next(ask(iter([b"\x3a\x00"]), timeout=grpc_client.DEADLINE))
        except grpc.RpcError as error:
            return error.code(), b""


def test_reflection_is_off(server):
    credentials = grpc.ssl_channel_credentials(server.authority.pem)
    assert reflection(grpc_client.address(server), credentials)[0] == Status.UNIMPLEMENTED


def test_reflection_is_on_in_a_development_server(tmp_path):
    port, listen, admin = free_ports(3)
    environment = {
        "CARILLON_GRPC_LISTEN": f"127.0.0.1:{port}",
        "CARILLON_SERVER_LISTEN": f"127.0.0.1:{listen}",
        "CARILLON_SERVER_ADMIN_LISTEN": f"127.0.0.1:{admin}",
    }
    with command.Running("serve", "--dev", "--dir", "dev", directory=tmp_path, environment=environment) as serve:
        until(lambda: any("listening" in line for line in serve.err), 20, "the start")
        credentials = grpc.ssl_channel_credentials((tmp_path / "dev" / "ca.pem").read_bytes())
        status, said = reflection(f"localhost:{port}", credentials)
        assert serve.stop(signal.SIGTERM) == 0
    assert status == Status.OK and b"carillon.v1.EventService" in said


# --- bounds ------------------------------------------------------------------------------------------------------


def test_calls_are_bounded(server):
    with Client(server) as first, Client(server) as second, Client(server) as third:
        streams = [client.stream() for client in (first, second) for _ in range(64)]
        until(lambda: server.metrics().total("carillon_grpc_streams") == 128, 20, "128 streams")
        for method in METHODS:
            assert call(third, method, alert_event())[0] == Status.RESOURCE_EXHAUSTED
        event = alert_event()
        streams[0].send(event)
        assert streams[0].answers(1)[0].id == event.id
        for stream in streams:
            stream.close()
        for stream in streams:
            assert stream.end()[1] == Status.OK
        until(lambda: server.metrics().total("carillon_grpc_streams") == 0, what="the end of the streams")
        assert call(third, "Publish", alert_event())[0] == Status.OK


def test_who_takes_no_answers_is_not_read_and_loses_nothing(server):
    total = 10_000
    # A window that does not grow by itself, so that the client's own library does not take the answers for it.
    small_window = [("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65536)]
    client = Client(server, options=small_window)
    with client, server.grows_by_less_than(64 * 1024 * 1024):
        stream = client.stream((alert_event(message="m" * 2000) for _ in range(total)), timeout=120)
        seen = []

        def is_still():
            seen.append(stream.sent)
            return stream.sent > 500 and len(seen) > 50 and len(set(seen[-50:])) == 1

        until(is_still, 60, "the server to stop reading")
        assert stream.sent < total
        answers = stream.answers()
    assert len(answers) == total and all(answer.position for answer in answers)


# --- the log, the end --------------------------------------------------------------------------------------------


def test_a_log_without_room_refuses_and_takes_events_again(carillon):
    server = carillon(grpc_client.listening())
    faults = Faults(server)
    server.start(environment=faults.environment)
    with Client(server) as client:
        with faults.full():
            stream = client.stream([alert_event(message="m" * 4000) for _ in range(1000)])
            answers = stream.answers()
            assert len(answers) == 1000
            assert {a.refusal.status for a in answers if not a.position} <= {
                code(Status.UNAVAILABLE),
                code(Status.RESOURCE_EXHAUSTED),
            }
            assert not answers[-1].position
            status, _ = call(client, "Publish", alert_event(message="m" * 4000))
            assert status in (Status.UNAVAILABLE, Status.RESOURCE_EXHAUSTED)
        until(lambda: call(client, "Publish", alert_event())[0] == Status.OK, 10, "the recovery of the journal")
    assert {a.id for a in answers if a.position} <= set(journal.ids(server.journal))


def test_a_kill_in_mid_stream_and_a_repeat_lose_nothing_and_deliver_nothing_twice(carillon):
    server = carillon(grpc_client.listening()).start()
    batch = [order_event() for _ in range(6000)]
    with server.connect("alice") as alice:
        start = alice.live["payload"]["position"]
    with Client(server) as client:
        stream = client.stream(batch)
        answered = stream.answers(1000)
        server.kill()
        more, status, _ = stream.end()
    answered += more
    assert len(answered) == len(batch) or status == Status.UNAVAILABLE
    assert [answer.id for answer in answered] == [event.id for event in batch[: len(answered)]]

    server.start()
    with Client(server) as client:
        again = client.stream(batch).answers()
    assert [answer.id for answer in again] == [event.id for event in batch]
    for before, after in zip(answered, again):
        assert after.is_duplicate and after.position == before.position
    # What a subscriber sees from before the first event on: each once, in the order sent.
    with server.join("alice", resume=start) as alice:
        seen = [n["payload"]["order_id"] for n in alice.notifications(len(batch), 30)]
    assert seen == [event.order_update.order_id for event in batch]


def test_an_orderly_stop_ends_streams_and_keeps_what_was_answered(carillon):
    server = carillon(grpc_client.listening()).start()
    sent = []

    def endless():
        while True:
            sent.append(order_event())
            yield sent[-1]

    with Client(server) as client:
        stream = client.stream(endless(), timeout=60)
        answers = stream.answers(500)
        server.terminate()
        more, status, _ = stream.end()
    answers += more
    assert status == Status.UNAVAILABLE
    assert server.wait() == 0
    accepted = [answer.id for answer in answers if answer.position]
    assert [answer.id for answer in answers] == [event.id for event in sent[: len(answers)]]
    assert set(accepted) <= set(journal.ids(server.journal))


def test_calls_events_and_ends_are_counted_and_logged(server, client):
    mark = server.log_size()
    with server.counts_one("carillon_grpc_calls_total", method="PublishStream", status="OK"):
        with (
            server.counts_one("carillon_grpc_events_refused_total"),
            server.counts_one("carillon_grpc_events_duplicate_total"),
            server.counts_one("carillon_grpc_events_accepted_total"),
        ):
            event = alert_event()
            client.stream([event, event, bad_event()]).answers()
    (line,) = [line for line in server.log_lines(mark) if line["event"] == "grpc stream ended"]
    assert (line["status"], line["user"]) == ("OK", "publisher")
    assert (line["accepted"], line["duplicates"], line["refused"]) == (1, 1, 1)


def test_a_cancelled_stream_keeps_what_was_sent_and_frees_its_place(server, client):
    stream = client.stream()
    event = alert_event()
    stream.send(event)
    assert stream.answers(1)[0].id == event.id
    stream.call.cancel()
    stream.close()
    until(lambda: server.metrics().total("carillon_grpc_streams") == 0, what="the end of the stream")
    assert client.publish(event).duplicates == 1
