"""A document that is wrong is noticed."""

import pytest

from document import Malformed, blocks_of, is_output
from reader import Reader, Wrong


class Folder:
    """A checkout with nothing in it."""

    def __init__(self, folder):
        self.folder, self.environment, self.ports = folder, {"PATH": "/usr/bin:/bin"}, self

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def to_free(self, text):
        return text.replace("8443", "9443")

    def to_documented(self, text):
        return text.replace("9443", "8443")


def read(tmp_path, text):
    document = tmp_path / "document.md"
    document.write_text(text)
    with Reader(Folder(tmp_path)) as reader:
        for block in blocks_of(document):
            reader.do(block)


@pytest.mark.parametrize(
    "text",
    [
        "```sh\ntrue\n```\n",
        "```sh\necho 8443; echo and more\n```\n\n```text\n8443\n...\n```\n",
        "`a.json`:\n\n```json\n[8443]\n```\n\n```sh\ngrep 9443 a.json\n```\n",
        "<!-- not run: it needs the moon -->\n```sh\nfalse\n```\n",
        "<!-- goes on after: ready -->\n```sh\necho ready; sleep 60\n```\n\n```sh\ntrue\n```\n",
        "<!-- Ctrl-C after: ready -->\n```sh\necho ready; sleep 60\n```\n",
        "- an item\n    that goes on\n",
    ],
)
def test_true(tmp_path, text):
    read(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nfalse\ntrue\n```\n",
        "```sh\necho one\n```\n\n```text\ntwo\n```\n",
        "<!-- goes on after: ready -->\n```sh\necho never\n```\n",
        "<!-- Ctrl-C after: ready -->\n```sh\ntrap '' INT; echo ready; exit 3\n```\n",
        "```ruby\nputs 1\n```\n",
        "```\ntrue\n```\n",
    ],
)
def test_wrong(tmp_path, text):
    with pytest.raises(Wrong):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "text",
    [
        "Do this:\n\n    ./it\n",
        "- do\n\n   ```sh\n   true\n   ```\n",
        "<!-- not run: it needs the moon -->\nAnd then:\n\n```sh\ntrue\n```\n",
        "<!-- is not run: it needs the moon -->\n```sh\ntrue\n```\n",
        "```text\nof nothing\n```\n",
        "```sh\ntrue\n",
    ],
)
def test_malformed(tmp_path, text):
    with pytest.raises(Malformed):
        read(tmp_path, text)


def test_output():
    assert is_output("a ... c\n", "a b c\n")
    assert is_output("...\nlast\n", "last\n") and is_output("...\nlast\n", "first\nsecond\nlast\n")
    assert not is_output("a\n", "a\nb\n") and not is_output("a ... c\n", "a b\nc\n") and not is_output("1.5\n", "1x5\n")
