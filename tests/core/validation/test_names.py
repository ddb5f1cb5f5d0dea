"""Labels, host names and wildcards."""

import pytest

from reconciler.core.validation.findings import Findings
from reconciler.core.validation.names import check_wildcard_host, covered_by, fqdn_flaw, is_label, overlaps, wildcard_flaw


@pytest.mark.parametrize("name", ["a", "A1", "a-b", "0", "x" * 63])
def test_labels(name: str) -> None:
    """Letters of either case, digits and inner dashes make a label."""
    assert is_label(name)


@pytest.mark.parametrize("name", ["", "-a", "a-", "a.b", "a_b", "x" * 64, "a\n", "é", "١"])
def test_no_labels(name: str) -> None:
    """Dashes at the ends, other characters (digits of other scripts too) and more than 63 do not."""
    assert not is_label(name)


@pytest.mark.parametrize("host", ["a", "a.example.com", "a.example.com.", "1.a", "A.b"])
def test_full_names(host: str) -> None:
    """A name may be short, and may end in a dot."""
    assert fqdn_flaw(host) == ""
    assert wildcard_flaw(host) == ""


@pytest.mark.parametrize("host", ["", ".", "a..b", "10.0.0.1", "a.1", "-a.b", "a_b.c", "a.*.b", "a." * 128])
def test_no_names(host: str) -> None:
    """Empty labels, a number at the end, odd characters and more than 255 are told as flaws, with wildcards or without."""
    assert fqdn_flaw(host)
    assert wildcard_flaw(host)


@pytest.mark.parametrize("host", ["*", "*.example.com", "*a.example.com", "*-a.example.com"])
def test_wildcards(host: str) -> None:
    """A wildcard stands at the very beginning."""
    assert wildcard_flaw(host) == ""
    assert fqdn_flaw(host)


@pytest.mark.parametrize("host", ["**", "*--a.b", "a*.b", "*.1", "*.*.a", "*" + "x" * 63])
def test_no_wildcards(host: str) -> None:
    """Elsewhere, or twice, it is a flaw."""
    assert wildcard_flaw(host)


@pytest.mark.parametrize(
    ("host", "valid", "expected"),
    [
        ("a.example.com", True, []),
        ("A.example.com", True, ["MR2002"]),
        ("xn--bcher-kva.example.com", True, ["MR2003"]),
        ("a..b", False, ["MR2001"]),
    ],
)
def test_hosts_of_services(host: str, valid: bool, expected: list[str]) -> None:  # noqa: FBT001
    """Beyond syntax, upper case is refused and punycode gets a warning."""
    found = Findings()
    assert check_wildcard_host(found, host, "spec.host") is valid
    assert [problem.code for problem in found.all()] == expected


def test_a_homoglyph_is_no_host() -> None:
    """Letters that only look like ASCII are refused, so that two hosts cannot look alike."""
    assert fqdn_flaw("b\u0456lling.example.com")
    assert fqdn_flaw("billing\uff0eexample\uff0ecom")


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["a.b", "c.b"], []),
        (["a.b", "a.b"], [(0, "a.b")]),
        (["*.b", "a.b"], [(1, "*.b")]),
        (["a.b", "*.b"], [(0, "*.b")]),
        (["*.a.b", "*.b"], [(0, "*.b")]),
        (["*", "x"], [(1, "*")]),
        (["*.b", "b"], []),
    ],
)
def test_overlaps(hosts: list[str], expected: list[tuple[int, str]]) -> None:
    """A host that is there twice or lies within a wildcard is found, once."""
    assert list(overlaps(hosts)) == expected


def test_covered_hosts() -> None:
    """A host is covered by itself and by a wildcard at least as wide."""
    covered = covered_by(["a.example.com", "*.b.example.com"])
    assert covered("a.example.com")
    assert covered("x.b.example.com")
    assert covered("*.x.b.example.com")
    assert not covered("b.example.com")
    assert not covered("*.example.com")
    assert not covered("*.a.example.com")
