"""One thread per watched collection: list, watch, resume where the watch ended, list again from time to time.

A watch may end at any moment, silently, in mid-line or never; it may say that our version is too old (410, as a status or as
an event). Everything leads back to one of two places: watch on from the last version seen, or list anew. A full list each
`relist_interval` heals what was lost unnoticed.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from reconciler.adapters.cluster_kubernetes.answers import Expired, NotServed, Unsure
from reconciler.adapters.cluster_kubernetes.api import KubernetesApi
from reconciler.adapters.cluster_kubernetes.listing import list_all
from reconciler.adapters.cluster_kubernetes.mirror import Mirror, Scope
from reconciler.adapters.cluster_kubernetes.resources import Versions, collection
from reconciler.errors import Rejected, Unavailable

log = logging.getLogger(__name__)

PIECE = 1 << 16
#: The longest line of a watch, in bytes: an object in etcd is at most 1.5 MB.
LONGEST_LINE = 1 << 23
#: First pause after a failure, in seconds.
FIRST_PAUSE = 0.2
#: How long to wait, at most, before asking again for what nobody serves or what we may not read, in seconds.
ASK_AGAIN = 60.0
#: A watch that ended sooner was no watch: it is not renewed at once.
SHORTEST_WATCH = 1.0


class Watcher:
    """Keeps one scope of the mirror true until stopped. `forbidden` is asked what to do where we may not list it."""

    def __init__(
        self, api: KubernetesApi, versions: Versions, mirror: Mirror, scope: Scope, forbidden: Callable[[Scope, Rejected], bool]
    ) -> None:
        self.scope = scope
        self._api, self._versions, self._mirror, self._forbidden = api, versions, mirror, forbidden
        self._stopping = threading.Event()
        self._response: Any = None
        self._served = ""
        self._version = ""
        self._next_list = 0.0
        self._failures = 0
        name = f"watch-{scope.resource.kind.plural}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End soon, also in the middle of a silent watch."""
        self._stopping.set()
        if self._response is not None:
            with suppress(Exception):  # it may end by itself at this very moment
                self._response.shutdown()

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        self._thread.join(seconds)

    def _run(self) -> None:
        pause = 0.0
        while not self._stopping.wait(pause):
            try:
                pause = self._turn()
                self._failures = 0
            except NotServed:
                # Where the watch was told so, the list comes next: it looks for other versions first.
                pause = FIRST_PAUSE if self._version else self._until_asked_again()
                if not self._version:
                    self._mirror.mark(self.scope, unserved=True)
                self._version = ""
            except Rejected as error:
                self._version = ""
                if self._forbidden(self.scope, error):
                    return
                pause = self._until_asked_again()
            except Exception as error:  # noqa: BLE001 - nothing but stop() may end a watch for good
                if not self._stopping.is_set():  # a stream that is shut down in the middle fails in many ways
                    pause = self._after(error)

    def _turn(self) -> float:
        """List where that is due, then watch until the watch ends; returns how long to wait before the next turn."""
        if not self._version or time.monotonic() >= self._next_list:
            self._list()
        began = time.monotonic()
        self._watch(min(self._api.settings.watch_length * random.uniform(0.8, 1.0), self._next_list - began))  # noqa: S311
        return 0.0 if time.monotonic() - began >= SHORTEST_WATCH else SHORTEST_WATCH

    def _list(self) -> None:
        kind, page_size = self.scope.resource.kind, self._api.settings.page_size

        def attempt(served: str) -> None:
            listing = list_all(self._api.get, self.scope.resource, served, self.scope.namespace, page_size)
            self._mirror.listed(self.scope, listing)
            self._version, self._served = listing.version, served

        self._versions.request(kind, attempt)
        self._next_list = time.monotonic() + self._until_next_list()

    def _watch(self, seconds: float) -> None:
        path = collection(self.scope.resource.kind, self._served, self.scope.namespace)
        query: dict[str, str | int] = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": max(1, int(seconds)),
        }
        with self._api.stream(path, query, silence=self._api.settings.watch_silence) as self._response:
            if self._stopping.is_set():
                return
            self._mirror.mark(self.scope)
            for line in _lines(self._response):
                self._take(line)
                self._failures = 0

    def _take(self, line: bytes) -> None:
        try:
            event = json.loads(line)
            sort, raw = event["type"], event["object"]
            if sort == "ERROR":
                raise (Expired if raw.get("code") == 410 else Unsure)(f"the watch was ended: {raw.get('message')}")
            if sort == "BOOKMARK":
                self._version = raw["metadata"]["resourceVersion"]
                return
            one = self.scope.resource.held(raw)
            if raw.get("kind", self.scope.resource.kind.name) != self.scope.resource.kind.name:
                raise Unsure(f"the watch of {self.scope.resource.kind.plural} brought {raw['kind']}")
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise Unsure(f"the watch of {self.scope.resource.kind.plural} makes no sense: {error!r}") from error
        if sort == "DELETED":
            self._mirror.drop(self.scope, one)
        else:
            self._mirror.put(self.scope, one)
        self._version = one.version

    def _after(self, error: Exception) -> float:
        """Return the pause after a failure. After a second one in a row the copy is not trusted until a watch is open again.

        A first one is nothing special: connections break, and the next watch goes on where this one ended.
        """
        if not isinstance(error, Unavailable):
            log.error("bug in the watch of %s", self.scope.resource.kind.plural, exc_info=error)
            error = Unavailable(f"internal error ({type(error).__name__}); see the log")
        if isinstance(error, Expired):
            self._version = ""
        elif self._failures:
            self._mirror.mark(self.scope, problem=Unavailable(f"{self.scope.resource.kind.plural}: {error}"))
        log.debug("watch of %s: %s", self.scope.resource.kind.plural, error)
        pause = min(FIRST_PAUSE * 2.0**self._failures, self._api.settings.watch_pause)
        self._failures = min(self._failures + 1, 10)
        asked = min(error.retry_after or 0.0, self._api.settings.reading.longest_retry_after)
        return max(pause * random.uniform(0.5, 1.0), asked)  # noqa: S311

    def _until_asked_again(self) -> float:
        return min(self._until_next_list(), ASK_AGAIN)

    def _until_next_list(self) -> float:
        return self._api.settings.relist_interval.total_seconds() * random.uniform(0.9, 1.1)  # noqa: S311


def _lines(response: Any) -> Iterator[bytes]:
    """Yield the complete lines of an answer; what stands after the last line end is a line cut short, and is dropped."""
    rest = b""
    for piece in response.stream(PIECE):
        *lines, rest = (rest + piece).split(b"\n")
        yield from (line for line in lines if line.strip())
        if len(rest) > LONGEST_LINE:
            raise Unsure(f"the watch sent a line of more than {LONGEST_LINE} bytes")
