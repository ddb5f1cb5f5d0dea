"""What others say is shown on one line."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.tree.words import MAX_TEXT, printable, said


@given(st.binary(max_size=2000))
def test_printable_is_printable_and_short(data: bytes) -> None:
    """Also when a cut falls into the middle of a character."""
    shown = printable(data)
    assert shown.isprintable()
    assert len(shown) <= MAX_TEXT


def test_the_end_of_what_a_program_says_is_kept() -> None:
    """Its last four lines, on one; without those that say nothing."""
    assert said("a\n\nb\nc\nwarning: x\nd\ne\n", ("warning:",)) == "b; c; d; e"
    assert said("one\n  two\t\x1b[31m\n") == "one; two ?[31m"
    assert said("") == ""
