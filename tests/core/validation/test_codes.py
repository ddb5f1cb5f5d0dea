"""Codes: each one once, explained, and used."""

from pathlib import Path

from reconciler.core import validation
from reconciler.core.validation import Code


def test_codes_are_unique_and_explained() -> None:
    """No code stands for two things, and each has a line for the documentation."""
    assert len({code.value for code in Code}) == len(Code) == len(Code.__members__)
    assert all(code.value.startswith("MR2") and code.meaning and not code.meaning.endswith(".") for code in Code)


def test_every_code_is_reported_somewhere() -> None:
    """A code that nothing reports would be documentation of nothing."""
    folder = Path(validation.__file__).parent
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py") if path.name != "codes.py")
    assert [code.name for code in Code if f"Code.{code.name}" not in source] == []
