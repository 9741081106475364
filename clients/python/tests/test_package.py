"""The package as its users get it: typed, installed from its wheel, with a README that is true."""

import json
import os
import re
import subprocess
import sys
import venv

import pytest
from harness.server import BINARY, OTHER_ENVIRONMENT
from harness.waiting import until
from paths import BLACKBOX, PACKAGE
from ports import free_ports

BLOCKS = re.findall(r"^```python\n(.*?)^```", (PACKAGE / "README.md").read_text(), re.DOTALL | re.MULTILINE)
PORT = 8443  # as the README has it


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        **options,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_package_is_typed(tmp_path):
    run(sys.executable, "-m", "mypy", "--cache-dir", tmp_path, cwd=PACKAGE)


def test_the_readme_is_typed(tmp_path):
    files = []
    for number, block in enumerate(BLOCKS):
        files.append(tmp_path / f"block_{number}.py")
        files[-1].write_text(block)
    environment = {**os.environ, "MYPYPATH": str(PACKAGE / "src")}
    run(
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--cache-dir",
        tmp_path / "cache",
        *files,
        env=environment,
        cwd=tmp_path,
    )


def test_the_code_is_formatted():
    run(sys.executable, "-m", "ruff", "format", "--no-cache", "--check", ".", cwd=PACKAGE)
    run(sys.executable, "-m", "ruff", "check", "--no-cache", ".", cwd=PACKAGE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The interpreter of an empty environment with the package and what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    build = "import hatchling.build as b, sys; print(b.build_wheel(sys.argv[1]))"
    wheel = run(sys.executable, "-c", build, folder, cwd=PACKAGE).split()[-1]
    venv.create(folder / "venv", with_pip=True)
    python = folder / "venv/bin/python"
    pins = [word for file in (PACKAGE, BLACKBOX) for word in ("-c", file / "requirements.txt")]
    run(python, "-m", "pip", "install", "--quiet", *pins, folder / wheel)
    return python


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """A folder with a development server's keys in .carillon, as ./quickstart makes it, and the server's port."""
    folder, (port, admin_port) = tmp_path_factory.mktemp("quickstart"), free_ports(2)
    environment = {
        **OTHER_ENVIRONMENT,
        "CARILLON_SERVER_LISTEN": f"127.0.0.1:{port}",
        "CARILLON_SERVER_ADMIN_LISTEN": f"127.0.0.1:{admin_port}",
        "CARILLON_SERVER_DRAIN_WINDOW": "0",
    }
    said = folder / "said"
    with open(said, "wb") as out:
        server = subprocess.Popen(
            [BINARY, "serve", "--dev", "--dir", ".carillon"], cwd=folder, env=environment, stdout=out, stderr=out
        )
    until((folder / ".carillon/ca.pem").exists, 20, "the development keys")
    yield folder, port
    server.terminate()
    assert server.wait(20) == 0, said.read_text()


def block_at(index, port):
    assert f":{PORT}" in BLOCKS[index]
    return BLOCKS[index].replace(f":{PORT}", f":{port}")


def test_the_wheel_holds_the_types_and_one_version(installed):
    code = "import carillon, importlib.metadata as m, pathlib; p = pathlib.Path(carillon.__file__).parent; "
    code += "import json; print(json.dumps([(p / 'py.typed').exists(), carillon.__version__, m.version('carillon')]))"
    typed, version, said = json.loads(run(installed, "-c", code))
    assert typed
    assert version == said


def test_the_readme_s_first_example_runs_as_printed(installed, quickstart):
    folder, port = quickstart
    said = run(installed, "-c", block_at(0, port), cwd=folder)
    assert re.match(r"Published\(accepted=1, duplicates=0, position='j.*', ids=\('[0-9a-f-]{36}',\)\)", said)


def test_the_readme_s_outbox_sends(installed, quickstart):
    folder, port = quickstart
    said = run(installed, "-c", block_at(2, port), cwd=folder)
    assert said == "Counts(queued=0, sent=1, dropped=0, refused=0)\n"


def test_the_readme_s_subscription_prints_what_is_published(installed, quickstart):
    folder, port = quickstart
    said = folder / "received"
    with open(said, "wb") as out:
        watcher = subprocess.Popen([installed, "-c", block_at(3, port)], cwd=folder, stdout=out, stderr=out)
    try:
        until(lambda: "events, true at" in said.read_text(), 20, "a live subscription")
        run(installed, "-c", block_at(0, port).replace("o-7", "o-8"), cwd=folder)
        until(lambda: "order_id='o-8'" in said.read_text(), 20, "the order")
    finally:
        watcher.kill()
        watcher.wait()


@pytest.mark.parametrize("extra", ["redis", "kafka", "rabbitmq", "nats"])
def test_a_missing_extra_says_what_to_install(installed, extra):
    code = f"import carillon\ntry: import carillon.{extra}\nexcept carillon.MissingExtra as error: print(error)"
    assert f"pip install 'carillon[{extra}]'" in run(installed, "-c", code)
