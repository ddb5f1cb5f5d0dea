"""One bounded exchange, against a server that does what it likes."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.outbound.addresses import Allowed, route
from reconciler.adapters.outbound.exchange import Limits, Received, exchange
from reconciler.errors import Unavailable
from tests.adapters.canned_http import CannedServer
from tests.real.git_https import Authority
from tests.real.report import needed

LIMITS = Limits(seconds=30, longest=1000)
SHORT = Limits(seconds=0.3, longest=10_000_000)


@pytest.fixture
def server() -> Iterator[CannedServer]:
    """A server that answers as it is told."""
    with CannedServer() as one:
        yield one


def post(server: CannedServer, limits: Limits = LIMITS, ca_file: Path | None = None, host: str = "127.0.0.1") -> Received:
    """Send a small request."""
    url = server.url.replace("127.0.0.1", host)
    to = route(f"{url}/ask?a=b", Allowed.of([url], ["127.0.0.0/8", "::1/128"]))
    return exchange(to, "POST", b"hello", {"X-Team": "shop"}, limits, ca_file)


def test_a_request_and_its_answer(server: CannedServer) -> None:
    """Body and headers there and back; the Host is the name, and no compression is asked for."""
    server.answers(200, b"fine", X_Kind="test")
    received = post(server, host="localhost")
    assert (received.status, received.body, received.headers["x-kind"]) == (200, b"fine", "test")
    (asked,) = server.asked
    assert (asked.path, asked.body, asked.headers["x-team"]) == ("/ask?a=b", b"hello", "shop")
    assert asked.headers["host"] == f"localhost:{server.port}"
    assert asked.headers["accept-encoding"] == "identity"


@pytest.mark.case("C-03", "W-14")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(server: CannedServer, status: int) -> None:
    """They are answers, and nobody goes there."""
    server.answers(status, Location="http://127.0.0.1:1/metadata")
    assert post(server).status == status
    assert len(server.asked) == 1


@pytest.mark.case("C-03")
def test_an_answer_of_ten_megabytes_is_not_read(server: CannedServer) -> None:
    """Whatever length it claims, or none."""
    server.answers(200, b"x" * 10_000_000)
    with pytest.raises(Unavailable, match="answered with more than 1,000 bytes"):
        post(server)
    server.sends(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000)
    with pytest.raises(Unavailable, match="answered with more than 1,000 bytes"):
        post(server)


@pytest.mark.case("C-03")
def test_what_is_packed_is_not_unpacked(server: CannedServer) -> None:
    """A small bomb is one too."""
    server.answers(200, gzip.compress(b"x" * 100_000), Content_Encoding="gzip")
    with pytest.raises(Unavailable, match="encoding that was not asked for"):
        post(server)


@pytest.mark.case("C-03")
def test_silence_and_drips_end_in_time(server: CannedServer) -> None:
    """A server that sends a byte now and then does not hold us for ever."""
    server.keeps_silent()
    with pytest.raises(Unavailable, match=r"did not answer within 0\.3 s"):
        post(server, SHORT)
    server.drips(b"x", every=0.05)
    with pytest.raises(Unavailable, match=r"did not finish its answer within 0\.3 s"):
        post(server, SHORT)


@pytest.mark.case("C-03")
@pytest.mark.parametrize(
    "raw",
    [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", b"HTTP/1.1 abc\r\n\r\n"],
)
def test_what_is_no_http_or_no_whole_answer_is_unavailable(server: CannedServer, raw: bytes) -> None:
    """Half an answer is none."""
    server.sends(raw)
    with pytest.raises(Unavailable, match="broke off or answered with something else than HTTP"):
        post(server)


def test_nobody_there_is_unavailable(server: CannedServer) -> None:
    """In words."""
    server.close()
    with pytest.raises(Unavailable, match=r"http://127\.0\.0\.1:\d+ cannot be reached"):
        post(server)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of our own, and a certificate for 127.0.0.1 and localhost."""
    with needed("openssl"):
        return Authority.create(tmp_path_factory.mktemp("tls") / "authority")
    raise AssertionError("needed() has ended the test")


def test_https_trusts_the_given_authority_for_the_name_in_the_url(authority: Authority) -> None:
    """Though the connection goes to an address."""
    with CannedServer(authority.server) as server:
        assert post(server, ca_file=authority.certificate, host="localhost").status == 200
        assert post(server, ca_file=authority.certificate).status == 200


@pytest.mark.case("K-06")
@pytest.mark.parametrize("days", [(-9, -2), (2, 9)], ids=["expired", "not yet valid"])
def test_https_refuses_a_certificate_out_of_its_time(authority: Authority, days: tuple[int, int]) -> None:
    """And says that either side's clock may be the reason."""
    files = authority.issue("out-of-time", "IP:127.0.0.1", days)
    with CannedServer(files) as server, pytest.raises(Unavailable, match="look at its dates and at our clock"):
        post(server, ca_file=authority.certificate)


@pytest.mark.case("K-06")
def test_https_refuses_who_is_not_known_and_who_is_another_one(authority: Authority) -> None:
    """By an authority that nobody gave us, or under another name."""
    with CannedServer(authority.server) as server:
        with pytest.raises(Unavailable, match="certificate that is not trusted"):
            post(server)
        url = f"https://hooks.example.org:{server.port}/"
        to = route(url, Allowed.of([url], ["127.0.0.0/8"]), lambda *_, **__: [(0, 0, 0, "", ("127.0.0.1", server.port))])
        with pytest.raises(Unavailable, match="certificate that is not trusted"):
            exchange(to, "POST", b"", {}, LIMITS, authority.certificate)
        assert server.asked == []
