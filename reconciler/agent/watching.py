"""One thread a workload, which probes it as often as its probe says and keeps the verdict."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from typing import Callable

from reconciler.agent.checks import carry_out
from reconciler.agent.conversation import Workload
from reconciler.agent.health import Health, Outcome, State
from reconciler.agent.probe import Exec, InvalidProbe, Probe, read_probe

log = logging.getLogger("agent")

#: Who asks for no probe is well as long as the agent is heard of: so does Istio without a readiness probe.
UNPROBED = Health(State.HEALTHY, "no probe is asked for")
#: Characters of a reason that are passed on.
LONGEST_REASON = 200


class Watch:
    """Probes one workload from now on; `changed` is called from its thread when the verdict does."""

    def __init__(self, name: str, probe: Probe, changed: Callable[[], None]) -> None:
        self.health = Health()
        self._name, self._probe, self._changed = name, probe, changed
        self._ended = threading.Event()
        threading.Thread(target=self._run, name=f"probe {name}", daemon=True).start()

    def end(self) -> None:
        """Probe no more; a probe that is under way counts nothing."""
        self._ended.set()

    def _run(self) -> None:
        if self._ended.wait(self._probe.initial_delay):
            return
        while True:
            began = time.monotonic()
            outcome = self._outcome()
            if not self._ended.is_set():
                self._take_in(outcome)
            if self._ended.wait(max(0.0, began + self._probe.period - time.monotonic())):
                return

    def _outcome(self) -> Outcome:
        try:
            return carry_out(self._probe.check, self._probe.timeout)
        except Exception as error:  # whatever it is, the last verdict must not stand for ever
            log.exception("%s: a bug in the probe", self._name)
            return Outcome(well=False, reason=f"a bug in the probe: {type(error).__name__}")

    def _take_in(self, outcome: Outcome) -> None:
        before, self.health = self.health, self.health.after(outcome, self._probe)
        if self.health.state is not before.state:
            log.info("%s is %s%s", self._name, self.health.state.value, self.health.reason and f": {self.health.reason}")
            self._changed()


class Watches:
    """The watches over all workloads that the registry has named last."""

    def __init__(self, changed: Callable[[], None], *, allow_exec: bool) -> None:
        self._changed, self._allow_exec = changed, allow_exec
        self._found: dict[Workload, Watch | Health] = {}

    def follow(self, workloads: Iterable[Workload]) -> None:
        """Watch these and no others; one whose probe is another now begins anew."""
        before, self._found = self._found, {}
        for workload in workloads:
            self._found[workload] = before[workload] if workload in before else self._begin(workload)
        for workload, gone in before.items():
            if workload not in self._found and isinstance(gone, Watch):
                gone.end()

    def reports(self) -> list[dict[str, str]]:
        """Return what the registry is told. Whoever has not been probed often enough yet is left out: nothing is known."""
        found = ((workload, one.health if isinstance(one, Watch) else one) for workload, one in self._found.items())
        return [
            {
                "namespace": one.namespace,
                "name": one.name,
                "health": health.state.value,
                "reason": health.reason[:LONGEST_REASON],
            }
            for one, health in found
            if health.state is not State.UNKNOWN or health.reason
        ]

    def _begin(self, workload: Workload) -> Watch | Health:
        if not workload.probe:
            return UNPROBED
        try:
            probe = read_probe(workload.probe_document)
        except InvalidProbe as error:
            return _unprobed(workload, str(error))
        if isinstance(probe.check, Exec) and not self._allow_exec:
            return _unprobed(workload, "it takes a command, and allowExec is off here")
        return Watch(str(workload), probe, self._changed)


def _unprobed(workload: Workload, why: str) -> Health:
    log.warning("%s cannot be probed: %s", workload, why)
    return Health(State.UNKNOWN, f"cannot be probed: {why}")
