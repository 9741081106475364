"""The command `carillon`: what it prints where, and its exit codes (0 done, 1 failed, 2 not a command)."""

import json
import signal
import socket

import pytest

from harness import command, events
from harness.server import StartFailed
from harness.waiting import until


def access(server, name, **claims):
    token = server.directory / f"{name}.token"
    token.write_text(server.token(name, **claims) + "\n")
    return (
        "--url",
        "https://localhost:%d" % server.address[1],
        "--ca",
        server.directory / "ca.pem",
        "--token-file",
        token,
    )


# --- words -------------------------------------------------------------------------------------------------------


def test_version_is_one_line(server):
    for words in (("version",), ("--version",), ("-V",)):
        result = command.run(*words)
        assert result.returncode == 0
        assert result.stdout.startswith("carillon ") and result.stdout.count("\n") == 1
        assert result.stderr == ""


COMMANDS = ["serve", "check-config", "token", "publish", "tail", "stats", "dead-letters", "version"]


def test_help_goes_to_standard_output_and_names_every_command():
    result = command.run("--help")
    assert result.returncode == 0 and result.stderr == ""
    for name in COMMANDS:
        assert name in result.stdout
        assert command.run(name, "--help").returncode == 0


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["dance"],
        ["serve"],
        ["serve", "--config"],
        ["serve", "--colour", "blue"],
        ["check-config"],
        ["token"],
        ["token", "--user", "x"],
        ["dead-letters"],
        ["dead-letters", "eat"],
        ["tail", "--carrier", "pigeon"],
        ["tail", "--from", "not a position"],
        ["stats", "--admin", "nowhere"],
        ["version", "extra"],
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_words_that_make_no_command_are_2_on_standard_error(words):
    result = command.run(*words)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("carillon: ")


# --- check-config ------------------------------------------------------------------------------------------------


def checked(server, text):
    """check-config of the server's configuration with this text behind it."""
    path = server.directory / "changed.toml"
    path.write_text(server.config_path.read_text() + text)
    return command.run("check-config", path), len(server.config_path.read_text().splitlines())


