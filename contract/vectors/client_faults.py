#!/usr/bin/env python3
"""Writes client_faults.json beside it: what a client must make of a server that fails in every way there is.

The table is made by this script because most of its rows are a product: every close code at every point of the protocol.
Run it after a change; the tests of the contract hold the file to it. The language of the rows is told in ../README.md.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
NOW = "2026-11-22T12:00:00.000Z"
SILENCE_MS = 30_000  # interval and timeout of auth_ok together; also what a client grants before it
RETRY_MS_MAX = 300_000
LOOPS = 8

messages = {}
rows = []


def send(name, text, times=1):
    """A step that sends this text; the same name is always the same text."""
    assert messages.setdefault(name, text) == text, name
    return {"send": name} | ({"times": times} if times > 1 else {})


def message(name, type_, event, payload, **more):
    return send(name, compact({"type": type_, "event": event, "timestamp": NOW, **more, "payload": payload}))


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


AUTH_PAYLOAD = {"session_id": "s-1", "user_id": "alice", "grants": ["signals", "orders", "alerts"],
                "expires_at": "2026-11-22T13:00:00.000Z", "heartbeat_interval_ms": 20_000, "heartbeat_timeout_ms": 10_000}


def auth_ok(name="auth_ok", **changes):
    return message(name, "ack", "auth_ok", {k: v for k, v in (AUTH_PAYLOAD | changes).items() if v is not None})


def resumed(position):
    return auth_ok(f"auth_ok, all after {position} follows", resume={"requested": position, "complete": True})


def gap(position, reason):
    return auth_ok(f"auth_ok, gap after {position}: {reason}",
                   resume={"requested": position, "complete": False, "reason": reason})


def live(position, replayed=0):
    return message(f"live at {position}, {replayed} replayed", "ack", "live", {"position": position, "replayed": replayed})


def note(position, mark=None, event="system_alert", **payload):
    payload = payload or {"alert_id": position, "level": "INFO", "message": "m"}
    marks = {mark: True} if mark else {}
    name = " ".join(["notification", position, *marks, *([event] if event != "system_alert" else [])])
    return message(name, "notification", event, payload, id=position, **marks)


def replayed(position):
    return note(position, "replayed")


def snapshot(position):
    return note(position, "snapshot")


def ping(position, delivered):
    return message(f"ping at {position}, {delivered} delivered", "heartbeat", "ping",
                   {"position": position, "delivered": delivered})


def shutting_down(ms):
    return message(f"shutting_down, retry after {ms}", "ack", "shutting_down", {"retry_after_ms": ms})


def error(event, code, **more):
    return message(f"error {event} {code}", "error", event, {"message": "m", "code": code, **more})


def silence(ms):
    return {"silence_ms": ms}


def close(code, reason=""):
    return {"close": code, "reason": reason}


DROP = {"drop": True}
CLOSES = {"client_closes": True}
PONG = {"expect": {"type": "heartbeat", "event": "pong"}}
AUTH = {"expect": {"type": "auth", "event": "token"}}


def connection(steps, then, resume=None, new_token=False):
    return {"resume": resume, "steps": list(steps), "then": then} | ({"new_token": True} if new_token else {})


def good(resume=None, new_token=False):
    """A connection on which all is well, from the start or from a position."""
    return connection([resumed(resume), live(resume)] if resume else [auth_ok(), live("p0")], "stays", resume, new_token)


def row(name, connections, states, handed_over=(), snapshots=(), gaps=()):
    """`states` without the first, which is always `connecting`."""
    rows.append({"name": name, "connections": connections,
                 "expect": {"states": ["connecting", *states.split()], "handed_over": list(handed_over),
                            "snapshots": [list(each) for each in snapshots], "gaps": list(gaps)}})


def fault_when_live(name, steps):
    """Live, then the client itself gives the connection up because of what comes."""
    row(f"{name}, live", [connection([auth_ok(), live("p0"), *steps, CLOSES], "backed_off"), good("p0")],
        "catching-up live stale catching-up live", snapshots=[[]])


def fault_at_first(name, steps):
    row(f"{name}, before auth_ok", [connection([*steps, CLOSES], "backed_off"), good()], "catching-up live",
        snapshots=[[]])


def unharmed(name, steps, handed_over=(), was_sent=0):
    """Live, and still live after what comes, with the count intact."""
    row(name, [connection([auth_ok(), live("p0"), *steps, ping("p9", was_sent), PONG], "stays")],
        "catching-up live", handed_over, [[]])


# The points of the protocol at which a connection may end: earlier connections, the steps of this one, its resume, the
# states up to there, what was handed over, snapshots, and the position from which the next connection resumes.
WENT_LIVE = connection([auth_ok(), live("p0"), note("p1"), DROP], "backed_off")
POINTS = {
    "after the upgrade": ([], [], None, "", [], [], None),
    "after auth_ok": ([], [auth_ok()], None, "catching-up", [], [], None),
    "during the snapshot": ([], [auth_ok(), snapshot("p1")], None, "catching-up", [], [], None),
    "after live": ([], [auth_ok(), snapshot("p1"), live("p2")], None, "catching-up live", [], [["p1"]], "p2"),
    "after a live notification": ([], [auth_ok(), live("p0"), note("p1")], None, "catching-up live", ["p1"], [[]], "p1"),
    "after the upgrade of a return": ([WENT_LIVE], [], "p1", "catching-up live stale", ["p1"], [[]], "p1"),
    "before the replay": ([WENT_LIVE], [resumed("p1")], "p1", "catching-up live stale catching-up", ["p1"], [[]], "p1"),
    "during the replay": ([WENT_LIVE], [resumed("p1"), replayed("p2")], "p1", "catching-up live stale catching-up",
                          ["p1", "p2"], [[]], "p2"),
}


def lost(states):
    """The state after a connection was lost: that of one who was never live does not get stale."""
    state = "stale" if "live" in states.split() else "connecting"
    return states if (states or "connecting").split()[-1] == state else f"{states} {state}"


def end_at(point, how, end, then, new_token=False):
    before, steps, resume, states, handed_over, snapshots, position = POINTS[point]
    ending = connection([*steps, end], then, resume)
    if then == "none":
        row(f"{how}, {point}", [*before, ending], f"{states} refused", handed_over, snapshots)
        return
    fresh = [[]] if position is None else []
    row(f"{how}, {point}", [*before, ending, good(position, new_token)], f"{lost(states)} catching-up live", handed_over,
        [*snapshots, *fresh])


THEN = {"back_off": "backed_off", "retry_after": "backed_off", "resume_now": "at_once", "new_token": "at_once",
        "new_token_and_resume_now": "at_once", "refused": "none"}


def endings():
    table = json.loads((HERE / "close_codes.json").read_text())
    for point in POINTS:
        end_at(point, "the connection is lost", DROP, THEN[table["without_close_frame"]])
        end_at(point, "a close without a code", close(1005), THEN[table["without_close_frame"]])
        for each in table["codes"]:
            end_at(point, f"closed with {each['code']}", close(each["code"]), THEN[each["client"]],
                   each["client"].startswith("new_token"))
        for code in (3000, 4000, 4999):
            end_at(point, f"closed with {code}, which has no meaning", close(code), THEN[table["any_other"]])


def before_the_upgrade():
    for status, body in ((404, "not found"), (429, ""), (500, "<html>"), (502, "<html>Bad Gateway</html>"),
                         (503, '{"title":"Service Unavailable"}')):
        row(f"the upgrade is refused with {status}",
            [connection([{"refuse": status, "body": body}], "backed_off"), good()], "catching-up live", snapshots=[[]])
    row("the connection cannot be made", [connection([{"refuse": 0, "body": ""}], "backed_off"), good()],
        "catching-up live", snapshots=[[]])
    row("the upgrade is not answered", [connection([{"hold": True}, silence(SILENCE_MS), CLOSES], "backed_off"), good()],
        "catching-up live", snapshots=[[]])


def stalls():
    live_p0 = [auth_ok(), live("p0")]
    row("silent after the upgrade", [connection([silence(SILENCE_MS), CLOSES], "backed_off"), good()],
        "catching-up live", snapshots=[[]])
    row("silent after auth_ok", [connection([auth_ok(), silence(SILENCE_MS), CLOSES], "backed_off"), good()],
        "catching-up connecting catching-up live", snapshots=[[]])
    row("silent during the snapshot",
        [connection([auth_ok(), snapshot("p1"), silence(SILENCE_MS), CLOSES], "backed_off"), good()],
        "catching-up connecting catching-up live", snapshots=[[]])
    row("silent when live", [connection([*live_p0, silence(SILENCE_MS), CLOSES], "backed_off"), good("p0")],
        "catching-up live stale catching-up live", snapshots=[[]])
    row("silent during the replay",
        [WENT_LIVE, connection([resumed("p1"), replayed("p2"), silence(SILENCE_MS), CLOSES], "backed_off", "p1"),
         good("p2")], "catching-up live stale catching-up stale catching-up live", ["p1", "p2"], [[]])
    row("silent for as long as is allowed",
        [connection([*live_p0, silence(SILENCE_MS - 1), ping("p0", 0), PONG, silence(SILENCE_MS - 1), note("p1"),
                     silence(SILENCE_MS - 1)], "stays")], "catching-up live", ["p1"], [[]])
    row("the silence that is allowed is what auth_ok says",
        [connection([auth_ok("auth_ok, 1 s and 0.5 s", heartbeat_interval_ms=1000, heartbeat_timeout_ms=500), live("p0"),
                     silence(1499), ping("p0", 0), PONG, silence(1500), CLOSES], "backed_off"), good("p0")],
        "catching-up live stale catching-up live", snapshots=[[]])


def nonsense():
    text = {
        "no text": "", "an open brace": "{", "words": "hello", "no object": "[]", "null": "null", "a string": '"live"',
        "two objects": "{}{}", "an object without members": "{}", "no type": '{"event":"live","payload":{}}',
        "no event": '{"type":"ack","payload":{}}', "a type that is a number": '{"type":1,"event":"live","payload":{}}',
        "an event that is null": '{"type":"ack","event":null,"payload":{}}',
        "no payload": '{"type":"heartbeat","event":"ping"}',
        "a payload that is a list": '{"type":"heartbeat","event":"ping","payload":[]}',
        "NaN": '{"type":"notification","event":"system_alert","id":"p1",'
               '"payload":{"alert_id":"a","level":"INFO","message":"m","x":NaN}}',
        "a number like 01": '{"type":"notification","event":"system_alert","id":"p1",'
                            '"payload":{"alert_id":"a","level":"INFO","message":"m","x":01}}',
        "single quotes": "{'type':'ack','event':'live'}",
    }
    for name, raw in text.items():
        fault_when_live(name, [send(name, raw)])
    for name in ("an open brace", "no object", "no type"):
        fault_at_first(name, [send(name, text[name])])
    for name, steps in {"binary": [{"send_binary": "00ff7b7d"}],
                        "binary that is JSON": [{"send_binary": compact({"type": "x", "event": "y"}).encode().hex()}],
                        "two million spaces": [send("a space", " ", 2_000_000)],
                        "a hundred thousand brackets": [send("a bracket", "[", 100_000)]}.items():
        fault_when_live(name, steps)
        fault_at_first(name, steps)
    row("nonsense during the snapshot",
        [connection([auth_ok(), snapshot("p1"), send("an open brace", "{"), CLOSES], "backed_off"), good()],
        "catching-up connecting catching-up live", snapshots=[[]])
    row("nonsense during the replay",
        [WENT_LIVE, connection([resumed("p1"), replayed("p2"), send("an open brace", "{"), CLOSES], "backed_off", "p1"),
         good("p2")], "catching-up live stale catching-up stale catching-up live", ["p1", "p2"], [[]])
    row("more comes after nonsense", [
        connection([auth_ok(), live("p0"), send("an open brace", "{"), CLOSES, note("p1"), ping("p1", 1)], "backed_off"),
        good("p0")], "catching-up live stale catching-up live", snapshots=[[]])


def wrong_shapes():
    alert = {"alert_id": "a", "level": "INFO", "message": "m"}

    def bare(name, **members):
        return send(name, compact({"type": "notification", "event": "system_alert", "timestamp": NOW, **members}))

    for name, step in {
        "a notification without id": bare("notification without id", payload=alert),
        "a notification whose id is a number": bare("notification with id 7", id=7, payload=alert),
        "a notification with an empty id": bare("notification with empty id", id="", payload=alert),
        "a notification whose id has a space": bare("notification with id p 1", id="p 1", payload=alert),
        "a notification whose id is too long": bare("notification with a long id", id="p" * 513, payload=alert),
        "a notification without payload": bare("notification without payload", id="p1"),
        "a notification whose payload is text": bare("notification with text", id="p1", payload="m"),
        "a ping without position": message("ping without position", "heartbeat", "ping", {"delivered": 0}),
        "a ping with an empty position": ping("", 0),
        "a ping whose position is a number": message("ping at 7", "heartbeat", "ping", {"position": 7, "delivered": 0}),
        "a ping without count": message("ping without count", "heartbeat", "ping", {"position": "p0"}),
        "a ping whose count is text": message("ping, text delivered", "heartbeat", "ping",
                                              {"position": "p0", "delivered": "0"}),
        "a ping whose count is negative": ping("p0", -1),
        "shutting_down without a time": message("shutting_down without time", "ack", "shutting_down", {}),
        "shutting_down with a negative time": shutting_down(-1),
    }.items():
        fault_when_live(name, [step])

    for name, step in {
        "auth_ok without interval": auth_ok("auth_ok without interval", heartbeat_interval_ms=None),
        "auth_ok without timeout": auth_ok("auth_ok without timeout", heartbeat_timeout_ms=None),
        "auth_ok whose interval is 0": auth_ok("auth_ok, interval 0", heartbeat_interval_ms=0),
        "auth_ok whose interval is negative": auth_ok("auth_ok, interval negative", heartbeat_interval_ms=-20_000),
        "auth_ok whose interval is text": auth_ok("auth_ok, interval is text", heartbeat_interval_ms="20000"),
        "a notification": note("p1"),
        "live": live("p0"),
        "a ping": ping("p0", 0),
    }.items():
        fault_at_first(name, [step])

    for name, resume in {"is text": "p1", "is not decided": {"requested": "p1"},
                         "is decided by a word": {"requested": "p1", "complete": "yes"}}.items():
        row(f"auth_ok whose resume {name}",
            [WENT_LIVE, connection([auth_ok(f"auth_ok, resume {name}", resume=resume), CLOSES], "backed_off", "p1"),
             good("p1")], "catching-up live stale catching-up live", ["p1"], [[]])

    for name, payload in {"live without position": {"replayed": 0}, "live whose position is a number":
                          {"position": 1, "replayed": 0}, "live without count": {"position": "p0"}}.items():
        row(name, [connection([auth_ok(), message(name, "ack", "live", payload), CLOSES], "backed_off"), good()],
            "catching-up connecting catching-up live", snapshots=[[]])


def what_is_new():
    """Protocol 3.2: what a receiver does not know it ignores."""
    alert = {"alert_id": "p1", "level": "INFO", "message": "m"}
    unharmed("an unknown type", [message("a message of type news", "news", "flash", {"id": 1})])
    unharmed("an unknown ack", [message("ack applause", "ack", "applause", {})])
    unharmed("an unknown heartbeat", [message("heartbeat echo", "heartbeat", "echo", {})])
    unharmed("an unknown error", [error("weather", "rain")])
    unharmed("an unknown notification is counted and passed over",
             [note("p1", event="horoscope", sign="LEO"), note("p2")], ["p2"], 2)
    unharmed("unknown members of messages",
             [message("notification p1 with more", "notification", "system_alert", alert, id="p1", seen=False, tags=[1]),
              message("ping with more", "heartbeat", "ping", {"position": "p1", "delivered": 1, "load": 0.5}, trace="x"),
              PONG], ["p1"], 1)
    unharmed("unknown members of a payload", [message("notification p1 with more in its payload", "notification",
                                                      "system_alert", alert | {"x": None, "y": [{}]}, id="p1")], ["p1"], 1)
    unharmed("a number of 5000 digits", [send("notification p1 with a long number", compact(
        {"type": "notification", "event": "system_alert", "timestamp": NOW, "id": "p1", "payload": alert})[:-2]
        + ',"x":' + "7" * 5000 + "}}")], ["p1"], 1)
    unharmed("a number beyond every double", [send("notification p1 with 1e400", compact(
        {"type": "notification", "event": "system_alert", "timestamp": NOW, "id": "p1", "payload": alert})[:-2]
        + ',"x":1e400}}')], ["p1"], 1)
    unharmed("a payload that lacks what is required", [message("notification p1 without level", "notification",
                                                               "system_alert", {"alert_id": "p1"}, id="p1")], ["p1"], 1)
    unharmed("a payload with a word of a later version", [message("notification p1, level FATAL", "notification",
                                                                  "system_alert", alert | {"level": "FATAL"}, id="p1")],
             ["p1"], 1)
    row("what is unknown in a snapshot moves no position",
        [connection([auth_ok(), message("snapshot p1, unknown", "notification", "horoscope", {"sign": "LEO"}, id="p1",
                                        snapshot=True), DROP], "backed_off"), good()],
        "catching-up connecting catching-up live", snapshots=[[]])
    unharmed("no timestamp", [send("notification p1 without timestamp", compact(
        {"type": "notification", "event": "system_alert", "id": "p1", "payload": alert}))], ["p1"], 1)
    unharmed("a pong", [message("pong", "heartbeat", "pong", {})])
    unharmed("invalid_message", [error("invalid_message", "bad_shape")])
    unharmed("internal_server_error", [error("internal_server_error", "internal")])
    unharmed("an unknown code of an error", [error("invalid_message", "too_charming")])
    row("unknown members of auth_ok and live",
        [connection([auth_ok("auth_ok with more", node="n-1", limits={"rate": 1}),
                     message("live with more", "ack", "live", {"position": "p0", "replayed": 0, "node": "n-1"})], "stays")],
        "catching-up live", snapshots=[[]])


def counts():
    """Protocol 4.2: what was sent is compared with what came."""
    live_p0 = [auth_ok(), live("p0")]
    row("a ping moves the position",
        [connection([*live_p0, ping("p5", 0), PONG, DROP], "backed_off"), good("p5")],
        "catching-up live stale catching-up live", snapshots=[[]])
    row("one was skipped: what came after the last proof comes again, and is handed over once",
        [connection([*live_p0, note("p1"), ping("p1", 1), PONG, note("p2"), ping("p4", 3), CLOSES], "backed_off"),
         connection([resumed("p1"), replayed("p2"), replayed("p3"), live("p4", 2), ping("p4", 2), PONG], "stays", "p1")],
        "catching-up live stale catching-up live", ["p1", "p2", "p3"], [[]])
    row("one more came than was sent",
        [connection([*live_p0, note("p1"), note("p2"), ping("p2", 1), CLOSES], "backed_off"),
         connection([resumed("p0"), replayed("p1"), replayed("p2"), live("p2", 2)], "stays", "p0")],
        "catching-up live stale catching-up live", ["p1", "p2"], [[]])
    row("one was skipped, and what comes after the fault is not handed over twice",
        [connection([*live_p0, ping("p2", 1), CLOSES, note("p3")], "backed_off"),
         connection([resumed("p0"), replayed("p2"), replayed("p3"), live("p3", 2)], "stays", "p0")],
        "catching-up live stale catching-up live", ["p2", "p3"], [[]])
    row("one of the replay was skipped, by the count of live",
        [WENT_LIVE, connection([resumed("p1"), replayed("p2"), live("p3", 2), CLOSES], "backed_off", "p1"),
         connection([resumed("p0"), replayed("p1"), replayed("p2"), replayed("p3"), live("p3", 3)], "stays", "p0")],
        "catching-up live stale catching-up stale catching-up live", ["p1", "p2", "p3"], [[]])
    row("skipped each time",
        [connection([*live_p0, ping("p1", 1), CLOSES], "backed_off")]
        + [connection([resumed("p0"), live("p0"), ping("p1", 1), CLOSES], "backed_off", "p0")] * LOOPS,
        "catching-up live stale" + " catching-up live stale" * LOOPS, snapshots=[[]])
    row("a snapshot and a replay are counted",
        [connection([auth_ok(), snapshot("p1"), snapshot("p2"), live("p3"), ping("p3", 2), PONG, note("p4"), DROP],
                    "backed_off"),
         connection([resumed("p4"), replayed("p5"), ping("p5", 1), PONG, replayed("p6"), live("p6", 2), note("p7"),
                     ping("p7", 3), PONG], "stays", "p4")],
        "catching-up live stale catching-up live", ["p4", "p5", "p6", "p7"], [["p1", "p2"]])


def repeats():
    live_p0 = [auth_ok(), live("p0")]
    unharmed("a notification comes twice", [note("p1"), note("p1"), note("p2")], ["p1", "p2"], 3)
    unharmed("a notification comes again later", [note("p1"), note("p2"), note("p1")], ["p1", "p2"], 3)
    unharmed("a notification comes again after it was proved", [note("p1"), ping("p1", 1), PONG, note("p1")], ["p1"], 2)
    row("a replay begins with what was handled",
        [connection([*live_p0, note("p1"), note("p2"), DROP], "backed_off"),
         connection([resumed("p2"), replayed("p1"), replayed("p2"), replayed("p3"), live("p3", 3)], "stays", "p2")],
        "catching-up live stale catching-up live", ["p1", "p2", "p3"], [[]])
    row("a replay ends with what comes live",
        [WENT_LIVE, connection([resumed("p1"), replayed("p2"), live("p2", 1), note("p2"), note("p3")], "stays", "p1")],
        "catching-up live stale catching-up live", ["p1", "p2", "p3"], [[]])


def gaps():
    for reason in ("trimmed", "epoch", "unknown", "eclipse"):
        row(f"a gap: {reason}",
            [WENT_LIVE, connection([gap("p1", reason), snapshot("q1"), snapshot("q2"), live("q3"), note("q4"),
                                    ping("q4", 3), PONG, DROP], "backed_off", "p1"), good("q4")],
            "catching-up live stale catching-up live stale catching-up live", ["p1", "q4"], [[], ["q1", "q2"]], [reason])
    row("a gap without reason",
        [WENT_LIVE, connection([auth_ok("auth_ok, gap without reason", resume={"complete": False}), live("q3")], "stays",
                               "p1")],
        "catching-up live stale catching-up live", ["p1"], [[], []], ["unknown"])
    row("the position that was named is not answered",
        [WENT_LIVE, connection([auth_ok(), snapshot("q1"), live("q3")], "stays", "p1")],
        "catching-up live stale catching-up live", ["p1"], [[], ["q1"]], ["unknown"])
    row("lost during the snapshot after a gap: the position is still the old one",
        [WENT_LIVE, connection([gap("p1", "trimmed"), snapshot("q1"), DROP], "backed_off", "p1"),
         connection([gap("p1", "trimmed"), snapshot("q1"), live("q2")], "stays", "p1")],
        "catching-up live stale catching-up stale catching-up live", ["p1"], [[], ["q1"]], ["trimmed", "trimmed"])
    row("what was handled may be in a snapshot",
        [WENT_LIVE, connection([gap("p1", "trimmed"), snapshot("p1"), live("p2")], "stays", "p1")],
        "catching-up live stale catching-up live", ["p1"], [[], ["p1"]], ["trimmed"])


def restarts():
    live_p0 = [auth_ok(), live("p0")]

    def waits(name, steps, then):
        row(name, [connection([*live_p0, *steps], then), good("p0")], "catching-up live stale catching-up live",
            snapshots=[[]])

    after_5_s, at_most = {"after_ms": 5000}, {"after_ms": RETRY_MS_MAX}
    waits("shutting_down, then 1012", [shutting_down(5000), close(1012)], after_5_s)
    waits("shutting_down, then the connection is lost", [shutting_down(5000), DROP], after_5_s)
    waits("shutting_down with no time at all", [shutting_down(0), close(1012)], "backed_off")
    waits("shutting_down for a very long time", [shutting_down(10**15), close(1012)], at_most)
    waits("4429 with a time", [close(4429, "too many connections of this user; retry_after_ms=5000")], after_5_s)
    waits("4429 with a very long time", [close(4429, "retry_after_ms=99999999999999999999")], at_most)
    waits("4429 with nonsense for a time", [close(4429, "retry_after_ms=soon")], "backed_off")
    waits("4429 with a negative time", [close(4429, "retry_after_ms=-5000")], "backed_off")
    waits("4429 after too_many", [error("invalid_message", "too_many", retry_after_ms=5000), close(4429)], after_5_s)
    row("4429 at first", [connection([close(4429, "too many connections; retry_after_ms=5000")], after_5_s), good()],
        "catching-up live", snapshots=[[]])
    row("shutting_down during the replay",
        [WENT_LIVE, connection([resumed("p1"), replayed("p2"), shutting_down(5000), close(1012)], after_5_s, "p1"),
         good("p2")], "catching-up live stale catching-up stale catching-up live", ["p1", "p2"], [[]])
    row("a notification comes after shutting_down",
        [connection([*live_p0, shutting_down(5000), note("p1"), close(1012)], after_5_s), good("p1")],
        "catching-up live stale catching-up live", ["p1"], [[]])
    row("what one connection was told does not hold for the next",
        [connection([*live_p0, shutting_down(5000), close(1012)], after_5_s),
         connection([resumed("p0"), live("p0"), close(1012)], "backed_off", "p0"), good("p0")],
        "catching-up live stale catching-up live stale catching-up live", snapshots=[[]])


def tokens():
    live_p0 = [auth_ok(), live("p0")]
    again = [resumed("p0"), live("p0")]
    refused = [error("auth_failed", "expired"), close(4401, "expired")]
    row("the token is refused, a new one is taken",
        [connection(refused, "at_once"), good(None, True)], "catching-up live", snapshots=[[]])
    row("a new token is refused too", [connection(refused, "at_once"), connection(refused, "none", None, True)], "refused")
    row("a new token is refused too, after the connection was lost between",
        [connection(refused, "at_once"), connection([DROP], "backed_off", None, True), connection(refused, "none")],
        "refused")
    row("a token is refused, another taken and refused before live",
        [connection(refused, "at_once"), connection([auth_ok(), close(4401)], "backed_off", None, True), good(None, True)],
        "catching-up connecting catching-up live", snapshots=[[]])
    row("the token of a live session is refused, and the new one too",
        [connection([*live_p0, *refused], "at_once"), connection(refused, "none", "p0", True)],
        "catching-up live stale refused", snapshots=[[]])
    row("the token expires", [connection([*live_p0, note("p1"), close(4419)], "at_once"), good("p1", True)],
        "catching-up live stale catching-up live", ["p1"], [[]])
    row("the token expires before auth_ok, each time",
        [connection([close(4419)], "at_once")] + [connection([close(4419)], "backed_off", None, True)] * LOOPS, "")
    row("the token is refreshed on the connection",
        [connection([*live_p0, message("auth_expiring", "ack", "auth_expiring",
                                       {"expires_at": "2026-11-22T12:01:00.000Z"}), AUTH,
                     auth_ok("auth_ok, refreshed", expires_at="2026-11-22T14:00:00.000Z"), note("p1"), ping("p1", 1), PONG,
                     DROP], "backed_off"), good("p1")],
        "catching-up live stale catching-up live", ["p1"], [[]])
    row("the token is refreshed during the snapshot",
        [connection([auth_ok(), snapshot("p1"), {"send": "auth_expiring"}, AUTH, {"send": "auth_ok, refreshed"},
                     snapshot("p2"), live("p3"), ping("p3", 2), PONG], "stays")],
        "catching-up live", snapshots=[["p1", "p2"]])
    row("the refresh is refused",
        [connection([*live_p0, {"send": "auth_expiring"}, AUTH, *refused], "at_once"), good("p0", True)],
        "catching-up live stale catching-up live", snapshots=[[]])
    row("the refresh is not answered and the token expires",
        [connection([*live_p0, {"send": "auth_expiring"}, AUTH, close(4419)], "at_once"), good("p0", True)],
        "catching-up live stale catching-up live", snapshots=[[]])
    row("a refresh names another user", [connection([*live_p0, {"send": "auth_expiring"}, AUTH, close(4403)], "none")],
        "catching-up live refused", snapshots=[[]])
    row("no token came in time", [connection([error("auth_failed", "timeout"), close(4408)], "backed_off"), good()],
        "catching-up live", snapshots=[[]])
    row("revoked", [connection([*live_p0, error("auth_failed", "revoked"), close(4423)], "none")],
        "catching-up live refused", snapshots=[[]])
    row("auth_failed alone closes nothing", [connection([*live_p0, error("auth_failed", "expired"), note("p1")], "stays")],
        "catching-up live", ["p1"], [[]])
    row("4401 and 4411 are both at once, but not one after the other",
        [connection(refused, "at_once"), connection([close(4411)], "backed_off", None, True), good()],
        "catching-up live", snapshots=[[]])
    row("4411 twice without being live between",
        [connection([*live_p0, close(4411)], "at_once"), connection([resumed("p0"), close(4411)], "backed_off", "p0"),
         good("p0")], "catching-up live stale catching-up stale catching-up live", snapshots=[[]])
    row("4411 twice within 20 s, live between",
        [connection([*live_p0, close(4411)], "at_once"), connection([*again, close(4411)], "backed_off", "p0"), good("p0")],
        "catching-up live stale catching-up live stale catching-up live", snapshots=[[]])
    row("4411 twice, 20 s and live between",
        [connection([*live_p0, close(4411)], "at_once"),
         connection([*again, silence(20_000), close(4411)], "at_once", "p0"), good("p0")],
        "catching-up live stale catching-up live stale catching-up live", snapshots=[[]])
    row("4411 twice, 20 s between but never live",
        [connection([*live_p0, close(4411)], "at_once"),
         connection([resumed("p0"), silence(20_000), close(4411)], "backed_off", "p0"), good("p0")],
        "catching-up live stale catching-up stale catching-up live", snapshots=[[]])
    row("4419 each time, 4411 between",
        [connection([*live_p0, close(4419)], "at_once"), connection([*again, close(4411)], "backed_off", "p0", True),
         connection([*again, close(4419)], "backed_off", "p0"), good("p0", True)],
        "catching-up live" + " stale catching-up live" * 3, snapshots=[[]])


def loops():
    """Whatever a server does again and again: never without waiting."""
    live_p0 = [auth_ok(), live("p0")]
    for name, steps, states in (
        ("the upgrade is refused", [{"refuse": 503, "body": ""}], ""),
        ("lost after the upgrade", [DROP], ""),
        ("overloaded", [close(1013)], ""),
        ("nonsense at first", [send("an open brace", "{"), CLOSES], ""),
        ("lost after auth_ok", [auth_ok(), DROP], " catching-up connecting"),
        ("nonsense during the snapshot", [auth_ok(), snapshot("p1"), send("an open brace", "{"), CLOSES],
         " catching-up connecting"),
        ("restarting, to be tried again at once", [shutting_down(0), close(1012)], None),
    ):
        if states is None:
            steps, states = [auth_ok(), *steps], " catching-up connecting"
        row(f"{name}, each time", [connection(steps, "backed_off")] * LOOPS, states * LOOPS)
    row("heartbeat_timeout, each time",
        [connection([close(4411)], "at_once")] + [connection([close(4411)], "backed_off")] * LOOPS, "")
    row("lost after live, each time",
        [connection([*live_p0, DROP], "backed_off")]
        + [connection([resumed("p0"), live("p0"), DROP], "backed_off", "p0")] * LOOPS,
        "catching-up live stale" + " catching-up live stale" * LOOPS, snapshots=[[]])


def text():
    for part in (before_the_upgrade, endings, stalls, nonsense, wrong_shapes, what_is_new, counts, repeats, gaps, restarts,
                 tokens, loops):
        part()
    names = [each["name"] for each in rows]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    lines = lambda items: ",\n".join(f"    {item}" for item in items)
    dump = lambda value: json.dumps(value, ensure_ascii=False)
    return (f'{{\n  "now": {dump(NOW)},\n  "messages": {{\n'
            + lines(f"{dump(name)}: {dump(raw)}" for name, raw in messages.items())
            + '\n  },\n  "rows": [\n' + lines(map(dump, rows)) + "\n  ]\n}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(text())
    else:
        (HERE / "client_faults.json").write_text(text())
