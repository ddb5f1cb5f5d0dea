"""Localities that contain each other."""

import pytest

from reconciler.core.validation.findings import Findings
from reconciler.core.validation.localities import check_localities


def flawed(*localities: str, ordered: bool = True) -> bool:
    """Whether a list of localities has a problem."""
    found = Findings()
    check_localities(found, localities, "spec", ordered=ordered)
    return bool(found.all())


@pytest.mark.parametrize(
    "localities",
    [
        (),
        ("eu", "us"),
        ("eu/a", "eu/b"),
        ("eu/a/1", "eu/a/2"),
        ("eu/a/1", "eu/a/*", "eu/*", "*"),
        ("eu/a/1/more", "eu/a/2"),
        ("eu*",),
    ],
)
def test_apart(localities: tuple[str, ...]) -> None:
    """Different ones, and a wildcard after what it contains."""
    assert not flawed(*localities)


@pytest.mark.parametrize(
    "localities",
    [("eu", "eu"), ("eu", "eu/a"), ("eu/a", "eu"), ("eu/*", "eu/a"), ("*", "eu"), ("eu/a/*", "eu/a/1"), ("eu/a/1", "eu/a")],
)
def test_overlapping(localities: tuple[str, ...]) -> None:
    """The same twice, a whole before or after its part, a wildcard before."""
    assert flawed(*localities)


@pytest.mark.parametrize("locality", ["", "eu/", "/a", "eu//1", "*/a", "e*u", "**"])
def test_malformed(locality: str) -> None:
    """Empty parts, and a wildcard that is not at the end."""
    assert flawed(locality)


def test_a_map_has_no_order() -> None:
    """There a wildcard conflicts with its parts wherever it stands, for Istio reads maps in any order."""
    assert flawed("eu/a", "eu/*", ordered=False)
    assert not flawed("eu/a", "us/*", ordered=False)


def test_many_localities_take_little_time() -> None:
    """The work grows with the list, not with its square."""
    assert not flawed(*(f"r{number}/z/s" for number in range(20_000)), ordered=False)
