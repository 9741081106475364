"""A copy of the checkout as a document's reader has it, with a built server, and on ports of its own."""

import contextlib
import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

sys.path.insert(0, str(ROOT / "tests"))

from ports import free_ports  # noqa: E402

BINARY = Path(os.environ["CARILLON_BINARY"]).resolve()
CONSOLE = Path(os.environ["CARILLON_CONSOLE"]).resolve()
NOT_COPIED = ("build", "node_modules", "dist", ".git", ".carillon", ".venv", "__pycache__", "fuzz")

NOT_INHERITED = re.compile("CARILLON_|PYTHON|VIRTUAL_ENV|npm_")

# The ports that the documents name. All else that a test changes in them is in `Ports`.
DOCUMENTED = (8443, 8444, 8453, 8454, 8000, 6380)

# What the server takes for granted where it is not told, and the documents do not tell it.
DEFAULTS = """#!/bin/bash
case "$1 $*" in
  *" --url "* | *" --admin "* | *" --config "* | *" --help"*) ;;
  publish* | tail* | dead-letters*) set -- "$@" --url https://127.0.0.1:8443 ;;
  stats*) set -- "$@" --admin 127.0.0.1:8444 ;;
esac
exec SERVER "$@"
"""


class Ports:
    """Puts free ports in the place of those that the documents name, in what is run, and back in what comes of it."""

    def __init__(self) -> None:
        self._free = dict(zip(map(str, DOCUMENTED), map(str, free_ports(len(DOCUMENTED))), strict=True))
        self._documented = {free: documented for documented, free in self._free.items()}

    def to_free(self, text: str) -> str:
        return self._exchange(self._free, text)

    def to_documented(self, text: str) -> str:
        return self._exchange(self._documented, text)

    @staticmethod
    def _exchange(ports: dict[str, str], text: str) -> str:
        return re.sub(rf"(?<![\d.])({'|'.join(ports)})(?!\d)", lambda found: ports[found[0]], text)


def _not_copied(parent: str, names: list[str]) -> list[str]:
    return [name for name in names if name in NOT_COPIED and Path(parent, name).is_dir()]


def _copy(source: str, target: str) -> None:
    # Other tests run meanwhile, whose tools put files here and take them away.
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)


class Checkout:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = Ports()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT, folder, symlinks=True, ignore=_not_copied, copy_function=_copy)
        self._put_modules()
        self._put_build()
        self._skip_installing()
        for script in ("quickstart", "examples/three-nodes"):
            self.write(script, self.ports.to_free((folder / script).read_text()))

    @property
    def environment(self) -> dict[str, str]:
        """As in a terminal that nobody has set anything in, apart from the programs that install."""
        kept = {
            name: value for name, value in os.environ.items() if not re.match("CARILLON_|PYTHON|VIRTUAL_ENV|npm_", name)
        }
        own = {"PATH": f"{self.folder}/.installed:{kept['PATH']}", "TERM": "dumb", "PYTHONUNBUFFERED": "1"}
        return {**kept, **own, "CHROMIUM": os.environ["CARILLON_CHROMIUM"]}

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            mode = path.stat().st_mode
        path.write_text(text)
        path.chmod(mode)

    def _put_modules(self) -> None:
        """What is installed already need not come again. Links: it is a lot, and nobody writes into it."""
        for name in ("console", "contract"):
            lock, modules = ROOT / name / "package-lock.json", ROOT / name / "node_modules"
            installed = modules / ".installed"
            if installed.exists() and installed.read_bytes() == lock.read_bytes():
                shutil.copytree(modules, self.folder / name / "node_modules", symlinks=True, copy_function=os.link)

    def _put_build(self) -> None:
        build = self.folder / "build/release"
        build.mkdir(parents=True)
        shutil.copy(BINARY, build / "server")
        (build / "console").symlink_to(CONSOLE)
        (build / "build.ninja").touch()
        self.write("build/release/carillon", self.ports.to_free(DEFAULTS.replace("SERVER", f"'{build}/server'")), 0o755)

    def _skip_installing(self) -> None:
        """What `./quickstart` installs and builds is there."""
        self.write("packaging/apt/install", "#!/bin/sh\n")
        self.write(".installed/cmake", "#!/bin/sh\n", 0o755)
