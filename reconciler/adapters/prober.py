"""Probes of VMs from here, for those that have no agent to make them: `ports.Witness`.

The probe is that of the VM's WorkloadGroup, and the agent's code carries it out, with one difference: it goes to the address of
the WorkloadEntry, and only where the operator lets probes go. Redirects are not followed, and of an answer no more than its
status is told: whoever writes to Git must not look around in our network by it.
"""

import heapq
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from itertools import count

from reconciler.adapters.outbound.addresses import Allowed, Network, is_reached
from reconciler.agent.checks import carry_out
from reconciler.agent.health import Health, Outcome, State
from reconciler.agent.probe import LOCAL, Exec, InvalidProbe, Probe, read_probe
from reconciler.core import records
from reconciler.core.health.witnesses import Patient
from reconciler.core.records import MachineStatus, fit_text
from reconciler.core.resources import Key
from reconciler.ports import Clock

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Round:
    """One VM that is probed again and again; `refused` says why it is not, `probe` is None then."""

    patient: Patient
    probe: Probe | None = None
    refused: str = ""
    health: Health = field(default_factory=Health)
    ended: bool = False

    @property
    def status(self) -> MachineStatus | None:
        """What is known by now."""
        if self.refused:
            return MachineStatus(reason=fit_text(f"it cannot be probed from here: {self.refused}"))
        match self.health.state:
            case State.HEALTHY:
                return MachineStatus(health=records.Health.HEALTHY, reason="its probe from here succeeds")
            case State.UNHEALTHY:
                reason = fit_text(f"its probe from here fails: {self.health.reason}")
                return MachineStatus(health=records.Health.UNHEALTHY, reason=reason)
        return None


class Prober:
    """Probes VMs as often as their probes say, so many at once, from the first subscription on: one look is no verdict."""

    def __init__(self, networks: Sequence[str], clock: Clock, at_once: int = 32) -> None:
        """`networks` are where probes may go, such as ``10.0.0.0/8``. Raises InvalidInput for what is none."""
        self._networks, self._clock, self._at_once = Allowed.of((), networks).networks, clock, at_once
        self._moved = threading.Condition()
        self._rounds: dict[Key, _Round] = {}
        self._due: list[tuple[float, int, _Round]] = []
        self._numbers = count()
        self._listeners: list[Callable[[], None]] = []
        self._pool: ThreadPoolExecutor | None = None
        self._closed = False

    def testify(self, vms: Sequence[Patient]) -> Mapping[Key, MachineStatus]:
        """Return what the probes of these VMs have found so far, and probe them and no others from now on."""
        with self._moved:
            if not self._listeners:
                return {}
            self._look_after({one.key: one for one in vms})
            return {key: status for key, one in self._rounds.items() if (status := one.status)}

    def subscribe(self, changed: Callable[[], None]) -> None:
        """Begin to probe; call `changed` whenever a verdict has changed, from a thread of our own."""
        with self._moved:
            self._listeners.append(changed)
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="probe")
                threading.Thread(target=self._run, args=(self._pool,), name="prober", daemon=True).start()

    def close(self) -> None:
        """Probe no more; a probe that is under way ends by its own timeout and counts nothing."""
        with self._moved:
            self._closed = True
            self._listeners.clear()
            self._moved.notify_all()
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _look_after(self, wanted: Mapping[Key, Patient]) -> None:
        for key, one in list(self._rounds.items()):
            if wanted.get(key) != one.patient:
                one.ended = True
                del self._rounds[key]
        for key in wanted.keys() - self._rounds.keys():
            self._rounds[key] = self._begun(wanted[key])

    def _begun(self, patient: Patient) -> _Round:
        try:
            probe = probe_of(patient, self._networks)
        except InvalidProbe as error:
            log.warning("%s cannot be probed from here: %s", patient.key, error)
            return _Round(patient, refused=str(error))
        one = _Round(patient, probe)
        self._plan(one, self._clock.monotonic() + probe.initial_delay)
        return one

    def _plan(self, one: _Round, due: float) -> None:
        heapq.heappush(self._due, (due, next(self._numbers), one))
        self._moved.notify_all()

    def _run(self, pool: ThreadPoolExecutor) -> None:
        while (one := self._next()) is not None:
            with suppress(RuntimeError):  # closed in this moment
                pool.submit(self._carry_out, *one)

    def _next(self) -> tuple[_Round, Probe] | None:
        """Wait for who is due, and return him; None at the end."""
        with self._moved:
            while not self._closed:
                now = self._clock.monotonic()
                if not self._due or self._due[0][0] > now:
                    self._moved.wait(self._due[0][0] - now if self._due else None)
                    continue
                _, _, one = heapq.heappop(self._due)
                if not one.ended and one.probe is not None:
                    return one, one.probe
        return None

    def _carry_out(self, one: _Round, probe: Probe) -> None:
        began = self._clock.monotonic()
        outcome = _outcome(one.patient, probe)
        with self._moved:
            if one.ended or self._closed:
                return
            before, one.health = one.health, one.health.after(outcome, probe)
            self._plan(one, max(began + probe.period, self._clock.monotonic()))
            listeners = tuple(self._listeners) if (before.state, before.reason) != one.health[:2] else ()
        for changed in listeners:
            changed()


def probe_of(patient: Patient, networks: Sequence[Network]) -> Probe:
    """Return the probe of a VM as it is carried out from here. Raises InvalidProbe where it must not, or cannot be."""
    if not patient.probe:
        raise InvalidProbe("its WorkloadGroup has no probe")
    probe = read_probe(patient.probe)
    if isinstance(probe.check, Exec):
        raise InvalidProbe("a command can be run on the VM alone")
    if probe.check.host not in (LOCAL, patient.address):
        # Loopback, too: what listens there alone does not answer us, however well it is.
        raise InvalidProbe(f"it goes to {probe.check.host} instead of the VM's address")
    try:
        address = ip_address(patient.address)
    except ValueError as error:
        raise InvalidProbe("the VM's address is no IP address") from error
    if not is_reached(address, networks):
        raise InvalidProbe(f"the operator does not let probes go to {address} (health.probe_networks)")
    return probe._replace(check=probe.check._replace(host=str(address)))


def _outcome(patient: Patient, probe: Probe) -> Outcome:
    try:
        return carry_out(probe.check, probe.timeout)
    except Exception as error:
        # Whatever it is, the last verdict must not stand for ever.
        log.exception("%s: a bug in the probe", patient.key)
        return Outcome(well=False, reason=f"a bug in the probe: {type(error).__name__}")
