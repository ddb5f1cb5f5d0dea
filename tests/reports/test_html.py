"""The report as one HTML file, read back by a parser."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from reconciler.core.report import Report
from reconciler.reports import html
from tests.reports import extremes, samples

SAMPLES = [pytest.param(report, id=name) for name, report in extremes.everything()]
TAGS = frozenset(
    {"html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "dl", "dt", "dd", "div", "span", "p", "b", "i"}
    | {"code", "pre", "table", "tr", "th", "td", "details", "summary", "ol", "li"}
)
ATTRIBUTES = frozenset({"class", "style", "open", "value", "lang", "charset", "name", "content", "http-equiv"})
NEVER_CLOSED = frozenset({"meta"})


class Page(HTMLParser):
    """Collects what a browser would see: tags, attributes, texts; fails where tags do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()
        self.text: dict[str, str] = {}
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(attrs)
        if tag not in NEVER_CLOSED:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        tag = self.open[-1] if self.open else ""
        self.text[tag] = self.text.get(tag, "") + data


@pytest.mark.case("W-08", "D-11")
@pytest.mark.parametrize("report", SAMPLES)
def test_nothing_of_others_is_markup(report: Report) -> None:
    """No tag, attribute or style that the template has not; no script, link or outside resource at all."""
    page = Page(html.text(report))
    assert page.tags <= TAGS
    assert {name for name, _ in page.attributes} <= ATTRIBUTES
    styles = [value or "" for name, value in page.attributes if name == "style"]
    assert all(re.fullmatch(r"width:\d+\.\d+%", style) for style in styles)
    classes = {value or "" for name, value in page.attributes if name == "class"}
    assert all(re.fullmatch(r"[a-z -]+", one) for one in classes)


def test_nothing_may_be_loaded_or_run() -> None:
    """Should something slip through one day, the policy of the page still stops it."""
    page = Page(html.text(samples.migration()))
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    assert ("content", policy) in page.attributes
    assert "url(" not in page.text["style"]


@pytest.mark.case("W-17")
@pytest.mark.parametrize("report", SAMPLES)
def test_every_character_can_be_seen(report: Report) -> None:
    """Nothing turns, hides or breaks the text; the file is valid UTF-8."""
    text = html.text(report)
    assert all(line.isprintable() for line in text.split("\n"))
    text.encode()


def test_texts_of_others_are_there_to_read() -> None:
    """Shown, not swallowed."""
    page = Page(html.text(replace(extremes.hostile(), results=())))
    assert "<script>alert(1)</script>" in page.text["td"]
    assert "Refused: 8 guards" in page.text["title"]
    assert "<script>" in page.text["pre"]


@pytest.mark.case("D-11")
def test_secrets_are_hidden() -> None:
    """In cells, too."""
    assert "s3cr3t" not in html.text(extremes.hostile())


def test_units_that_want_a_person_are_open() -> None:
    """Of many units only these; of few all."""
    assert html.text(samples.migration()).count('<details class="unit" open>') == 3
    large = html.text(extremes.large(60))
    assert large.count('<details class="unit">') == 60
    assert "vm 75.0 % (6), pod 25.0 % (2) → vm 96.4 % (6), pod 3.6 % (2)" in large


def test_names_that_are_folded_can_be_unfolded() -> None:
    """The page holds all of them."""
    page = Page(html.text(extremes.large(1, 40)))
    assert all(f"service-0-vm-{number} " in page.text["code"] for number in range(39))


@pytest.mark.case("D-10")
def test_a_page_has_a_bound() -> None:
    """Units beyond it are counted; what waits is shown all the same."""
    text = html.text(extremes.large(html.MAX_GROUPS + 50, 1))
    assert "… and 50 units more; the JSON report has them all." in text
    assert len(html.text(extremes.huge())) < 100_000


def test_traffic_is_drawn() -> None:
    """One piece of the bar for each endpoint, as wide as its share."""
    page = Page(html.text(samples.migration()))
    widths = sorted(value or "" for name, value in page.attributes if name == "style")
    assert widths == ["width:3.333%", "width:30.000%", "width:50.000%"]
