"""The probe of a WorkloadGroup, with the defaults that Istio's own agent fills in.

Those are in istio/istio `pkg/istio-agent/health/health_check.go` fillInDefaults: 1 s timeout, every 10 s, one success and one
failure (the API's comment says three), host localhost, path `/`. A gRPC probe goes to this machine, too.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Union
from urllib.parse import quote

LOCAL = "localhost"
_DAY = 86_400
_METHODS = ("httpGet", "tcpSocket", "exec", "grpc")


class InvalidProbe(Exception):
    """A probe that cannot be carried out; the text says what is wrong with it."""


class HttpGet(NamedTuple):
    """Well is a status of 200 to 399. Certificates are not checked, as in Istio and Kubernetes."""

    host: str
    port: int
    path: str
    secure: bool = False
    headers: tuple[tuple[str, str], ...] = ()


class TcpSocket(NamedTuple):
    """Well is whoever accepts a connection."""

    host: str
    port: int


class Exec(NamedTuple):
    """Well is a command that ends with 0."""

    command: tuple[str, ...]


class Grpc(NamedTuple):
    """Well is a service (empty: the server) whose health service says SERVING."""

    host: str
    port: int
    service: str = ""


Check = Union[HttpGet, TcpSocket, Exec, Grpc]


class Probe(NamedTuple):
    """What is checked, when (in seconds), and how many outcomes in a row change the verdict."""

    check: Check
    initial_delay: float = 0.0
    timeout: float = 1.0
    period: float = 10.0
    successes: int = 1
    failures: int = 1


def read_probe(document: Any) -> Probe:
    """Return the probe that a document (`spec.probe` of a WorkloadGroup) describes. Raises InvalidProbe."""
    if not isinstance(document, dict):
        raise InvalidProbe("the probe is no object")
    named = [name for name in _METHODS if document.get(name) is not None]
    if len(named) != 1:
        raise InvalidProbe(f"the probe must have one of {', '.join(_METHODS)}")
    method = document[named[0]]
    if not isinstance(method, dict):
        raise InvalidProbe(f"{named[0]} is no object")
    return Probe(
        check=_READERS[named[0]](method),
        initial_delay=_number(document, "initialDelaySeconds", _DAY),
        timeout=_number(document, "timeoutSeconds", _DAY) or 1,
        period=_number(document, "periodSeconds", _DAY) or 10,
        successes=_number(document, "successThreshold", 1_000) or 1,
        failures=_number(document, "failureThreshold", 1_000) or 1,
    )


def _http(method: dict[str, Any]) -> Check:
    scheme = _text(method, "scheme").upper() or "HTTP"
    if scheme not in ("HTTP", "HTTPS"):
        raise InvalidProbe("scheme must be HTTP or HTTPS")
    path = quote(_text(method, "path"), safe="!$%&'()*+,/:;=?@[]~")
    return HttpGet(
        host=_text(method, "host") or LOCAL,
        port=_port(method),
        path=path if path.startswith("/") else f"/{path}",
        secure=scheme == "HTTPS",
        headers=tuple(_headers(method.get("httpHeaders") or [])),
    )


def _headers(listed: Any) -> list[tuple[str, str]]:
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise InvalidProbe("httpHeaders must be a list of objects")
    found = [(_text(one, "name"), _text(one, "value")) for one in listed]
    if any(not name or set(name) & set(" :") for name, _ in found):
        raise InvalidProbe("httpHeaders has a name that cannot be")
    return found


def _tcp(method: dict[str, Any]) -> Check:
    return TcpSocket(_text(method, "host") or LOCAL, _port(method))


def _exec(method: dict[str, Any]) -> Check:
    command = method.get("command")
    if not isinstance(command, list) or not command or not all(isinstance(word, str) and "\0" not in word for word in command):
        raise InvalidProbe("command must be a list of words")
    return Exec(tuple(command))


def _grpc(method: dict[str, Any]) -> Check:
    return Grpc(LOCAL, _port(method), _text(method, "service"))


_READERS: dict[str, Callable[[dict[str, Any]], Check]] = {"httpGet": _http, "tcpSocket": _tcp, "exec": _exec, "grpc": _grpc}


def _port(method: dict[str, Any]) -> int:
    port = _number(method, "port", 65_535)
    if not port:
        raise InvalidProbe("port must be a number from 1 to 65535")
    return port


def _number(document: dict[str, Any], name: str, most: int) -> int:
    value = document.get(name) or 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise InvalidProbe(f"{name} must be a whole number from 0 to {most}")
    return value


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name) or ""
    if not isinstance(value, str) or not value.isprintable() or len(value) > 4_096:
        raise InvalidProbe(f"{name} must be a text without control characters")
    return value
