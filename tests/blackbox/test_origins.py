"""Pages of other sites get nothing over REST: no answer has an Access-Control header, and a preflight is refused."""

import pytest

from harness import events

ORIGIN = "https://elsewhere.example"
CALLS = [
    ("POST", "/v1/events", "publish", 202),
    ("GET", "/v1/dead-letters", "admin", 200),
    ("POST", "/v1/dead-letters/replay", "admin", 400),
    ("GET", "/v1/stats", "admin", 200),
]


def access_control(headers):
    return [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(("method", "path"), [call[:2] for call in CALLS] + [("GET", "/v1/stream")])
def test_a_preflight_is_refused(server, method, path):
    headers = {
        "Authorization": None,
        "Origin": ORIGIN,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    with server.rest() as rest:
        answer = rest.call("OPTIONS", path, headers=headers)
    assert (answer.status, answer.headers["Allow"]) == (405, method)
    assert access_control(answer.headers) == []


@pytest.mark.parametrize(("method", "path", "scope", "status"), CALLS)
def test_an_answer_is_for_its_own_origin_only(server, method, path, scope, status):
    with server.rest("somebody", scope=scope) as rest:
        if path == "/v1/events":
            answer = rest.post(events.alert(), Origin=ORIGIN)
        else:
            answer = rest.call(method, path, b"{}" if method == "POST" else None, {"Origin": ORIGIN})
    assert answer.status == status
    assert access_control(answer.headers) == []


def test_nothing_is_published_without_what_a_preflight_is_for(server):
    """A page may send this much to any site without asking: it has no token, and is of no type that we take."""
    for headers in ({"Authorization": None}, {}):
        with server.rest() as rest:
            answer = rest.post(events.alert(), "text/plain", Origin=ORIGIN, **headers)
        assert answer.status in (401, 415)
        assert access_control(answer.headers) == []
