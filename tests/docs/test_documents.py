"""Every code block of the documents, as their readers run it."""

import re
import shutil

import pytest

from checkout import ROOT, Checkout
from document import blocks_of
from reader import Reader, Wrong

READ = [
    "README.md",
    *(f"docs/guides/{who}.md" for who in ("front-end", "operator", "trader", "trading-agent")),
    "clients/python/README.md",
    "clients/typescript/README.md",
    "console/README.md",
    "contract/README.md",
]
TRANSLATION = "README.zh-CN.md"
# A run of all tests, a build, an identity service, systemd, a piece of a page. There are to be fewer, not more.
NOT_RUN_MAX = 5
WORK = ROOT / "build/docs"


@pytest.mark.parametrize("name", READ)
def test_what_a_document_says_is_so(name):
    folder = WORK / name.removesuffix(".md").replace("/", "-")
    with Reader(Checkout(folder)) as reader:
        for block in blocks_of(ROOT / name):
            try:
                reader.do(block)
            except Wrong as wrong:
                pytest.fail(f"{name}:{block.line}: {wrong}", pytrace=False)
    shutil.rmtree(folder)  # what failed is there to be looked at


def test_few_blocks_are_not_run_and_each_says_why():
    reasons = [block.wanted for name in READ for block in blocks_of(ROOT / name) if block.mark == "not run"]
    assert len(reasons) <= NOT_RUN_MAX, reasons


def test_the_translation_has_the_same_blocks_and_links():
    def said(name: str) -> list[tuple[str | None, ...]]:
        return [(block.language, block.text, block.mark, block.output) for block in blocks_of(ROOT / name)]

    def linked(name: str) -> list[str]:
        return sorted(target.replace(".zh-CN", "") for target in links(name) if not target.endswith(".png"))

    assert said(TRANSLATION) == said("README.md")
    assert linked(TRANSLATION) == linked("README.md")


def links(name: str) -> list[str]:
    """The paths that a document links to, and those of its pictures."""
    text = (ROOT / name).read_text()
    return re.findall(r"""(?:\]\(|src="|srcset=")(?!https?:)([^)#\s"]+)""", text)


@pytest.mark.parametrize("name", [*READ, TRANSLATION, "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/operations.md"])
def test_links_lead_somewhere(name):
    for target in links(name):
        assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"


def test_every_guide_is_read():
    guides = {str(path.relative_to(ROOT)) for path in (ROOT / "docs/guides").glob("*.md")}
    assert guides <= set(READ)


def test_the_traders_guide_uses_the_console_s_words():
    """What stands in bold there is what the page says."""
    words = (ROOT / "console/src/text/en.ts").read_text()
    for word in re.findall(r"\*\*(.+?)\*\*", (ROOT / "docs/guides/trader.md").read_text()):
        assert f"'{word}'" in words or f"`{word}" in words, f"the console does not say {word}"
