"""Versions and ranges, as semver.org orders them and as Helm and Flux read ranges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.source_git.semver import Version, parse_range


def holds(text: str, version: str) -> bool:
    """Whether a range holds a version."""
    found, parsed = parse_range(text), Version.parse(version)
    assert found is not None, text
    assert parsed is not None, version
    return parsed in found


def test_precedence_is_that_of_semver_org() -> None:
    """The example of its section 11, shuffled and sorted; build metadata plays no part."""
    ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ]
    shuffled = [ordered[place] for place in (3, 7, 0, 5, 2, 6, 1, 4)]
    assert sorted(shuffled, key=lambda text: Version.parse(text) or Version(0)) == ordered
    assert Version.parse("1.2.3+a") == Version.parse("v1.2.3+b")


@pytest.mark.parametrize(
    "text", ["1.2", "1", "v1", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-a..b", "1.2.3 ", "latest", "", "1.2.9999999999"]
)
def test_other_tags_are_no_versions(text: str) -> None:
    """Three numbers without leading zeros are needed."""
    assert Version.parse(text) is None


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("1.2.3", "1.2.3 1.2.3+x", "1.2.4 1.2.3-rc"),
        ("=1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"),
        ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.9"),
        ("1.2.*", "1.2.0 1.2.7", "1.3.0"),
        ("*", "0.0.1 9.9.9", "1.0.0-rc.1"),
        (">=1.2 <2", "1.2.0 1.99.0", "1.1.9 2.0.0 2.0.0-rc.1"),
        (">=1.2, <2", "1.2.0", "2.0.0"),
        (">=1.2.0<1.3", "1.2.5", "1.3.0"),
        (">1.2", "1.3.0", "1.2.0 1.2.9"),
        (">1.2.3", "1.2.4", "1.2.3"),
        ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
        ("<=1.2.3", "1.2.3", "1.2.4"),
        ("^1.2.3", "1.2.3 1.9.0", "1.2.2 2.0.0"),
        ("^0.2.3", "0.2.3 0.2.9", "0.3.0"),
        ("^0.0.3", "0.0.3", "0.0.4"),
        ("^0.0", "0.0.9", "0.1.0"),
        ("^0", "0.9.0", "1.0.0"),
        ("^1.2", "1.2.0 1.9.9", "1.1.0 2.0.0"),
        ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
        ("~1.2", "1.2.0", "1.3.0"),
        ("~1", "1.9.0", "2.0.0"),
        ("^1 || ^3", "1.0.0 3.1.0", "2.0.0"),
        (">=1.0.0-0", "1.0.0-alpha 1.0.0 2.0.0-rc.1", "0.9.0"),
        (">=1.0.0-0 <2.0.0", "1.5.0-rc.1", "2.0.0-rc.1"),
        ("^1.2.0-beta.2", "1.2.0-beta.3 1.2.0 1.9.0", "1.2.0-beta.1 2.0.0"),
        ("v1.2.3", "1.2.3", "1.2.4"),
        ("<*", "", "0.0.0 1.0.0"),
    ],
)  # fmt: skip
def test_ranges(text: str, inside: str, outside: str) -> None:
    """What a range holds and what it does not."""
    assert [version for version in inside.split() if not holds(text, version)] == []
    assert [version for version in outside.split() if holds(text, version)] == []


@pytest.mark.parametrize(
    "text", ["", " ", "||", "^1 ||", "abc", "1.2.3.4", "01", ">>1", "1.2-3", ">= ", "=>1", "1..2", "-1", "1.2.3-a..b"]
)
def test_other_texts_are_no_ranges(text: str) -> None:
    """A range that is not understood is refused, never taken for everything."""
    assert parse_range(text) is None


@given(st.text(alphabet="0123456789.^~<>=|, vxX*-abc", max_size=40))
def test_any_text_is_a_range_or_none(text: str) -> None:
    """Nothing else comes out, whatever is written."""
    found = parse_range(text)
    assert found is None or (Version(1) in found) in (True, False)
