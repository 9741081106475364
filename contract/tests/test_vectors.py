"""The schemas are schemas, and the vectors agree with them and with the text of the protocol."""

import json
import re
import subprocess
import sys

import pytest
from jsonschema import Draft202012Validator
from validation import FOLDER, SCHEMAS, faults

NOT_JSON = object()
PROTOCOL = (FOLDER.parent / "docs" / "protocol.md").read_text()


def vectors(name):
    return json.loads((FOLDER / "vectors" / name).read_text())


def rows(name, member):
    found = vectors(name)[member]
    assert found
    return [pytest.param(row, id=row["name"]) for row in found]


def parsed(text):
    """As the server reads JSON, strictly; NOT_JSON when it is none."""

    def refuse(word):
        raise ValueError(word)

    def once(pairs):
        if len({name for name, _ in pairs}) < len(pairs):
            raise ValueError("a member twice")
        return dict(pairs)

    try:
        text.encode()
        return json.loads(text, parse_constant=refuse, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return NOT_JSON


def is_refused(schema, text):
    """Whether it is the schema that refuses the text: of what is not JSON a schema can say nothing."""
    value = parsed(text)
    return value is not NOT_JSON and bool(faults(schema, value))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name):
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMAS[name]["title"] and SCHEMAS[name]["description"]


@pytest.mark.parametrize("row", rows("notifications.json", "notifications"))
def test_notifications_are_valid(row):
    message = json.loads(row["text"])
    assert not faults("notification.schema.json", message)
    assert not faults("server_message.schema.json", message)
    assert not faults("event_envelope.schema.json", json.loads(row["envelope"]))
    exact = json.loads(row["text"], parse_float=str, parse_int=str)
    assert exact["payload"] == row["payload"]
    assert (exact["event"], exact["timestamp"], exact["id"]) == (row["event"], row["timestamp"], row["position"])
    assert [mark in exact for mark in ("late", "replayed", "snapshot")] == [
        row["late"],
        row["replayed"],
        row["snapshot"],
    ]


@pytest.mark.parametrize("row", rows("envelopes.json", "taken"))
def test_envelopes_that_are_taken_are_valid(row):
    assert not faults("event_envelope.schema.json", json.loads(row["text"]))


@pytest.mark.parametrize("row", rows("envelopes.json", "refused"))
def test_envelopes_that_are_refused_are_not_valid_where_a_schema_can_say_so(row):
    assert is_refused("event_envelope.schema.json", row["text"]) == row.get("by_schema", True)
    assert row["code"] in SCHEMAS["problem.schema.json"]["properties"]["errors"]["items"]["properties"]["code"]["enum"]


@pytest.mark.parametrize("row", rows("client_messages.json", "taken"))
def test_client_messages_that_are_taken_are_valid(row):
    assert not faults("client_message.schema.json", json.loads(row["text"]))


@pytest.mark.parametrize("row", rows("client_messages.json", "refused"))
def test_client_messages_that_are_refused_are_not_valid_where_a_schema_can_say_so(row):
    assert is_refused("client_message.schema.json", row["text"]) == row.get("by_schema", True)
    codes = SCHEMAS["error.schema.json"]["$defs"]["invalid_message"]["properties"]["payload"]["properties"]["code"]
    assert row["code"] in codes["enum"]


@pytest.mark.parametrize("change", [{"id": "a b"}, {"id": None}, {"late": False}, {"event": "rumour"}, {"payload": []}])
def test_what_is_no_notification_is_refused(change):
    message = json.loads(vectors("notifications.json")["notifications"][0]["text"])
    assert faults("server_message.schema.json", {**message, **change})


def test_the_table_of_faults_is_what_its_script_says():
    script = FOLDER / "vectors" / "client_faults.py"
    made = subprocess.run([sys.executable, script, "--print"], check=True, capture_output=True, text=True).stdout
    assert made == (FOLDER / "vectors" / "client_faults.json").read_text()


