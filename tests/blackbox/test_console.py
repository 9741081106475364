"""The console's files: served from memory under /console/, by exact paths, with headers that shut other sites out."""

import concurrent.futures
import hashlib
import http.client

import pytest

from harness.server import Carillon, StartFailed
from harness.waiting import until

LARGE = bytes(range(256)) * 4096  # 1 MiB, which no socket takes at once
FILES = {
    "index.html": b"<!doctype html><title>console</title>",
    "assets/app-1a2b3c.js": b"export {};",
    "assets/app-1a2b3c.css": b"p{}",
    "assets/large-0a.wasm": LARGE,
    "favicon.svg": b"<svg/>",
    "reference/index.html": b"<p>reference</p>",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; font-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_pages(folder, files=None):
    for name, content in (FILES if files is None else files).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory, keys, authority):
    directory = tmp_path_factory.mktemp("console")
    pages = make_pages(directory / "pages")
    (directory / "secret.txt").write_text("not for anybody")
    (pages / "link.txt").symlink_to(directory / "secret.txt")
    (pages / "up").symlink_to(directory)
    (pages / "notes.md").write_text("of a kind that is not served")
    # Relative to the configuration file, as every path in it.
    server = Carillon(directory / "server", keys, authority, {"console": {"directory": "../pages"}}).start()
    yield server
    code = server.stop() if server.is_running() else None
    server.assert_clean()
    assert code in (0, None)


