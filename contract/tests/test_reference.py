"""The reference pages: what is in them, and that they need nothing that a strict policy forbids."""

import html.parser
import json
import subprocess

import pytest
import yaml
from validation import FOLDER, SCHEMAS

VOID = {"meta", "link", "br"}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.titles, self.text = [], [], [], [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append((tag, attributes))
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes["href"]] if "href" in attributes else []
        if tag not in VOID:
            self.open.append(tag)
        if tag == "th":
            self.titles.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "th" in self.open:
            self.titles[-1] += data


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    out = tmp_path_factory.mktemp("reference") / "made" / "here"
    subprocess.run(["node", FOLDER / "reference" / "build.mjs", "--out", out], check=True, capture_output=True)
    assert {path.name for path in out.iterdir()} == {
        "index.html",
        "websocket.html",
        "rest.html",
        "events.html",
        "reference.css",
    }
    return {path.name: Page(path.read_text()) for path in out.glob("*.html")}


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(pages):
    for name, page in pages.items():
        for tag, attributes in page.tags:
            assert tag not in ("script", "style", "iframe", "img"), name
            assert not any(key == "style" or key.startswith("on") for key in attributes), name
        assert not any(":" in link or link.startswith("/") for link in page.links), name


def test_every_column_has_a_title(pages):
    for name, page in pages.items():
        assert page.tags.count(("th", {"scope": "col"})) == sum(tag == "th" for tag, _ in page.tags), name
        assert "" not in page.titles, name


def test_every_link_leads_somewhere(pages):
    for name, page in pages.items():
        assert len(page.ids) == len(set(page.ids)), name
        for link in page.links:
            target, _, anchor = link.partition("#")
            assert target in ("reference.css", "../favicon.svg") or target in pages or not target, link
            assert not anchor or anchor in pages[target or name].ids, link


def test_every_message_and_close_code_is_there(pages):
    page = pages["websocket.html"]
    for message in yaml.safe_load((FOLDER / "asyncapi.yaml").read_text())["components"]["messages"].values():
        assert message["title"] in page.text
    for row in json.loads((FOLDER / "vectors" / "close_codes.json").read_text())["codes"]:
        assert f"{row['code']}{row['meaning']}" in page.text


def test_every_call_is_there(pages):
    for path, methods in yaml.safe_load((FOLDER / "openapi.yaml").read_text())["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in pages["rest.html"].text


@pytest.mark.parametrize("event", ["new_trade_signal", "order_update", "system_alert"])
def test_every_member_is_there_with_digits_as_they_are(pages, event):
    for name in SCHEMAS[f"{event}.schema.json"]["properties"]:
        assert name in pages["events.html"].text and name in pages["websocket.html"].text
    assert '"entry_price":64000.10,' in pages["events.html"].text
    assert "undefined" not in "".join(page.text for page in pages.values())
