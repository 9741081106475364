"""Somebody who does what a document says, block after block, and compares what comes of it."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from checkout import ROOT, Checkout
from document import Block, is_output

PATIENCE = 300  # seconds for a block; where installing is a part of it, a slow network is one too
OPEN_PAGE = ROOT / "tests/docs/open_page.mjs"
ENDED_BY_CTRL_C = (0, 130, -signal.SIGINT)


class Wrong(AssertionError):
    """What the document says is not so."""


class Running:
    """A program in a process group of its own, with what it has printed."""

    def __init__(self, command: list[str], checkout: Checkout, said: Path) -> None:
        self._said = said
        with said.open("wb") as out:
            self._process = subprocess.Popen(
                command,
                cwd=checkout.folder,
                env=checkout.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text(errors="replace")

    def wait(self) -> int:
        return self._process.wait(PATIENCE)

    def wait_for(self, text: str) -> None:
        give_up = time.monotonic() + PATIENCE
        while text not in self.said:
            if self._process.poll() is not None and text not in self.said:
                raise Wrong(f"it ended with {self._process.returncode}, and never printed {text!r}")
            if time.monotonic() > give_up:
                raise Wrong(f"it did not print {text!r} within {PATIENCE} s")
            time.sleep(0.02)

    def press_ctrl_c(self) -> int:
        self._signal(signal.SIGINT)
        return self.wait()

    def end(self) -> None:
        """It, and what it has left running."""
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


class Reader:
    """Has a checkout; ends all that was started in it with the `with` block."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        self._running: list[Running] = []
        self._count = 0

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        for each in reversed(self._running):
            each.end()

    def do(self, block: Block) -> None:
        """Raises Wrong."""
        if block.mark == "not run":
            return
        if block.file is not None:
            self._checkout.write(block.file, self._checkout.ports.to_free(block.text))
        elif block.language == "json":
            json.loads(block.text)
        elif block.language == "text":
            self._open(block.text.strip(), block.wanted)
        else:
            self._run(block)

    def _run(self, block: Block) -> None:
        running = self._start(self._command(block))
        with self._told(running):
            if block.mark == "goes on after":
                running.wait_for(block.wanted)
            elif block.mark == "Ctrl-C after":
                running.wait_for(block.wanted)
                self._must_end(running.press_ctrl_c(), ENDED_BY_CTRL_C)
            else:
                self._must_end(running.wait(), (0,))
            said = self._checkout.ports.to_documented(running.said)
            if block.output is not None and not is_output(block.output, said):
                raise Wrong(f"it does not print what the document says, which is\n{block.output}")
        if block.mark == "browser shows":
            self._open(running.said.split()[-1], block.wanted)

    def _command(self, block: Block) -> list[str]:
        text = self._checkout.ports.to_free(block.text)
        if block.language == "sh":
            return ["bash", "-e", "-c", text]
        if block.language == "python":
            return [".venv/bin/python", "-c", text]
        raise Wrong(f"nobody can run {block.language or 'what has no language'} that has no file's name")

    def _open(self, address: str, text: str) -> None:
        page = self._start(["node", str(OPEN_PAGE), self._checkout.ports.to_free(address), text])
        with self._told(page):
            self._must_end(page.wait(), (0,))

    def _start(self, command: list[str]) -> Running:
        self._count += 1
        running = Running(command, self._checkout, self._checkout.folder / f".said-{self._count}")
        self._running.append(running)
        return running

    @staticmethod
    def _must_end(code: int, codes: tuple[int, ...]) -> None:
        if code not in codes:
            raise Wrong(f"it ended with {code}")

    @staticmethod
    @contextlib.contextmanager
    def _told(running: Running) -> Iterator[None]:
        try:
            yield
        except (Wrong, subprocess.TimeoutExpired) as wrong:
            raise Wrong(f"{wrong}\nIt printed\n{running.said[-4000:]}") from None
