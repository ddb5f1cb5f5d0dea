"""`explain`: every problem code once, with a meaning."""

import re
from pathlib import Path

from click.testing import CliRunner

import reconciler
from reconciler.cli.explain import codes
from reconciler.cli.main import main


def test_no_code_is_given_twice() -> None:
    """A code means one thing, whatever part of the program finds it."""
    found = [str(code) for code in codes()]
    assert len(found) == len(set(found))


def test_every_code_has_a_form_and_a_meaning() -> None:
    """MR and four digits, and one line that says what it is."""
    for code in codes():
        assert re.fullmatch(r"MR\d{4}", code), code
        assert code.meaning, code
        assert "\n" not in code.meaning, code


def test_every_code_in_the_source_is_explained() -> None:
    """No module invents a code beside the tables."""
    source = "".join(path.read_text("utf-8") for path in Path(reconciler.__file__).parent.rglob("*.py"))
    assert set(re.findall(r'"(MR\d{4})"', source)) == {str(code) for code in codes()}


def test_explain_says_what_a_code_means() -> None:
    """A person types the code as a report printed it, in either case, and gets its line."""
    shown = CliRunner().invoke(main, ["explain", "mr1005"])
    assert shown.exit_code == 0
    assert "sets a field twice" in shown.output


def test_an_unknown_code_is_an_error() -> None:
    """What is no code is said to be none."""
    shown = CliRunner().invoke(main, ["explain", "MR9999"])
    assert shown.exit_code == 1
    assert "no code" in shown.output
