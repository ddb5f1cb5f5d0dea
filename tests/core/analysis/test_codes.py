"""The codes of the analysis."""

import re

from reconciler.core.analysis import Code


def test_codes_are_distinct_and_explained() -> None:
    """Each has its own number under MR3, and one line that says what it means."""
    assert len(Code) == len(Code.__members__)
    assert all(re.fullmatch(r"MR3[0-3][0-9]{2}", code) and code.meaning for code in Code)
