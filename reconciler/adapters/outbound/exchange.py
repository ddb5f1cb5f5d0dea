"""One request and its answer, bounded in time and size; nothing is tried again and no redirect followed."""

import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
import urllib3.exceptions as below

from reconciler.adapters.outbound.addresses import Route
from reconciler.errors import InvalidInput, SetupCode, Unavailable

PIECE = 1 << 16
USER_AGENT = "mesh-reconciler"


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one exchange may take (seconds), and how many bytes of an answer are read."""

    seconds: float
    longest: int


@dataclass(frozen=True, slots=True)
class Received:
    """An answer: HTTP status, headers (names in lower case), body."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def exchange(
    to: Route,
    method: str,
    body: bytes,
    headers: Mapping[str, str],
    limits: Limits,
    ca_file: Path | None = None,
    certificate: Path | None = None,
) -> Received:
    """Send a request to the address of a route and read the answer. Raises Unavailable for all that goes wrong.

    Over https the certificate must be valid for the name in the URL, by the authorities in `ca_file` or the system's. Ours is
    that in `certificate`, with its key; raises InvalidInput for a file that cannot be used.
    """
    name = str(to.origin)
    ends = time.monotonic() + limits.seconds
    fields = {"Host": _host(to), "User-Agent": USER_AGENT, "Accept-Encoding": "identity", **headers}
    with _translated(name, limits), _pool(to, limits.seconds, ca_file, certificate) as pool:
        response = pool.urlopen(
            method, to.target, body=body, headers=fields, retries=False, redirect=False, preload_content=False
        )
        try:
            return Received(response.status, _lower(response.headers), _whole(name, response, limits, ends))
        finally:
            response.close()


def _whole(name: str, response: urllib3.BaseHTTPResponse, limits: Limits, ends: float) -> bytes:
    """Read an answer piece by piece, whatever length it claims; one that is packed is not unpacked."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Unavailable(f"{name} answered in an encoding that was not asked for")
    content = b""
    while piece := response.read1(PIECE):
        content += piece
        if len(content) > limits.longest:
            raise Unavailable(f"{name} answered with more than {limits.longest:,} bytes")
        if time.monotonic() > ends:
            raise Unavailable(f"{name} did not finish its answer within {limits.seconds:g} s")
    return content


def _pool(to: Route, seconds: float, ca_file: Path | None, certificate: Path | None) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(connect=seconds, read=seconds)
    if to.origin.scheme == "http":
        return urllib3.HTTPConnectionPool(to.address, to.origin.port, timeout=timeout)
    context = ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    if certificate:
        try:
            context.load_cert_chain(certificate)
        except OSError as error:  # ssl.SSLError is one
            text = f"{certificate} holds no certificate with its key that can be used: {error.strerror or error}"
            raise InvalidInput(text, code=SetupCode.SETTINGS_FILE) from error
    name = to.origin.host
    return urllib3.HTTPSConnectionPool(
        to.address, to.origin.port, timeout=timeout, ssl_context=context, server_hostname=name, assert_hostname=name
    )


def _host(to: Route) -> str:
    default = {"http": 80, "https": 443}[to.origin.scheme]
    host = f"[{to.origin.host}]" if ":" in to.origin.host else to.origin.host
    return host if to.origin.port == default else f"{host}:{to.origin.port}"


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@contextmanager
def _translated(name: str, limits: Limits) -> Iterator[None]:
    """Say of what went wrong below HTTP what a person can do about it."""
    try:
        yield
    except below.NewConnectionError as error:  # a kind of TimeoutError to urllib3
        raise Unavailable(f"{name} cannot be reached") from error
    except below.TimeoutError as error:
        raise Unavailable(f"{name} did not answer within {limits.seconds:g} s") from error
    except below.SSLError as error:
        reason = str(error)
        if "ALERT" in reason.upper() or "EOF" in reason:
            raise Unavailable(f"{name} ended the TLS handshake; it may want another certificate of ours: {reason}") from error
        clock = "; look at its dates and at our clock" if "expired" in reason or "not yet valid" in reason else ""
        raise Unavailable(f"{name} shows a certificate that is not trusted: {reason}{clock}") from error
    except (below.HTTPError, OSError) as error:
        # So ends TLS 1.3 with a server that has asked for a certificate and got none.
        wants = "; it may want a certificate of ours" if name.startswith("https") and "without response" in str(error) else ""
        raise Unavailable(f"{name} broke off or answered with something else than HTTP: {error}{wants}") from error
