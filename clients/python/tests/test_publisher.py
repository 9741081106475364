"""Publishing over REST against a server made of a function: what is sent again, under which ids, and what is told."""

import asyncio
import json

import httpx
import pytest

from carillon import (
    AsyncPublisher,
    Conflict,
    Envelope,
    EventsRefused,
    Forbidden,
    NoToken,
    Publisher,
    Rejected,
    SystemAlert,
    Unauthorized,
    Unavailable,
)


def alert(number, size=0):
    return SystemAlert(alert_id=f"a-{number}", level="INFO", message="m", extra={"x": "y" * size} if size else {})


class Server:
    """Answers calls with what is planned, then with 202; remembers each call's ids and token."""

    def __init__(self, *plan):
        self.plan = list(plan)
        self.calls = []
        self.tokens = []
        self.sizes = []
        self.waits = []

    def __call__(self, request):
        body = json.loads(request.content)
        self.calls.append([envelope["id"] for envelope in body])
        self.tokens.append(request.headers["authorization"])
        self.sizes.append(len(request.content))
        assert request.headers["content-type"] == "application/json"
        answer = self.plan.pop(0) if self.plan else None
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        said = {"accepted": len(body), "duplicates": 0, "position": f"j1.{len(self.calls)}", "ids": self.calls[-1]}
        return httpx.Response(202, json=said)


def sync_publish(server, events, token="t-1", **options):
    transport = httpx.MockTransport(server)
    options = {"sleep": server.waits.append, "random": lambda: 1.0, **options}
    with Publisher("https://server", token=token, transport=transport, **options) as publisher:
        return publisher.publish(events)


def async_publish(server, events, token="t-1", **options):
    async def handle(request):
        return server(request)

    async def wait(seconds):
        server.waits.append(seconds)

    async def story():
        transport = httpx.MockTransport(handle)
        options_ = {"sleep": wait, "random": lambda: 1.0, **options}
        async with AsyncPublisher("https://server", token=token, transport=transport, **options_) as publisher:
            return await publisher.publish(events)

    return asyncio.run(story())


@pytest.fixture(params=[sync_publish, async_publish], ids=["blocking", "asyncio"])
def publish(request):
    return request.param


def problem(status, **members):
    return httpx.Response(status, json={"type": "about:blank", "status": status, **members})


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
        problem(503, detail="full"),
        problem(500),
        problem(429),
        httpx.Response(502, text="<html>"),
        httpx.Response(202, text="<html>"),
        httpx.Response(202, json={"accepted": "x"}),
        httpx.Response(202, json=[]),
    ],
    ids=repr,
)
def test_trouble_is_tried_again_under_the_same_ids(publish, trouble):
    server = Server(trouble, trouble)
    published = publish(server, [alert(1), alert(2)])
    assert published.accepted == 2
    assert server.calls[0] == server.calls[1] == server.calls[2] == list(published.ids)
    assert server.waits == [1.0, 2.0]


def test_attempts_are_bounded_and_what_is_left_can_be_published_again(publish):
    server = Server(*[problem(503)] * 4)
    events = [Envelope(alert(1))]
    with pytest.raises(Unavailable) as unavailable:
        publish(server, events, attempts=4)
    assert len(server.calls) == 4
    assert unavailable.value.status == 503
    assert list(unavailable.value.envelopes) == events
    assert publish(server, unavailable.value.envelopes).ids == (events[0].id,)


@pytest.mark.parametrize(
    ("header", "waited"),
    [("7", 7.0), ("0", 1.0), ("soon", 1.0), ("-3", 1.0), ("nan", 1.0), ("1e999", 1.0), ("9999", 60.0)],
)
def test_retry_after_is_obeyed(publish, header, waited):
    server = Server(httpx.Response(503, headers={"Retry-After": header}))
    publish(server, alert(1))
    assert server.waits == [waited]


