"""Requests that never stop, and what was measured of them while Envoy had one set of endpoints.

Nobody tells when istiod's news reach Envoy. So time is cut into slices, and a slice counts where Envoy had the same endpoints
before and after it; requests of other slices count for failures alone.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from reconciler.core.plans import EndpointShare, Split
from reconciler.demo.measured import Era
from reconciler.demo.web import Web
from tests.mesh.sidecar import Sidecar
from tests.waiting import SOON, becomes

#: Seconds of one slice.
SLICE = 0.1
#: So many requests tell a share.
ENOUGH = 300


@dataclass(slots=True)
class Traffic:
    """`eras` are what was measured, oldest first, the last one going on; `platforms` tell VMs from Pods by address."""

    web: Web
    sidecar: Sidecar
    platforms: Mapping[str, str]
    eras: list[Era] = field(default_factory=list)
    error: BaseException | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send and to measure."""
        self.web.send(self.sidecar.port)
        self._thread = threading.Thread(target=self._run, name="measuring", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Measure no more, then send no more: no request is cut off."""
        self._ended.set()
        if self._thread:
            self._thread.join(SOON)
            self.web.finish()

    def requests(self, shares: Mapping[str, Fraction]) -> int:
        """How many were measured while Envoy divided them by these shares, by address. Raises what has gone wrong."""
        if self.error:
            raise self.error
        return sum(one.requests for one in self.eras if one.shares == shares)

    def wait_for(self, shares: Mapping[str, Fraction], requests: int = ENOUGH) -> None:
        """Wait until so many were measured while Envoy divided them by these shares."""
        assert becomes(lambda: self.requests(shares) >= requests), f"Envoy has {self.sidecar.endpoints()}, wanted are {shares}"

    def _run(self) -> None:
        try:
            before = self.sidecar.endpoints()
            while not self._ended.is_set():
                before = self._slice(before)
        except BaseException as error:  # noqa: BLE001 - it is raised where the test waits
            self.error = error

    def _slice(self, before: dict[str, int]) -> dict[str, int]:
        """Measure one slice; returns the endpoints that Envoy has after it."""
        self.sidecar.settle()
        found = Era(self._split(before))
        self.web.measure(found)
        self._ended.wait(SLICE)
        self.web.measure(None)
        after = self.sidecar.endpoints()
        if after == before:
            self._keep(found)
        return after

    def _keep(self, found: Era) -> None:
        if not self.eras or self.eras[-1].shares != found.shares:
            self.eras.append(found)
            return
        self.eras[-1].answered.update(found.answered)
        self.eras[-1].failed.update(found.failed)

    def _split(self, endpoints: Mapping[str, int]) -> Split:
        total = sum(endpoints.values())
        found = (
            EndpointShare(address, self.platforms[address], address, weight, Fraction(weight, total))
            for address, weight in sorted(endpoints.items())
        )
        return Split(self.sidecar.host, self.sidecar.service_port, tuple(found))
