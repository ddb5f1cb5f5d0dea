"""A blocking query that is asked again and again (https://developer.hashicorp.com/consul/api-docs/features/blocking)."""

import logging
import threading
from collections.abc import Callable

from reconciler.adapters.registry_consul.api import ConsulApi

log = logging.getLogger(__name__)

#: Seconds between two questions, so that a catalog in which something moves all the time is not read all the time, and after
#: one that failed.
BETWEEN, ASK_AGAIN = 1.0, 2.0


class BlockingQuery:
    """One thread that calls `changed` whenever a list has another index than before, until `close`."""

    def __init__(self, api: ConsulApi, path: str, changed: Callable[[], None], between: float = BETWEEN) -> None:
        self._api, self._path, self._changed, self._between = api, path, changed, between
        self._listening, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"watch {path}", daemon=True)
        self._thread.start()

    @property
    def tells_all(self) -> bool:
        """True while `changed` is called for every change: nobody who waits for it need ask."""
        return self._listening.is_set()

    def close(self) -> None:
        """Call `changed` no more. The thread ends with the question that it has asked, within some seconds more than `HOLD`."""
        self._stopping.set()

    def _run(self) -> None:
        index, pause = 0, 0.0
        while not self._stopping.wait(pause):
            try:
                told = self._api.wait(self._path, index)
                if told != index and not self._stopping.is_set():
                    self._changed()
                index, pause = next_index(index, told), self._between
                self._listening.set()
            except Exception as error:  # noqa: BLE001 - nothing but close() may end a watch for good
                self._listening.clear()
                if self._stopping.is_set():
                    return
                log.warning("watch of %s%s: %s", self._api.base, self._path, error)
                index, pause = 0, ASK_AGAIN


def next_index(asked: int, told: int) -> int:
    """Return the index to ask with next: 0, which is answered at once, where Consul's own went back (a restored snapshot)."""
    return told if told >= asked else 0
