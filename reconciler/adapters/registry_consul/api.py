"""Requests to Consul's HTTP API: one retry policy, limits on every wait and answer, errors translated.

Every request may be sent again: a read changes nothing, and each write says which index it is about, so that a second one of
a pair is stale.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from reconciler.adapters.outbound.addresses import Allowed, route
from reconciler.adapters.outbound.exchange import Limits, Received, exchange
from reconciler.core.resources import Document
from reconciler.errors import InvalidInput, Rejected, SetupCode, Unavailable

T = TypeVar("T")

log = logging.getLogger(__name__)

#: `--registry` by scheme: what is spoken, and the port that Consul listens on by itself.
SCHEMES = {"consul": ("http", 8500), "consul+https": ("https", 8501)}
#: The URL comes from the operator alone, and an agent on the same machine is the usual way to Consul.
LOOPBACK = ("127.0.0.0/8", "::1/128")
#: The largest answer that is read, in bytes: the nodes of ten thousand VMs are some 15 MB.
LONGEST = 1 << 26
#: Of what Consul says, so much is passed on.
LONGEST_TEXT = 300
#: How often a request is sent at most, and seconds before the second one; before each further one twice as many.
ATTEMPTS, PAUSE = 3, 0.2
#: Seconds that Consul holds a blocking query; it adds up to a sixteenth. So long may go unnoticed that it was set back by a
#: snapshot: its index is below the one that is asked for then (https://developer.hashicorp.com/consul/api-docs/features/blocking).
HOLD = 15

#: By default a leader that was deposed may answer from its past, and an agent may be set to answer from its own.
CONSISTENT = {"consistent": ""}
#: What Consul says where a write was decided on what is not there any more.
STALE = ("index is stale", "missing node registration")

#: Waits for so many seconds; nothing ever sets the event.
_wait = threading.Event().wait


@dataclass(frozen=True, slots=True)
class ConsulSettings:
    """Where Consul is, what it wants to see, and how long it may take.

    `url` is ``consul://HOST[:PORT]`` or ``consul+https://HOST[:PORT]``. `token_file` holds an ACL token and is read for every
    request, so that it can be renewed at any time; `ca_file` the authorities of Consul's certificate instead of the system's.
    """

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None
    timeout: timedelta = timedelta(seconds=10)


class ConsulApi:
    """Consul's HTTP API. Every method raises Unavailable and Rejected; threads may share one."""

    def __init__(self, settings: ConsulSettings) -> None:
        """Raises InvalidInput for a URL that is none."""
        self.base = base_url(settings.url)
        self._settings = settings
        self._allowed = Allowed.of([self.base], LOOPBACK)
        self._seconds = settings.timeout.total_seconds()

    def read(self, path: str, **query: str) -> Any:
        """Return what the leader knows after it has asked the others whether it still leads."""
        return self._patiently(lambda: _content(self._send("GET", path, {**query, **CONSISTENT}, b"", self._seconds)))

    def wait(self, path: str, index: int) -> int:
        """Return the index of a list as soon as it is another one, or as it is after a while; one try."""
        query = {"index": str(index), "wait": f"{HOLD}s"} if index else {}
        received = self._send("GET", path, query, b"", self._seconds + HOLD * 17 / 16)
        _content(received)
        with its_own_form():
            return int(received.headers["x-consul-index"])

    def write(self, kind: str, verb: str, thing: Document) -> Document | None:
        """Write one node or check, and return it; None where the index that it names is not the current one any more."""
        operation = {"Verb": verb, kind: thing}
        body = json.dumps([{kind: operation}]).encode()
        received = self._patiently(lambda: _usable(self._send("PUT", "/v1/txn", {}, body, self._seconds)))
        with its_own_form():
            answer = _parsed(received)
            said = "; ".join(one["What"] for one in answer["Errors"] or ())
            written: Document = (answer["Results"] or [{}])[0].get(kind) or {}
        if not said:
            return written
        if any(one in said.lower() for one in STALE):
            return None
        raise Rejected(f"Consul refuses the write: {_said(said)}", status=received.status)

    def _send(self, method: str, path: str, query: Mapping[str, str], body: bytes, seconds: float) -> Received:
        url = f"{self.base}{path}{'?' if query else ''}{urlencode(query)}"
        limits = Limits(seconds, LONGEST)
        to = route(url, self._allowed)
        return exchange(to, method, body, {"Accept": "application/json", **self._token()}, limits, self._settings.ca_file)

    def _token(self) -> Mapping[str, str]:
        path = self._settings.token_file
        if path is None:
            return {}
        try:
            return {"X-Consul-Token": path.read_text(encoding="ascii").strip()}
        except (OSError, ValueError) as error:
            raise InvalidInput(f"the token for Consul in {path} cannot be read", code=SetupCode.SECRET) from error

    def _patiently(self, attempt: Callable[[], T]) -> T:
        for number in range(1, ATTEMPTS):
            try:
                return attempt()
            except Unavailable as error:
                log.debug("%s; asking again", error)
                _wait(PAUSE * 2 ** (number - 1))
        return attempt()


def base_url(url: str) -> str:
    """Return what the API's paths are added to. Raises InvalidInput."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or parts.query:
        raise InvalidInput(
            f"Consul is named by {' or '.join(f'{one}://HOST[:PORT]' for one in SCHEMES)}", code=SetupCode.ADDRESS
        )
    scheme, port = SCHEMES[parts.scheme]
    try:
        host = parts.netloc if parts.port else f"{parts.netloc.rstrip(':')}:{port}"
    except ValueError as error:
        raise InvalidInput(f"Consul's URL cannot be read: {error}", code=SetupCode.ADDRESS) from error
    return f"{scheme}://{host}{parts.path.rstrip('/')}"


@contextmanager
def its_own_form() -> Iterator[None]:
    """Take nothing from an answer that has not the fields which Consul's have. Raises Unavailable."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unavailable(f"Consul answered in a form that is not its own: {error!r}") from error


def segment(name: str) -> str:
    """Return a name as one segment of a path."""
    return quote(name, safe="")


def _usable(received: Received) -> Received:
    """Return an answer that says yes or no (409 is one of a transaction). Raises as the methods of `ConsulApi`."""
    status = received.status
    if status in (200, 409):
        return received
    said = _said(received.body.decode(errors="replace"))
    if status == 403:
        raise Rejected(f"Consul does not let us: {said}", status=status)
    if status in (400, 404, 405, 413):
        raise Rejected(f"Consul refuses the request with status {status}: {said}", status=status)
    raise Unavailable(f"Consul answered with status {status}: {said}")


def _content(received: Received) -> Any:
    """Return what a read brought. Raises Unavailable for what is not whole: what is hidden from us must not look gone."""
    if _usable(received).status != 200:
        raise Unavailable(f"Consul answered a read with status {received.status}")
    if received.headers.get("x-consul-results-filtered-by-acls") == "true":
        raise Unavailable("Consul hides a part of its catalog from our token: it needs node:read and service:read on all of it")
    return _parsed(received)


def _parsed(received: Received) -> Any:
    try:
        return json.loads(received.body)
    except (ValueError, RecursionError) as error:
        raise Unavailable("Consul answered with what is no JSON; is it Consul?") from error


def _said(text: str) -> str:
    """Return a foreign text as one printable line of bounded length."""
    line = "".join(one if one.isprintable() else " " for one in text[:LONGEST_TEXT])
    return " ".join(line.split()) or "no reason given"