def test_nothing_is_published_by_no_call(publish):
    server = Server()
    assert publish(server, []).ids == ()
    assert server.calls == []


def test_calls_hold_a_thousand_events_and_a_mebibyte(publish):
    server = Server()
    assert publish(server, [alert(number) for number in range(2001)]).accepted == 2001
    assert [len(call) for call in server.calls] == [1000, 1000, 1]
    server = Server()
    published = publish(server, [alert(number, 250_000) for number in range(9)])
    assert [len(call) for call in server.calls] == [4, 4, 1]
    assert max(server.sizes) <= 1024 * 1024
    assert published.position == "j1.3"


def test_an_error_s_indexes_are_those_of_the_caller_s_list(publish):
    fault = {"index": 2, "pointer": "/payload/take_profit/1", "message": "must be a number", "code": "wrong_type"}
    server = Server(None, problem(422, detail="no", errors=[fault, "nonsense", {"index": "1"}]))
    events = [Envelope(alert(number)) for number in range(1005)]
    with pytest.raises(EventsRefused) as refused:
        publish(server, events)
    (told,) = refused.value.faults
    assert (told.index, told.field, told.code) == (1002, "take_profit[1]", "wrong_type")
    assert refused.value.accepted == 1000
    assert list(refused.value.envelopes) == events[1000:]
    server = Server(None, problem(409, detail=f"the id {events[1003].id} is in the log with other content"))
    with pytest.raises(Conflict) as conflict:
        publish(server, events)
    assert conflict.value.index == 1003


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(403, detail="no grant"), Forbidden),
        (problem(409, detail="somebody's"), Conflict),
        (problem(400, detail="bad"), Rejected),
        (problem(413), Rejected),
        (problem(422, errors=[]), Rejected),
        (httpx.Response(404, text="<html>"), Rejected),
        (httpx.Response(301, headers={"Location": "https://elsewhere"}), Rejected),
    ],
    ids=lambda value: str(value),
)
def test_what_a_repeat_does_not_mend_is_told_at_once(publish, answer, kind):
    server = Server(answer)
    with pytest.raises(kind) as refused:
        publish(server, alert(1))
    assert refused.value.status == answer.status_code
    assert len(server.calls) == 1


def unauthorized():
    return httpx.Response(401, json={"type": "error", "payload": {"code": "expired", "message": "too late"}})


def test_a_refused_token_is_asked_for_once_more(publish):
    tokens = iter(["t-1", "t-2", "t-3"])
    server = Server(None, unauthorized())
    publish(server, [alert(number) for number in range(1001)], token=lambda: next(tokens))
    assert server.tokens == ["Bearer t-1", "Bearer t-1", "Bearer t-2"]


def test_a_token_that_stays_refused_is_told(publish):
    tokens = iter(["t-1", "t-2", "t-3"])
    server = Server(unauthorized(), unauthorized())
    with pytest.raises(Unauthorized) as refused:
        publish(server, alert(1), token=lambda: next(tokens))
    assert refused.value.code == "expired"
    assert len(server.calls) == 1, "a token that was just fetched is not fetched again"
    server = Server(None, unauthorized())
    with pytest.raises(Unauthorized):
        publish(server, [alert(number) for number in range(1001)], token="same")
    assert len(server.calls) == 2, "the same token is not tried again"


@pytest.mark.parametrize("token", ["", "two words", "é", "a\nb"])
def test_what_is_no_token_is_told_without_telling_it(publish, token, tmp_path):
    with pytest.raises(NoToken) as refused:
        publish(Server(), alert(1), token=token)
    assert token not in str(refused.value) or not token
    with pytest.raises(NoToken, match="absent"):
        publish(Server(), alert(1), token=tmp_path / "absent")


@pytest.mark.parametrize("url", ["http://server", "server:8443", "wss://server", ""])
def test_only_https(url):
    with pytest.raises(ValueError, match="https"):
        Publisher(url, token="t")
