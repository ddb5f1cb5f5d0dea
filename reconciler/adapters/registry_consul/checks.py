"""The checks that agents of Consul make of VMs, as a source of health: `ports.Witness`. Nothing is ever written."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from reconciler.adapters.registry_consul.api import ConsulApi, ConsulSettings, its_own_form
from reconciler.adapters.registry_consul.entries import about, canonical, checks_by_address, judged
from reconciler.adapters.registry_consul.registry import CHECKS, NODES
from reconciler.adapters.registry_consul.watch import BlockingQuery
from reconciler.core.health.witnesses import Patient
from reconciler.core.records import MachineStatus
from reconciler.core.resources import Key

log = logging.getLogger(__name__)


class ConsulChecks:
    """All checks on nodes at a VM's address, or those on the node and of the one service that Git names.

    Where Consul has no check of that service, or of anything at that address, nothing is known: what an agent has taken away
    says nothing of the VM.
    """

    def __init__(self, settings: ConsulSettings) -> None:
        """Raises InvalidInput for a URL that is none."""
        self._api = ConsulApi(settings)
        self._reading = threading.Lock()
        self._at: Mapping[str, Sequence[Mapping[str, Any]]] | None = None
        self._stale = threading.Event()
        self._listeners: list[Callable[[], None]] = []
        self._watches: tuple[BlockingQuery, ...] = ()

    def testify(self, vms: Sequence[Patient]) -> Mapping[Key, MachineStatus]:
        """Return what is known of these VMs. Raises Unavailable, Rejected."""
        if not vms:
            return {}
        at = self._newest()
        found = ((one.key, at.get(canonical(one.address), ()), one.service) for one in vms)
        with its_own_form():
            said = ((key, judged(about(service, checks) if service else checks)) for key, checks, service in found)
            return {key: status for key, status in said if status is not None}

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Call `changed` soon after anything in the catalog has changed, once somebody was asked about; from our own thread."""
        with self._reading:
            self._listeners.append(changed)

    def close(self) -> None:
        """Call no listener any more."""
        for watch in self._watches:
            watch.close()

    def _newest(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        with self._reading:
            if self._listeners and not self._watches:
                self._watches = tuple(BlockingQuery(self._api, path, self._moved) for path in (NODES, CHECKS))
            watched = self._watches and all(one.tells_all for one in self._watches)
            if self._at is None or not watched or self._stale.is_set():
                self._stale.clear()
                try:
                    nodes, checks = self._api.read(NODES), self._api.read(CHECKS)
                    with its_own_form():
                        self._at = checks_by_address(nodes, checks)
                except BaseException:
                    self._stale.set()
                    raise
            return self._at

    def _moved(self) -> None:
        self._stale.set()
        for changed in tuple(self._listeners):
            try:
                changed()
            except Exception:
                # The watch must outlive a bug of whoever listens.
                log.exception("bug in a listener to Consul's checks")
