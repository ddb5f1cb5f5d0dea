"""Where outgoing calls may go."""

from typing import Any

import pytest

from reconciler.adapters.outbound.addresses import Allowed, Origin, Route, route
from reconciler.errors import InvalidInput, Unavailable


def leads_to(*addresses: str) -> Any:
    """Return a resolver that answers with these, and that can be asked once: what was checked is what is connected to."""
    left = [[(0, 0, 0, "", (one, 443)) for one in addresses]]
    return lambda _host, _port, **_: left.pop()


HOOKS = Allowed.of(["https://hooks.example.org"])


def test_a_name_is_resolved_once_to_the_address_that_is_used() -> None:
    """The second answer of a name server that changes its mind is never heard."""
    found = route("https://hooks.example.org/may-we?step=1", HOOKS, leads_to("192.0.2.7"))
    assert found == Route(Origin("https", "hooks.example.org", 443), "192.0.2.7", "/may-we?step=1")
    assert route("https://HOOKS.example.org.", HOOKS, leads_to("192.0.2.7")).target == "/"


@pytest.mark.case("W-14")
@pytest.mark.parametrize(
    "url",
    [
        "https://other.example.org/",
        "http://hooks.example.org/",
        "https://hooks.example.org:8443/",
        "https://hooks.example.org.evil.example/",
        "https://evil.example/?https://hooks.example.org",
        "https://kubernetes.default.svc/api",
        "http://169.254.169.254/latest/meta-data/",
    ],
)
def test_only_listed_origins_are_called(url: str) -> None:
    """Scheme, host and port, all three; nothing is resolved for any other."""
    with pytest.raises(InvalidInput, match="not among the addresses that the operator allows") as refused:
        route(url, HOOKS, leads_to())
    assert refused.value.problems[0].code == "MR0801"


@pytest.mark.case("W-14")
@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "must begin with http"),
        ("gopher://hooks.example.org/", "must begin with http"),
        ("//hooks.example.org/", "must begin with http"),
        ("https://", "must begin with http"),
        ("https://user@hooks.example.org/", "no user, password or fragment"),
        ("https://hooks.example.org@evil.example/", "no user, password or fragment"),
        ("https://hooks.example.org/#x", "no user, password or fragment"),
        ("https://hooks.example.org:99999/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://hooks.example.org/\r\nX: y", "visible ASCII"),
        ("https://hooks.example.org/a b", "visible ASCII"),
        ("https://hööks.example.org/", "visible ASCII"),
    ],
)
def test_what_is_no_plain_url_is_refused(url: str, why: str) -> None:
    """Before anybody is asked for an address."""
    with pytest.raises(InvalidInput, match=why):
        route(url, HOOKS, leads_to())


CLOSED = [
    "127.0.0.1",
    "127.8.9.10",
    "0.0.0.0",  # noqa: S104 - an address to refuse, nothing listens
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "ff02::1",
    "fd00:ec2::254",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
]


@pytest.mark.case("W-14")
@pytest.mark.parametrize("address", CLOSED)
def test_a_listed_name_must_not_lead_into_a_closed_network(address: str) -> None:
    """Loopback, link-local, metadata services, also in the disguise of IPv6; alone or among good ones."""
    for found in ([address], ["192.0.2.7", address]):
        with pytest.raises(InvalidInput, match="leads to a closed network"):
            route("https://hooks.example.org/", HOOKS, leads_to(*found))


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.5", "2001:db8::5", "fd00::5", "::ffff:a00:5", "64:ff9b::a00:5"])
def test_ordinary_networks_are_open(address: str) -> None:
    """The cluster's own addresses are private ones."""
    assert route("https://hooks.example.org/", HOOKS, leads_to(address)).address == address


def test_the_operator_opens_a_closed_network_by_name() -> None:
    """Or by an address in the origin itself, which is meant as it stands."""
    opened = Allowed.of(["https://hooks.example.org"], ["127.0.0.0/8"])
    assert route("https://hooks.example.org/", opened, leads_to("127.0.0.1")).address == "127.0.0.1"
    literal = Allowed.of(["http://127.0.0.1:9090", "http://[::1]:9090"])
    assert route("http://127.0.0.1:9090/x", literal, leads_to("127.0.0.1")).address == "127.0.0.1"
    assert str(route("http://[::1]:9090/x", literal, leads_to("::1")).origin) == "http://[::1]:9090"


def test_a_name_without_address_is_unavailable() -> None:
    """It may have one in a minute."""
    for resolver in (leads_to(), _fails):
        with pytest.raises(Unavailable, match=r"hooks\.example\.org has no address"):
            route("https://hooks.example.org/", HOOKS, resolver)


def _fails(*_: object, **__: object) -> Any:
    raise OSError("Name or service not known")


@pytest.mark.parametrize(("urls", "networks"), [(["ftp://x"], []), (["https://x"], ["127.0.0.1/8"]), (["https://x"], ["x"])])
def test_settings_that_cannot_be_are_refused(urls: list[str], networks: list[str]) -> None:
    """When they are read, not when the rollout stands."""
    with pytest.raises(InvalidInput):
        Allowed.of(urls, networks)
