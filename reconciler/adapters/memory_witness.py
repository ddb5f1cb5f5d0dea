"""The checks of an agent of Consul, in memory, for tests. They keep the promises of the real ones."""

import threading
from collections.abc import Callable, Mapping, Sequence

from reconciler.core.health.witnesses import Patient
from reconciler.core.records import Health, MachineStatus
from reconciler.core.resources import Key
from reconciler.errors import Unavailable


class MemoryChecks:
    """Checks by address. `down` makes it unreachable."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checks: dict[tuple[str, str, str], str] = {}
        self._listeners: list[Callable[[], None]] = []
        self.down = False

    def check(self, address: str, name: str, status: str, service: str = "") -> None:
        """Let a check have a status (passing, warning, critical): one of the node, or of a service on it."""
        with self._lock:
            self._checks[address, service, name] = status
            listeners = tuple(self._listeners)
        for changed in listeners:
            changed()

    def testify(self, vms: Sequence[Patient]) -> Mapping[Key, MachineStatus]:
        """Return what the checks say. Raises Unavailable."""
        if self.down and vms:
            raise Unavailable("Consul cannot be reached")
        with self._lock:
            said = {one.key: self._said(one) for one in vms}
        return {key: status for key, status in said.items() if status is not None}

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Call `changed` after every change, from the thread that made it."""
        with self._lock:
            self._listeners.append(changed)

    def close(self) -> None:
        """Forget the listeners."""
        with self._lock:
            self._listeners.clear()

    def _said(self, vm: Patient) -> MachineStatus | None:
        seen = {
            (service, name): status
            for (address, service, name), status in self._checks.items()
            if address == vm.address and (not vm.service or service in ("", vm.service))
        }
        if not seen or (vm.service and not any(service for service, _ in seen)):
            return None
        ill = sorted(name for (_, name), status in seen.items() if status == "critical")
        if ill:
            return MachineStatus(health=Health.UNHEALTHY, reason=f"Consul's check {ill[0]} is critical")
        return MachineStatus(health=Health.HEALTHY, reason="Consul's checks pass")
