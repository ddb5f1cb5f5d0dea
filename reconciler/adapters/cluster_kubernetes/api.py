"""Requests to the API server: one connection pool, one retry policy, limits on every wait, errors translated.

Reads are tried again whatever happened. Writes are tried again only where the server surely did nothing; what to do about an
unknown outcome is `writes`' business. Credentials are loaded anew, once, when the server stops accepting them.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

from reconciler.adapters.cluster_kubernetes import answers, credentials
from reconciler.adapters.cluster_kubernetes.answers import NotActed, Unauthenticated, Unsure
from reconciler.adapters.cluster_kubernetes.settings import KubernetesSettings, Patience
from reconciler.core.resources import Document
from reconciler.errors import Unavailable

log = logging.getLogger(__name__)
#: For what a person who waits should know, in words without causes; those are in `log`.
waiting = log.getChild("waiting")

#: Waits for so many seconds; nothing ever sets the event.
_wait = threading.Event().wait

T = TypeVar("T")
Query = Mapping[str, str | int]

JSON = "application/json"
APPLY_PATCH = "application/apply-patch+yaml"
MERGE_PATCH = "application/merge-patch+json"

USER_AGENT = "mesh-reconciler"
PIECE = 1 << 16
#: The largest answer that is read, in bytes; a page of 500 objects is some 2 MB.
LONGEST_ANSWER = 1 << 28
#: How long credentials are used before the client is asked for them again, in seconds: a service account's token file is read
#: again and a program's token renewed behind that question, which costs as much as a quarter of a request.
CREDENTIALS_LAST = 15.0


@dataclass(frozen=True, slots=True)
class _Session:
    """The client with its connections, and as whom it speaks since when (monotonic)."""

    client: Any
    host: str
    headers: Mapping[str, str]
    since: float

    @classmethod
    def of(cls, client: Any, now: float) -> Self:
        setting = client.configuration.auth_settings().get("BearerToken", {})
        headers = {"Authorization": setting["value"]} if setting.get("value") else {}
        return cls(client, client.configuration.host, headers, now)


class KubernetesApi:
    """The API server's HTTP interface. Every method raises Unavailable and Rejected (see `answers`); threads may share one."""

    def __init__(self, settings: KubernetesSettings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.settings, self._monotonic = settings, monotonic
        self._slots = threading.BoundedSemaphore(settings.concurrency)
        self._lock = threading.Lock()
        self._session: _Session | None = None

    def read(self, path: str, query: Query | None = None, *, accept: str = JSON) -> Document:
        """GET a document, with retries."""
        return self.patiently((Unavailable,), self.settings.reading, lambda _: self.get(path, query, accept=accept))

    def get(self, path: str, query: Query | None = None, *, accept: str = JSON) -> Document:
        """GET a document, with one try."""
        times = (self.settings.read_timeout, self.settings.answer_timeout)
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        return self._renewing(lambda: self._exchange("GET", _url(path, query), None, headers, times))

    def write(self, method: str, path: str, body: Any) -> Document:
        """Send a document; tried again only while the server surely did nothing. Raises `Unsure` where that is not known."""
        return self.patiently((NotActed,), self.settings.writing, lambda latest: self.send(method, path, body, latest=latest))

    def send(
        self, method: str, path: str, body: Any, *, latest: float, content_type: str = JSON, query: Query | None = None
    ) -> Document:
        """Send a write, with one try; later than `latest` (monotonic) it is not sent any more. Raises `NotActed` then."""
        limit = self.settings.write_timeout
        url = _url(path, {**(query or {}), "timeout": f"{limit:g}s"})
        headers = {"Content-Type": content_type}
        return self._renewing(lambda: self._exchange(method, url, body, headers, (limit, limit), latest))

    @contextmanager
    def stream(self, path: str, query: Query, *, silence: float) -> Iterator[Any]:
        """Open a long answer, one try; yields a `urllib3` response to be read piece by piece and shut down from any thread."""
        with _translated():
            response = self._renewing(lambda: self._open("GET", _url(path, query), None, {}, silence))
            try:
                if response.status != 200:
                    raise answers.refusal(response.status, response.headers, response.read(PIECE))
                yield response
            finally:
                response.close()

    def patiently(self, on: tuple[type[Unavailable], ...], patience: Patience, attempt: Callable[[float], T]) -> T:
        """Try until it works, fails otherwise than by `on`, or patience ends; then the last error is raised.

        `attempt` is told the latest moment (monotonic) at which it may begin.
        """
        began, tries = self._monotonic(), 0
        while True:
            tries += 1
            try:
                return attempt(began + patience.longest)
            except on as error:
                left = began + patience.longest - self._monotonic()
                pause = _pause(error, tries, patience)
                if isinstance(error, answers.Expired | Unauthenticated) or tries >= patience.attempts or pause >= left:
                    raise
                waiting.info("no usable answer from the API server, trying again (%d of %d)", tries + 1, patience.attempts)
                log.debug("%s; trying again in %.1f s", error, pause)
            _wait(pause)

    def close(self) -> None:
        """Drop all idle connections."""
        with self._lock:
            if self._session is not None:
                self._session.client.close()

    def _renewing(self, attempt: Callable[[], T]) -> T:
        """Try once more with credentials loaded anew, where those that we have are not accepted (any more)."""
        used = self._session
        try:
            return attempt()
        except Unauthenticated:
            with self._lock:
                if self._session is used:
                    self._session = None
            return attempt()

    def _connected(self) -> "_Session":
        now = time.monotonic()
        with self._lock:
            if self._session is None:
                from reconciler.adapters.cluster_kubernetes.client import ApiClient

                self._session = _Session.of(ApiClient(credentials.load(self.settings)), now)
            elif now - self._session.since > CREDENTIALS_LAST:
                self._session = _Session.of(self._session.client, now)
            return self._session

    def _open(self, method: str, url: str, body: Any, headers: dict[str, str], silence: float, latest: float = math.inf) -> Any:
        session = self._connected()
        # Whoever waited for a slot or for credentials, or was stopped in between, may have lost the lease meanwhile.
        if self._monotonic() > latest:
            raise NotActed("the request was held up for so long that it is not sent any more")
        headers = {"Accept": JSON, "User-Agent": USER_AGENT, **session.headers, **headers}
        times = (self.settings.connect_timeout, silence)
        response = session.client.call_api(method, session.host + url, headers, body, _request_timeout=times).response
        if response.status == 401:
            raise answers.refusal(401, response.headers, _whole(response, silence))
        return response

    def _exchange(
        self,
        method: str,
        url: str,
        body: Any,
        headers: dict[str, str],
        times: tuple[float, float],
        latest: float = math.inf,
    ) -> Document:
        silence, longest = times
        with self._slots, _translated():
            response = self._open(method, url, body, headers, silence, latest)
            content = _whole(response, longest)
        for warning in response.headers.getlist("Warning"):
            # About a read, such as that a kind of somebody else is old, nobody but us can do anything.
            level = logging.DEBUG if method == "GET" else logging.WARNING
            log.log(level, "%s %s: the API server warns: %.500s", method, url.partition("?")[0], warning)
        return answers.document(response.status, response.headers, content)


def _pause(error: Unavailable, tries: int, patience: Patience) -> float:
    """Return the seconds to wait after so many tries: twice as long each time, or as the server asks, within limits."""
    doubled = min(patience.first_pause * 2.0 ** (tries - 1), patience.longest_pause)
    asked = min(error.retry_after or 0.0, patience.longest_retry_after)
    return max(doubled, asked) + random.uniform(0, patience.jitter)  # noqa: S311 - jitter is no secret


def _url(path: str, query: Query | None) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _whole(response: Any, longest: float) -> bytes:
    """Read a whole answer within `longest` seconds; a server that drips must not hold us for ever."""
    ends = time.monotonic() + longest
    pieces: list[bytes] = []
    length = 0
    for piece in response.stream(PIECE, decode_content=True):
        pieces.append(piece)
        length += len(piece)
        if length > LONGEST_ANSWER or time.monotonic() > ends:
            response.close()
            raise Unsure(f"the answer was cut off after {length} bytes and {longest:g} seconds")
    return b"".join(pieces)


@contextmanager
def _translated() -> Iterator[None]:
    """Say of what went wrong below HTTP whether the request can have been carried out."""
    import urllib3.exceptions as below

    from reconciler.adapters.cluster_kubernetes.client import ApiException

    try:
        yield
    except (below.NewConnectionError, below.ConnectTimeoutError, below.ProxyError) as error:
        raise NotActed(f"the API server cannot be reached: {error}") from error
    except ApiException as error:  # the client raises it for TLS only
        reason = str(error.reason).replace("\n", " ")
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            hint = "; check this machine's clock" if "not yet valid" in reason or "expired" in reason else ""
            raise NotActed(f"the API server's certificate is not accepted: {reason}{hint}") from error
        raise Unsure(f"the connection to the API server broke: {reason}") from error
    except (below.HTTPError, OSError) as error:
        raise Unsure(f"the connection to the API server broke: {error}") from error
