"""The codes of reading manifests."""

import re

from reconciler.core.manifests.codes import Code


def test_codes_are_distinct_and_explained() -> None:
    """Each has its own number under MR1, and one line that says what it means."""
    assert len(Code) == len(Code.__members__)
    assert all(re.fullmatch(r"MR1[0-2][0-9]{2}", code) and code.meaning for code in Code)
