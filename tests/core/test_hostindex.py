"""Keys by host and by pattern."""

from reconciler.core.hostindex import HostIndex
from reconciler.core.resources import Key

A, B, C = (Key("ServiceEntry", "shop", name) for name in "abc")
INDEX = HostIndex.of([("x.example.com", A), ("*.example.com", B), ("*.com", C), ("x.example.com", B)])


def test_own_name_comes_before_longer_before_shorter_patterns() -> None:
    """As Istio looks for the most specific one."""
    found = list(INDEX.covering("x.example.com"))
    assert found == [("x.example.com", A), ("x.example.com", B), ("*.example.com", B), ("*.com", C)]
    assert list(INDEX.covering("example.org")) == []


def test_a_pattern_covers_names_and_patterns() -> None:
    """Everything below it, itself included; a plain name covers only itself."""
    assert {name for name, _ in INDEX.covered("*.example.com")} == {"x.example.com", "*.example.com"}
    assert {key for _, key in INDEX.covered("x.example.com")} == {A, B}


def test_a_key_moves_between_hosts_and_leaves_the_old_index_alone() -> None:
    """Names without keys vanish, patterns are kept up to date."""
    moved = INDEX.moved(B, ("*.example.com", "x.example.com"), ("y.example.com", "*.y.example.com"))
    assert list(moved.covering("x.example.com")) == [("x.example.com", A), ("*.com", C)]
    assert moved.exact("y.example.com") == (B,)
    assert [key for _, key in moved.covering("a.y.example.com")] == [B, C]
    assert INDEX.exact("*.example.com") == (B,)
