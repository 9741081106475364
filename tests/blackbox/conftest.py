"""Fixtures of the black-box tests. A module says how its server is configured in a dictionary CONFIG."""

import itertools
import os
import pathlib
import time

import pytest

from harness import pki, tokens
from harness.neighbour import Neighbour
from harness.server import BINARY, ROOT, SANITIZED, Carillon
from harness.waiting import until


def pytest_configure():
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"no server binary at {BINARY}; set CARILLON_BINARY", returncode=2)


@pytest.fixture(scope="session")
def keys():
    return tokens.Keys()


@pytest.fixture(scope="session")
def authority():
    return pki.Authority()


@pytest.fixture(scope="session")
def vectors():
    path = pathlib.Path(os.environ.get("CARILLON_VECTORS", ROOT.parent / "shared" / "vectors"))
    if not path.is_dir():
        pytest.skip(f"no test vectors at {path}; set CARILLON_VECTORS")
    return path


@pytest.fixture(scope="module")
def server(request, tmp_path_factory, keys, authority):
    """The module's own server, running."""
    directory = tmp_path_factory.mktemp(request.module.__name__)
    server = Carillon(directory, keys, authority, getattr(request.module, "CONFIG", {})).start()
    yield server
    code = server.stop() if server.is_running() else None
    server.assert_clean()
    assert code in (0, None), f"the server ended with exit code {code}"


@pytest.fixture
def carillon(tmp_path, keys, authority):
    """Makes servers for one test: carillon(config) configures one, which the test starts."""
    made = []
    numbers = itertools.count()

    def make(config=None, directory=None):
        server = Carillon(directory or tmp_path / f"server-{next(numbers)}", keys, authority, config)
        made.append(server)
        return server

    yield make
    for server in made:
        if server.is_running():
            server.stop()
    for server in made:
        server.assert_clean()


@pytest.fixture(scope="module")
def neighbour(server):
    neighbour = Neighbour(server)
    yield neighbour
    neighbour.close()


@pytest.fixture
def undisturbed(server, neighbour):
    """What holds for every adversarial case: another user's stream goes on, and everything is given back after."""
    start = time.monotonic()
    connections, files, resident = server.connections(), server.open_files(), server.resident_bytes()
    yield
    assert server.is_running(), f"the server ended: {server.output()[-2000:]}"
    neighbour.check(start)
    until(lambda: server.connections() <= connections, 5, "the connections gauge's return to its baseline")
    until(lambda: server.open_files() <= files, 5, "the descriptors' return to their baseline")
    if not SANITIZED:
        until(lambda: server.resident_bytes() <= resident + 8 * 1024 * 1024, 5, "the memory's return to its baseline")