def ask(server, path, method="GET", headers=None, body=None):
    """(status, headers, body) of the path as it is written here."""
    connection = http.client.HTTPSConnection("localhost", server.address[1], context=server.tls(), timeout=15)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("path", "file", "content_type", "caching"),
    [
        ("/console/", "index.html", "text/html; charset=utf-8", "no-cache"),
        ("/console/index.html", "index.html", "text/html; charset=utf-8", "no-cache"),
        ("/console/reference/", "reference/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/console/favicon.svg", "favicon.svg", "image/svg+xml", "no-cache"),
        (
            "/console/assets/app-1a2b3c.js",
            "assets/app-1a2b3c.js",
            "text/javascript; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
        (
            "/console/assets/app-1a2b3c.css",
            "assets/app-1a2b3c.css",
            "text/css; charset=utf-8",
            "public, max-age=31536000, immutable",
        ),
    ],
)
def test_a_file_with_its_headers(server, path, file, content_type, caching):
    status, headers, body = ask(server, path)
    assert (status, body) == (200, FILES[file])
    expected = {
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "Cache-Control": caching,
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    assert {name: headers.get_all(name) for name in expected} == {name: [value] for name, value in expected.items()}

    # HEAD says the same and sends nothing.
    head_status, head_headers, head_body = ask(server, path, "HEAD")
    assert (head_status, head_body) == (200, b"")
    assert head_headers.items() == headers.items()

    tag = headers["ETag"]
    for value in (tag, f'W/"x", {tag}', "*"):
        status, again, body = ask(server, path, headers={"If-None-Match": value})
        assert (status, body, again["ETag"], again["Cache-Control"]) == (304, b"", tag, caching)
    assert ask(server, path, headers={"If-None-Match": '"x"'})[0] == 200


def test_a_folder_without_its_slash_redirects(server):
    for path in ("/console", "/console/reference"):
        for target in (path, path + "?x=1"):
            status, headers, body = ask(server, target)
            assert (status, headers["Location"], body) == (308, path + "/", b"")


@pytest.mark.parametrize(
    "path",
    [
        "/console//",
        "/console/.",
        "/console/../console/",
        "/console/../secret.txt",
        "/console/..%2fsecret.txt",
        "/console/%2e%2e/secret.txt",
        "/console/%69ndex.html",
        "/console/reference/../index.html",
        "/console/Index.html",
        "/console/index.html/",
        "/console/assets/",
        "/console/assets",
        "/console/link.txt",
        "/console/up/secret.txt",
        "/console/notes.md",
        "/console/nothing.html",
        "//console/",
        "/consoles/",
        "/",
    ],
)
def test_nothing_else_is_there(server, path):
    assert ask(server, path)[0] == 404
    assert ask(server, path, "HEAD")[::2] == (404, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(server, method):
    status, headers, _ = ask(server, "/console/", method, {"Content-Length": "0"})
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/console", "/console/", "/console/assets/app-1a2b3c.js"])
def test_a_token_in_the_query_is_refused_and_not_logged(server, path):
    for name in ("token", "access_token"):
        # That no token is in the log is looked at when the server ends.
        status, headers, _ = ask(server, f"{path}?{name}={server.token()}")
        assert (status, headers["Location"]) == (400, None)


def test_a_request_with_a_body_is_refused(server):
    assert ask(server, "/console/", headers={"Content-Length": "4"}, body=b"body")[0] == 413


def test_a_large_file_arrives_whole_by_every_way(server):
    path = "/console/assets/large-0a.wasm"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for status, _, body in pool.map(lambda _: ask(server, path), range(16)):
            assert (status, body) == (200, LARGE)
    status, headers, body = ask(server, path, "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(LARGE)), b"")
    # Asked to close behind it, the server does so when all is sent.
    assert ask(server, path, headers={"Connection": "close"})[2] == LARGE


def test_requests_that_came_together_are_answered_in_order(server):
    """Large and small ones in one go, over one connection, by a client that reads when it pleases."""
    paths = ["assets/large-0a.wasm", "favicon.svg", "assets/large-0a.wasm", "index.html"]
    with server.raw(receive_buffer=4096) as client:
        client.send("".join(f"GET /console/{path} HTTP/1.1\r\nHost: localhost\r\n\r\n" for path in paths))
        for path in paths:
            response = client.read_response()
            assert response.status == 200
            assert hashlib.sha256(response.body).digest() == hashlib.sha256(FILES[path]).digest()


def test_a_client_that_does_not_read_costs_a_piece_and_is_dropped(server):
    request = b"GET /console/assets/large-0a.wasm HTTP/1.1\r\nHost: localhost\r\n\r\n"
    connections = server.metrics().total("carillon_http_connections")
    with server.grows_by_less_than(16 * 1024 * 1024):
        clients = [server.raw(receive_buffer=4096) for _ in range(20)]
        for client in clients:
            client.send(request * 20)
        # What comes next does not wait for them.
        assert ask(server, "/console/assets/large-0a.wasm")[2] == LARGE
        until(lambda: server.metrics().total("carillon_http_connections") <= connections, 30, "the end of the stalled")
    for client in clients:
        client.close()


# --- what is served ----------------------------------------------------------------------------------------------


def test_it_is_read_at_start_and_never_again(carillon, tmp_path):
    pages = make_pages(tmp_path / "pages")
    server = carillon({"console": {"directory": str(pages)}}).start()
    (pages / "index.html").write_text("later")
    (pages / "new.html").write_text("later")
    assert ask(server, "/console/")[2] == FILES["index.html"]
    assert ask(server, "/console/new.html")[0] == 404
    (line,) = [line for line in server.log_lines() if line["event"] == "console served"]
    assert (line["directory"], line["files"], line["left_out"]) == (str(pages), len(FILES), 0)
    server.stop()
    server.start()
    assert ask(server, "/console/")[2] == b"later"


def test_it_is_not_served_where_it_is_off(carillon, tmp_path):
    pages = make_pages(tmp_path / "pages")
    server = carillon({"console": {"enabled": False, "directory": str(pages)}}).start()
    for path in ("/console", "/console/", "/console/index.html"):
        assert ask(server, path)[0] == 404


def test_the_administrators_port_has_no_console(server):
    assert server.admin_status("/console/") == 404


def test_a_folder_that_is_no_console_is_refused_with_its_line(carillon, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in ("empty", "nothing"):
        server = carillon({"console": {"directory": str(tmp_path / folder)}})
        with pytest.raises(StartFailed) as failure:
            server.start()
        line = server.config_path.read_text().splitlines().index(f'directory = "{tmp_path / folder}"') + 1
        assert (
            f"carillon.toml:{line}: console.directory: cannot read {tmp_path / folder}/index.html"
            in failure.value.output
        )


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({f"{i}.txt": b"" for i in range(257)}, "has more than 256 files"),
        ({"large.js": b" " * (4 * 1024 * 1024 + 1)}, "large.js has more than 4194304 bytes"),
    ],
)
def test_a_folder_beyond_the_bounds_is_refused(carillon, tmp_path, files, why):
    pages = make_pages(tmp_path / "pages", {"index.html": b"", **files})
    with pytest.raises(StartFailed) as failure:
        carillon({"console": {"directory": str(pages)}}).start()
    assert failure.value.code == 1
    assert "the console cannot be served: " in failure.value.output and why in failure.value.output
