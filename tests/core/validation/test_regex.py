"""The syntax of RE2."""

import pytest

from reconciler.core.validation.regex import flaw


@pytest.mark.parametrize(
    "pattern",
    [
        "a+b*?c{2,3}",
        "(a|b|)|(?:c)(?i:d)",
        "(?i)a(?s-m:.)b",
        "(?P<one>a)(?<two>b)",
        "[]a]", "[^]a-z0-9_-]", "[a-]", "[[:alpha:][:^digit:]]", r"[\d\-\]\x41]",
        r"\d\D\w\s\b\A\z\pL\P{Greek}\x{10ffff}\x41\012\12\t\.\/\_",
        r"\Qa(*\E+", r"\Qopen",
        "{", "a{,2}", "a{x}", "a{2", "x{0}", "x{1000}",
        "^*", "$+", "é+", "(?)",
        "(a{30}){30}",
    ],
)  # fmt: skip
def test_patterns(pattern: str) -> None:
    """What RE2 takes, without complaint."""
    assert flaw(pattern) == ""


@pytest.mark.parametrize(
    "pattern",
    [
        "", "x" * 1025,
        "(a", "a)", "[a", "[", "[]", "a\\",
        "*", "(*a)", "a|*", "(?i)*",
        "a**", "a+*", "a???", "a{2}{3}",
        "a{1001}", "a{3,2}", "(a{100}){100}",
        "(?=a)", "(?!a)", "(?<=a)", "(?>a)", "(?P=a)", "(?P<a-b>x)", "(?P<a>x)(?P<a>y)", "(?x)a",
        r"\1", r"\8", r"\Z", r"\C", r"\e", r"\x{110000}", r"\xg", r"\p{",
        "[z-a]", r"[a-\d]", "[[:nope:]]", r"[\b]",
    ],
)  # fmt: skip
def test_no_patterns(pattern: str) -> None:
    """What it refuses: look-arounds, back-references, bad nesting, too much."""
    assert flaw(pattern)


def test_hostile_patterns_are_judged_quickly() -> None:
    """No pattern is run, and depth is bounded."""
    assert flaw("(" * 1000)
    assert flaw("((((a{9}){9}){9}){9}){9}")
    assert flaw("(?:" * 340 + ")") != ""