def test_what_the_table_of_faults_sends_before_a_close_is_valid():
    table = vectors("client_faults.json")
    rows_of_closes = [row for row in table["rows"] if row["name"].startswith("closed with")]
    sent = {
        step["send"]
        for row in rows_of_closes
        for connection in row["connections"]
        for step in connection["steps"]
        if "send" in step
    }
    assert len(sent) > 5
    for name in sent:
        assert not faults("server_message.schema.json", json.loads(table["messages"][name])), name


# --- docs/protocol.md ------------------------------------------------------------------------------------------------

# What the table of section 7 says, and the word for it.
ADVICE = {
    "reconnect only if it still wants events": "back_off",
    "a bug: do not retry in a loop": "refused",
    "back off, resume": "back_off",
    "wait `retry_after_ms`, resume": "retry_after",
    "do not retry in a loop": "refused",
    "get a new token": "new_token",
    "stop": "refused",
    "back off": "back_off",
    "resume at once": "resume_now",
    "get a new token, resume at once": "new_token_and_resume_now",
    "resume": "back_off",
    "stop until the user logs in again": "refused",
    "wait `retry_after_ms`": "retry_after",
}


def section(number):
    begin = PROTOCOL.index(f"\n## {number}. ")
    end = PROTOCOL.find("\n## ", begin + 1)
    return PROTOCOL[begin : end if end > 0 else None]


def spread(cell, count, separator):
    """A cell that says one thing of all codes of its row, or one of each."""
    parts = [part.strip() for part in cell.split(separator)]
    return parts if len(parts) == count and count > 1 else [cell] * count


def test_close_codes_are_those_of_the_protocol():
    told = []
    for codes, meaning, client in re.findall(r"^\| ([\d, /]+) \| (.+) \| (.+) \|$", section(7), re.MULTILINE):
        numbers = [int(number) for number in re.findall(r"\d+", codes)]
        separator = "/" if "/" in codes else ";"
        told += zip(
            numbers, spread(meaning, len(numbers), separator), spread(client, len(numbers), separator), strict=True
        )
    assert len(told) == len({code for code, *_ in told}) > 10
    data = vectors("close_codes.json")
    assert sorted((code, meaning, ADVICE[client]) for code, meaning, client in told) == sorted(
        (row["code"], row["meaning"], row["client"]) for row in data["codes"]
    )
    assert {row["client"] for row in data["codes"]} == set(data["words"])


@pytest.mark.parametrize("event", ["new_trade_signal", "order_update", "system_alert"])
def test_members_of_payloads_are_those_of_the_protocol(event):
    table = re.search(rf"^\| `{event}` \| \|\n\|---\|---\|\n((?:\|.*\n)+)", section(5), re.MULTILINE)[1]
    told = re.findall(r"^\| `(\w+)`(\*?) \| (.+) \|$", table, re.MULTILINE)
    schema = SCHEMAS[f"{event}.schema.json"]
    assert [name for name, _, _ in told] == list(schema["properties"])
    assert [name for name, star, _ in told if star] == schema["required"]
    for name, _, text in told:
        words = re.findall(r"`([A-Z_]+)`", text)
        member = schema["properties"][name]
        if words:
            known = (
                member.get("enum") or SCHEMAS["common.schema.json"]["$defs"][member["$ref"].rsplit("/", 1)[1]]["enum"]
            )
            assert known == words, name
        assert text.startswith("number") == member.get("$ref", "").endswith("/decimal"), name


def test_codes_of_errors_are_those_of_the_protocol():
    text = re.search(r"^- 4\.4 .*?(?=^- 4\.5)", section(4), re.MULTILINE | re.DOTALL)[0]
    for event in ("auth_failed", "invalid_message"):
        told = re.findall(r"`(\w+)`", re.search(rf"`{event}` \((?:codes )?([^)]*)\)", text, re.DOTALL)[1])
        payload = SCHEMAS["error.schema.json"]["$defs"][event]["properties"]["payload"]
        assert payload["properties"]["code"]["enum"] == told


def test_reasons_of_gaps_are_those_of_the_protocol():
    text = re.search(r"with R one of (.*?)\. A malformed", section(6), re.DOTALL)[1]
    reason = SCHEMAS["ack.schema.json"]["$defs"]["resume"]["oneOf"][1]["properties"]["reason"]
    assert re.findall(r"`(\w+)`", text) == reason["enum"]
