"""What is shown of a commit: anything may stand in it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.source_git.commits import parse_commit
from reconciler.adapters.tree.words import MAX_TEXT

PLAIN = b"tree %s\nauthor Ada <ada@example.com> 1772366400 +0100\ncommitter X <x@y> 1 +0000\n\nThe subject\n\nThe body\n" % (
    b"a" * 40
)


def test_a_plain_commit() -> None:
    """Author, time in UTC, and the first line."""
    commit = parse_commit(PLAIN)
    assert (commit.author, commit.subject) == ("Ada <ada@example.com>", "The subject")
    assert commit.time == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert commit.signatures == ()


def test_signatures_are_unfolded() -> None:
    """Each header's value with its lines, in order; those of a merged tag are not the commit's."""
    head, _, body = PLAIN.partition(b"\n\n")
    signed = head + b"\ngpgsig -----BEGIN\n one\n \n two\ngpgsig-sha256 other\nmergetag object x\n gpgsig fake\n\n" + body
    assert parse_commit(signed).signatures == ("-----BEGIN\none\n\ntwo\n", "other\n")


@pytest.mark.case("G-17")
@pytest.mark.parametrize(
    ("when", "year"),
    [(b"0 +0000", 1970), (b"4070908800 +0000", 2099), (b"-1 +0000", 1969), (b"9" * 40 + b" +0000", None), (b"x", None)],
)
def test_any_date_is_survived(when: bytes, year: int | None) -> None:
    """Dates are shown and decide nothing."""
    time = parse_commit(PLAIN.replace(b"1772366400 +0100", when)).time
    assert (time.year if time else None) == year


@pytest.mark.case("G-17")
def test_text_is_neutralised() -> None:
    """Controls, escapes and direction marks become question marks; markup stays text for the page to escape."""
    hostile = PLAIN.replace(b"Ada", "\x1b[2J\x07<script>\u202e\u200bé".encode()).replace(
        b"The subject", b"a\rb\x9b\xff" + b"c" * 500
    )
    commit = parse_commit(hostile)
    assert commit.author == "?[2J?<script>??é <ada@example.com>"
    assert commit.subject.startswith("a?b")
    assert len(commit.subject) == MAX_TEXT
    assert commit.subject.isprintable()


@pytest.mark.case("G-17")
def test_a_long_author_line_costs_no_more_than_its_length() -> None:
    """The line that took quadratic time elsewhere."""
    commit = parse_commit(b"author " + b"a" * 100 + b"<" * 60_000 + b"\n\nx")
    assert len(commit.author) == MAX_TEXT


@given(st.binary(max_size=300))
def test_any_bytes_are_a_commit(data: bytes) -> None:
    """Whatever a server sends, nothing is raised and everything fits on a line."""
    for text in (data, PLAIN + data, data + PLAIN):
        commit = parse_commit(text)
        assert (commit.author + commit.subject).isprintable()
