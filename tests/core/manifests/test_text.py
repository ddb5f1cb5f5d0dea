"""Bytes of a file before they are parsed. What is refused in files is tested with the loader."""

import pytest

from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.text import text_problems, value_problem, without_bom


def test_every_bad_character_is_found() -> None:
    """Each has its line and column; columns count characters, not bytes."""
    found = text_problems("a.yaml", "é\u200bx\n\u202e\n".encode())
    assert [(problem.place.line, problem.place.column) for problem in found if problem.place] == [(1, 2), (2, 1)]


@pytest.mark.parametrize("text", ["ä ö ü ß", "日本語", "emoji 🚀", "tab\tand\r\nbreaks"])
def test_visible_text_of_any_language_is_fine(text: str) -> None:
    """Annotations and comments may be written in it."""
    assert list(text_problems("a.yaml", text.encode())) == []
    assert value_problem(text) is None


def test_one_byte_order_mark_is_taken_away() -> None:
    """A second one is an invisible character."""
    assert without_bom(b"\xef\xbb\xbfa") == b"a"
    assert [problem.code for problem in text_problems("a.yaml", b"\xef\xbb\xbf\xef\xbb\xbfa")] == [Code.INVISIBLE]
