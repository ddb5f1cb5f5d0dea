"""Host names as Istio compares and completes them."""

import pytest

from reconciler.core.hosts import canonical, covers, fqdn, is_ip


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("billing", "billing.shop.svc.cluster.local"),
        ("Billing.Example.COM.", "billing.example.com"),
        ("*.example.com", "*.example.com"),
        ("*", "*"),
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
    ],
)
def test_a_short_host_gets_the_namespace_of_its_object(host: str, expected: str) -> None:
    """Only a name without a dot is completed; the rest is brought into the form in which hosts are compared."""
    assert fqdn(host, "shop") == expected


@pytest.mark.parametrize(
    ("pattern", "host", "expected"),
    [
        ("a.example.com", "a.example.com", True),
        ("*.example.com", "a.example.com", True),
        ("*.example.com", "*.b.example.com", True),
        ("*.example.com", "*.example.com", True),
        ("*.example.com", "example.com", False),
        ("a.example.com", "*.example.com", False),
        ("*", "anything.at.all", True),
    ],
)
def test_a_pattern_covers_what_ends_like_it(pattern: str, host: str, *, expected: bool) -> None:
    """A leading wildcard covers every longer name, and patterns within it."""
    assert covers(pattern, host) is expected


def test_case_and_trailing_dot_do_not_tell_hosts_apart() -> None:
    """Hosts are compared in lower case and without the dot of the root."""
    assert canonical("A.Example.Com.") == "a.example.com"


@pytest.mark.parametrize(
    ("text", "expected"), [("10.1.2.3", True), ("::1", True), ("fe80::1%eth0", False), ("010.1.2.3", False)]
)
def test_only_plain_addresses_are_ip_addresses(text: str, *, expected: bool) -> None:
    """A zone makes an address mean something on one machine only; leading zeros are read differently by resolvers."""
    assert is_ip(text) is expected