def test_check_config_of_a_good_file_is_0(server):
    result = command.run("check-config", server.config_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""


@pytest.mark.parametrize(
    "text, line, key, words",
    [
        ("[window]\nsize = 3\n", 2, "window.size", ["unknown"]),
        ("[widnow]\nage = '1h'\n", 1, "widnow", ["unknown"]),
        ("[window]\nage = 60\n", 2, "window.age", ["duration"]),
        ("[window]\nage = 'soon'\n", 2, "window.age", ["duration"]),
        ("[window]\nbytes = true\n", 2, "window.bytes", ["size"]),
        ("[window]\nbytes = '1KiB'\n", 2, "window.bytes", ["1MiB"]),
        ("[window]\nage = '9000h'\n", 2, "window.age", ["168h"]),
        ("[grpc]\nlisten = '127.0.0.1'\n", 2, "grpc.listen", []),
        ("[log]\nkind = 'paper'\n", 2, "log.kind", ["journal"]),
    ],
    ids=[
        "unknown key",
        "unknown table",
        "number for a duration",
        "word for a duration",
        "switch for a size",
        "below the range",
        "above the range",
        "no port",
        "not a choice",
    ],
)
def test_check_config_names_file_line_key_and_what_is_allowed(server, text, line, key, words):
    result, lines = checked(server, text)
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"changed.toml:{lines + line}" in result.stderr
    assert key in result.stderr
    for word in words:
        assert word in result.stderr


def test_check_config_reports_all_faults_at_once(server):
    result, _ = checked(server, "[window]\nage = 60\nsize = 3\n[log]\nkind = 'paper'\n")
    for key in ("window.age", "window.size", "log.kind"):
        assert key in result.stderr


def test_check_config_of_no_toml_names_the_line(server):
    result, lines = checked(server, "[window\n")
    assert result.returncode == 1
    assert f"changed.toml:{lines + 1}" in result.stderr


def test_check_config_of_a_missing_file_names_it():
    result = command.run("check-config", "/no/such/carillon.toml")
    assert result.returncode == 1
    assert "/no/such/carillon.toml" in result.stderr


def test_the_environment_overrides_the_file_and_is_checked_alike(server):
    good = command.run("check-config", server.config_path, environment={"CARILLON_HEARTBEAT_INTERVAL": "7s"})
    assert good.returncode == 0
    bad = command.run("check-config", server.config_path, environment={"CARILLON_HEARTBEAT_INTERVAL": "seldom"})
    assert bad.returncode == 1
    assert "CARILLON_HEARTBEAT_INTERVAL" in bad.stderr


def test_the_environment_overrides_the_running_server(carillon):
    server = carillon().start(environment={"CARILLON_HEARTBEAT_INTERVAL": "7s"})
    with server.connect() as alice:
        assert alice.auth_ok["payload"]["heartbeat_interval_ms"] == 7000


# --- serve -------------------------------------------------------------------------------------------------------


def refusal_to_serve(server):
    with pytest.raises(StartFailed) as refusal:
        server.start()
    assert refusal.value.code == 1
    return refusal.value.output


@pytest.mark.parametrize("which", ["address", "admin_address"])
def test_serve_says_that_the_port_is_taken(carillon, which):
    server = carillon()
    with socket.create_server(getattr(server, which)):
        said = refusal_to_serve(server)
    assert "%s:%d" % getattr(server, which) in said
    assert "taken" in said or "in use" in said


def test_serve_says_which_file_is_missing(carillon):
    for name in ("server.pem", "server.key", "hmac.key"):
        server = carillon()
        (server.directory / name).unlink()
        assert name in refusal_to_serve(server)


def test_serve_refuses_a_configuration_as_check_config_does(carillon):
    server = carillon({"window": {"size": 3}})
    assert "window.size" in refusal_to_serve(server)


def test_serve_ends_with_1_when_its_address_is_not_here(carillon):
    server = carillon({"server": {"listen": "203.0.113.1:8443"}})
    assert "203.0.113.1:8443" in refusal_to_serve(server)


def test_files_are_looked_up_beside_the_configuration(carillon, tmp_path):
    server = carillon().start()
    assert (server.directory / "journal.db").exists()
    result = command.run("check-config", server.config_path, directory=tmp_path)
    assert result.returncode == 0, result.stderr


# --- token -------------------------------------------------------------------------------------------------------


def test_token_mints_what_the_server_takes(server):
    words = ("token", "--config", server.config_path, "--user", "carol", "--scope", "orders publish", "--ttl", "10m")
    result = command.run(*words)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("\n") == 1
    with server.connect(token=result.stdout.strip()) as carol:
        assert carol.auth_ok["payload"]["user_id"] == "carol"
        assert sorted(carol.auth_ok["payload"]["grants"]) == ["orders", "publish"]


def test_token_without_scope_leaves_the_grants_to_the_server(server):
    result = command.run("token", "--secret-file", server.directory / "hmac.key", "--user", "carol")
    with server.connect(token=result.stdout.strip()) as carol:
        assert sorted(carol.auth_ok["payload"]["grants"]) == ["alerts", "orders", "signals"]


def test_token_without_a_usable_key_is_1(tmp_path):
    (tmp_path / "short.key").write_bytes(b"short")
    for name in ("short.key", "missing.key"):
        result = command.run("token", "--secret-file", tmp_path / name, "--user", "carol")
        assert result.returncode == 1
        assert name in result.stderr and result.stdout == ""


# --- publish and tail --------------------------------------------------------------------------------------------
# What the command publishes is for the reader only: it may be still on its way to some shard when the next test begins.


def test_publish_of_lines_reaches_the_clients(server):
    batch = [
        events.narrowed(events.signal(), "reader"),
        events.order("reader"),
        events.narrowed(events.alert(), "reader"),
    ]
    with server.connect("reader") as reader:
        result = command.run(
            "publish", *access(server, "agent", scope="publish"), stdin="".join(json.dumps(e) + "\n" for e in batch)
        )
        assert result.returncode == 0, result.stderr
        assert [n["payload"] for n in reader.notifications(3)] == [event["payload"] for event in batch]


def test_publish_of_a_file_makes_ids_where_there_are_none(server, tmp_path):
    event = events.narrowed(events.alert(), "reader")
    del event["id"]
    (tmp_path / "events.jsonl").write_text((json.dumps(event) + "\n") * 2)
    with server.connect("reader") as reader:
        result = command.run("publish", *access(server, "agent", scope="publish"), tmp_path / "events.jsonl")
        assert result.returncode == 0, result.stderr
        reader.notifications(2)


def test_publish_names_refused_lines_and_publishes_the_others(server):
    good = json.dumps(events.narrowed(events.alert(), "reader"))
    other = json.dumps(events.narrowed(events.alert(), "reader"))
    batch = [good, "{broken", json.dumps(events.alert(level="LOUD")), other]
    with server.connect("reader") as reader:
        result = command.run("publish", *access(server, "agent", scope="publish"), stdin="\n".join(batch) + "\n")
        assert result.returncode == 1
        assert "2" in result.stderr and "3" in result.stderr and "/payload/level" in result.stderr
        reader.notifications(2)


def test_publish_of_many_lines_is_split_into_calls(server):
    lines = "".join(json.dumps(events.narrowed(events.alert(), "reader")) + "\n" for _ in range(2500))
    with server.connect("reader") as reader:
        result = command.run("publish", *access(server, "agent", scope="publish"), stdin=lines, timeout=60)
        assert result.returncode == 0, result.stderr
        assert "2500" in result.stdout + result.stderr
        reader.notifications(2500, timeout=20)


@pytest.mark.parametrize("trouble", ["no grant", "bad token", "no server", "unknown authority", "missing file"])
def test_publish_that_cannot_is_1_and_says_why(server, tmp_path, trouble):
    words = list(access(server, "agent", scope="signals" if trouble == "no grant" else "publish"))
    if trouble == "bad token":
        (server.directory / "agent.token").write_text("x.y.z")
    if trouble == "no server":
        words[1] = "https://localhost:1"
    if trouble == "unknown authority":
        words[3] = "/etc/ssl/certs/ca-certificates.crt"
    if trouble == "missing file":
        words.append(tmp_path / "missing.jsonl")
    result = command.run("publish", *words, stdin=json.dumps(events.alert()) + "\n")
    assert result.returncode == 1
    assert result.stderr.startswith("carillon: ") or result.stderr
    assert "x.y.z" not in result.stderr


@pytest.mark.parametrize("carrier", ["header", "subprotocol", "message"])
def test_tail_json_prints_each_notification_as_it_came(server, carrier):
    count = server.connections()
    with (
        command.Running("tail", "--json", "--no-snapshot", "--carrier", carrier, *access(server, "alice")) as tail,
        server.connect("alice") as alice,
    ):
        until(lambda: server.metrics().total("carillon_sessions") >= count + 2, 10, "the sessions")
        server.publish(events.order("bob"))
        for event in (events.signal(entry_price=1e-08), events.order("alice"), events.alert()):
            server.publish(event)
        for i in range(3):
            assert tail.line(i) == alice.notification_text()
        assert tail.stop(signal.SIGINT) in (0, 130)
        assert len(tail.out) == 3


def test_tail_for_people_names_what_matters_without_colour_in_a_pipe(server):
    count = server.metrics().total("carillon_sessions")
    with command.Running("tail", *access(server, "alice")) as tail:
        until(lambda: server.metrics().total("carillon_sessions") > count, 10)
        server.publish(events.order("alice", order_id="order-4711", status="PARTIALLY_FILLED"))
        until(lambda: any("order-4711" in line and "PARTIALLY_FILLED" in line for line in tail.out), 10)
        assert "\x1b" not in "".join(tail.out + tail.err)


def test_tail_comes_back_after_the_server_was_away(carillon):
    server = carillon({"server": {"drain_window": "100ms"}}).start()
    with command.Running("tail", "--json", *access(server, "alice")) as tail:
        until(lambda: server.metrics().total("carillon_sessions") == 1, 10)
        assert server.stop() == 0
        server.start()
        until(lambda: server.metrics().total("carillon_sessions") == 1, 20, "the return of tail")
        server.publish(events.alert())
        assert json.loads(tail.line(0))["event"] == "system_alert"


def test_tail_with_a_refused_token_is_1_and_does_not_go_on(server):
    for carrier in ("header", "subprotocol", "message"):
        result = command.run("tail", "--carrier", carrier, *access(server, "alice", ttl=-60))
        assert result.returncode == 1
        assert "expired" in result.stderr


# --- serve --dev -------------------------------------------------------------------------------------------------


def test_serve_dev_makes_its_setup_once_and_keeps_it_to_its_owner(tmp_path):
    folder = tmp_path / "setup"

    def made():
        with command.Running("serve", "--dev", "--dir", folder, directory=tmp_path) as serve:
            # The development server has fixed ports, which may be taken here; its files are made all the same.
            until(lambda: (folder / "ca.pem").exists() or serve.process.poll() is not None, 10)
            until(
                lambda: any("127.0.0.1" in line for line in serve.err + serve.out) or serve.process.poll() is not None,
                10,
            )
            if serve.process.poll() is None:
                serve.stop(signal.SIGTERM)
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".pem", ".key", ".token")}

    first = made()
    assert first
    assert folder.stat().st_mode & 0o777 == 0o700
    for path in folder.iterdir():
        if path.suffix in (".key", ".token"):
            assert path.stat().st_mode & 0o077 == 0, path
    second = made()
    assert {name: data for name, data in second.items() if name.endswith((".pem", ".key"))} == {
        name: data for name, data in first.items() if name.endswith((".pem", ".key"))
    }
