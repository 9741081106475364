"""What a document asks its reader to do: its fenced blocks in order, each with its mark and the output it promises.

A mark is a comment on a line of its own, right before the block. It is for the tests, and readers do not see it:

    <!-- not run: REASON -->         the reader can, a test cannot
    <!-- goes on after: TEXT -->     runs beside all that follows; what follows waits until it has printed TEXT
    <!-- Ctrl-C after: TEXT -->      goes on for ever, and is ended as by Ctrl-C once it has printed TEXT
    <!-- browser shows: TEXT -->     the block, or the last word that it prints, is the address of a page showing TEXT

A block of the language `text` is what the block before it prints. `...` stands for anything within its line, and as a
line for any number of lines.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

FENCE = re.compile(r"(`{3,})(\S*)\s*$")
MARK = re.compile(r"<!-- (not run|goes on after|Ctrl-C after|browser shows): (.+) -->$")
FILE = re.compile(r"`([\w./-]+\.[a-z]+)`[^`]*:$")
LIST_ITEM = re.compile(r"\s*([-*]|\d+\.) ")


@dataclass(frozen=True)
class Block:
    """`file`: the name under which the reader saves it, which ends the paragraph before it: "`carillon.toml`:"."""

    line: int
    language: str
    text: str
    mark: str | None = None
    wanted: str = ""
    file: str | None = None
    output: str | None = None


class Malformed(Exception):
    """The document cannot be followed. Says where."""


def blocks_of(path: Path) -> list[Block]:
    blocks: list[Block] = []
    opened: Block | None = None
    fence, before, mark = "", "", None
    in_list = False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if opened is not None:
            if line == fence:
                _add(blocks, opened)
                opened, before, mark = None, "", None
            else:
                opened = replace(opened, text=f"{opened.text}{line}\n")
        elif found := FENCE.match(line):
            fence, language = found.groups()
            kind, wanted = mark.groups() if mark else (None, "")
            file = FILE.search(before)
            opened = Block(number, language, "", kind, wanted, file.group(1) if file else None)
        elif line.strip():
            if mark is not None:
                raise Malformed(f"{path.name}:{number}: a mark stands right before its block")
            mark = MARK.match(line)
            in_list = bool(LIST_ITEM.match(line)) or (in_list and line.startswith("  "))
            if (line.startswith("    ") and not in_list) or "```" in line or (line.startswith("<!-- ") and not mark):
                raise Malformed(f"{path.name}:{number}: a block is fenced, and of the marks that there are")
            if mark is None:
                before = line
    if opened is not None:
        raise Malformed(f"{path.name}:{opened.line}: the block does not end")
    return blocks


def _add(blocks: list[Block], block: Block) -> None:
    if block.language == "text" and block.mark is None:
        if not blocks or blocks[-1].output is not None:
            raise Malformed(f"line {block.line}: there is no block of which this would be the output")
        blocks[-1] = replace(blocks[-1], output=block.text)
    else:
        blocks.append(block)


def is_output(expected: str, actual: str) -> bool:
    """Whether the whole of `actual` is what the document says."""
    lines = [
        r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected.splitlines()
    ]
    return re.fullmatch("".join(lines), actual if actual.endswith("\n") else actual + "\n") is not None
