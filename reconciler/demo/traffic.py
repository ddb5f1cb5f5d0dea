"""Real traffic for one service of the demo: backends, Envoy, and a stand-in for istiod between the stores and Envoy."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.plans import Split
from reconciler.demo.envoy import Envoy
from reconciler.demo.measured import Era
from reconciler.demo.story import Story
from reconciler.demo.web import PATIENCE, Count, Web
from reconciler.errors import ReconcilerError, Unavailable


@dataclass(slots=True)
class Traffic:
    """Whatever changes in the mesh, Envoy gets the endpoints and weights that istiod would list.

    `split` returns the service's prediction, None while there is no such service. `eras` are what was measured, oldest first;
    the last one is going on. Requests are sent from the first endpoints on.
    """

    web: Web
    envoy: Envoy
    split: Callable[[], Split | None]
    eras: list[Era] = field(default_factory=list)
    error: ReconcilerError | None = None
    _told: threading.Event = field(default_factory=threading.Event)
    _ended: threading.Event = field(default_factory=threading.Event)

    def tell(self) -> None:
        """Say that something may have changed. Cheap; from any thread."""
        self._told.set()

    def wait_for(self, split: Split | None, requests: int) -> None:
        """Wait until so many were measured by this prediction. Raises what has gone wrong, Unavailable."""
        ends = time.monotonic() + PATIENCE
        while not (self.error or (split and self._measured(split) >= requests)):
            if time.monotonic() > ends:
                raise Unavailable(f"no {requests} requests were measured within {PATIENCE:.0f} s")
            self._ended.wait(0.05)
        if self.error:
            raise self.error

    def _measured(self, split: Split) -> int:
        last = self.eras[-1:]
        return sum(one.requests for one in last if one.shares == Era(split).shares)

    def end(self) -> None:
        self._ended.set()
        self._told.set()

    def run(self) -> None:
        """Follow the mesh until `end`; an error ends it too, and is kept."""
        try:
            while not self._ended.is_set():
                self._follow()
                self._told.wait()
                self._told.clear()
        except ReconcilerError as error:
            self.error = error

    def _follow(self) -> None:
        split = self.split()
        if split is None or not split.endpoints or (self.eras and Era(split).shares == self.eras[-1].shares):
            return
        self.web.measure(None)
        self.envoy.balance({one.address: one.weight for one in split.endpoints})
        if not self.eras:
            self.web.send(self.envoy.port)
        era = Era(split)
        self.web.measure(era)
        self.eras.append(era)


@contextmanager
def flowing(command: Path, folder: Path, story: Story, count: Count, split: Callable[[], Split | None]) -> Iterator[Traffic]:
    """Start everything for one service and end it again: first the client, so that no request is cut off."""
    with Web(story.host, story.addresses, story.bad, count) as web, Envoy(command, folder, web.port) as envoy:
        traffic = Traffic(web, envoy, split)
        thread = threading.Thread(target=traffic.run, name="istiod", daemon=True)
        thread.start()
        try:
            yield traffic
        finally:
            traffic.end()
            thread.join(PATIENCE)
            web.finish()
