"""Tables for those who do not sit at a terminal."""

import pytest

from reconciler.reports import tables
from tests.reports.extremes import HOSTILE


def test_a_table_in_markdown() -> None:
    """Under its title; what others wrote is text."""
    assert tables.markdown("runs", ("run", "when"), [("1", "now"), ("2", "a|b @all")]).splitlines() == [
        "### mesh-reconciler: runs",
        "",
        "| run | when |",
        "| --- | --- |",
        "| 1 | now |",
        "| 2 | a\\|b `@`all |",
    ]


def test_a_table_as_a_page() -> None:
    """One file that asks for nothing; a head only where one was given."""
    page = tables.html("runs", ("run", "when"), [("1", "<b>")])
    assert page.startswith("<!doctype html>")
    assert "<tr><th>run</th><th>when</th></tr>" in page
    assert "<tr><td>1</td><td>&lt;b&gt;</td></tr>" in page
    assert "<th>" not in tables.html("target a", ("", ""), [("writer", "me")])
    assert "http" not in page.replace("http-equiv", "")


@pytest.mark.case("W-17")
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_of_others_steers_a_reader(text: str) -> None:
    """In both forms, title included."""
    for made in (tables.markdown(text, ("a",), [(text,)]), tables.html(text, ("a",), [(text,)])):
        assert all(line.isprintable() for line in made.split("\n"))
        assert "<script" not in made
