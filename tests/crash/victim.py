"""A process that works on a real API server, with store and registry in files, and may kill itself on the way.

It is forked from a server that has imported everything, so that hundreds of them may live and die in a test.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol, Self

import yaml

from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesCluster, KubernetesSettings
from reconciler.adapters.lease_kubernetes import KubernetesLease
from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.adapters.memory_source import MemorySource
from reconciler.adapters.registry_sql import SqlRegistry
from reconciler.adapters.store_sql import SqlStore
from reconciler.core.report import Report, Verdict, Written
from reconciler.core.resources import Document
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.cycle.run import Cycle
from reconciler.cycle.target import Policy, Ports
from reconciler.desired.crds import Crds
from tests.contracts.clock import SetClock
from tests.crash import mesh
from tests.crash.points import CHANGING, Points
from tests.worlds import TARGET, USUAL, Forgetful, NoSchemas

#: Seconds in which a run has ended, on a busy machine.
LONGEST = 50.0

# What is imported late, and takes long, is imported by the server that all victims are forked from.
for late in ("kubernetes.client", "reconciler.core.manifests.loader"):
    import_module(late)


@dataclass(frozen=True)
class Place:
    """Where a target is: one namespace of an API server, and a folder for the two databases."""

    kubeconfig: Path
    namespace: str
    folder: Path

    @property
    def store(self) -> SqlStore:
        """The state store; to be closed."""
        return SqlStore(f"sqlite:///{self.folder}/state.db", TARGET)

    def registry(self, clock: SetClock) -> SqlRegistry:
        """The VM registry; to be closed."""
        return SqlRegistry(f"sqlite:///{self.folder}/registry.db", TARGET, clock)


@dataclass(frozen=True)
class Ended:
    """How a process ended: killed, or with the verdict and the number of writes of each run, and the points that it passed.

    `said` is all that went wrong in any run, so that a failed assertion shows it.
    """

    killed: bool
    verdicts: tuple[Verdict, ...] = ()
    written: tuple[int, ...] = ()
    said: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


class Job(Protocol):
    """What a process does before it ends by itself. It is sent to the process, so it is a value."""

    def run(self, place: Place, points: Points, clock: SetClock) -> Ended:
        """Do it, with all ports around these points."""


@dataclass(frozen=True)
class Applies:
    """Applies the newest of some commits, as often as `runs` says."""

    commits: Sequence[Sequence[Document]]
    runs: int = 1

    def run(self, place: Place, points: Points, clock: SetClock) -> Ended:
        """Run `apply`, and give the lease back."""
        ports = ports_of(place, self.commits, points, clock)
        policy = Policy(TARGET, f"victim:{os.getpid()}", plan=mesh.PLAN, **USUAL)
        # A dead holder's lease is waited for: its 30 s pass in three looks.
        cycle = Cycle(ports, policy, lambda seconds: clock.pass_time(timedelta(seconds=seconds * 12)))
        reports = [cycle.run("apply", write=True) for _ in range(self.runs)]
        cycle.authority.release()
        ports.close()
        return ended_by_itself(reports, points)


class Victim:
    """A process that does a job, and sends itself a signal at one point.

    SIGKILL ends it; from SIGSTOP it wakes up by SIGCONT, for itself ten minutes later.
    """

    def __init__(self, place: Place, job: Job, *, at: str = "", by: signal.Signals = signal.SIGKILL) -> None:
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload([__name__])
        self._told, telling = forks.Pipe(duplex=False)
        self._process = forks.Process(target=_live, args=(place, job, at, by, telling))
        self._process.start()
        telling.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing behind, whatever became of it."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self._told.close()

    def sleeps(self) -> bool:
        """Whether it was stopped."""
        return Path(f"/proc/{self._process.pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].startswith("T")

    def wake(self) -> None:
        """Let it go on."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def ended(self) -> Ended:
        """Wait for its end."""
        assert self._told.poll(LONGEST), "it hangs"
        try:
            ended: Ended = self._told.recv()
        except EOFError:
            ended = Ended(killed=True)
        self._process.join(LONGEST)
        assert self._process.exitcode == (-signal.SIGKILL if ended.killed else 0)
        return ended


def ended(place: Place, job: Job, *, at: str = "") -> Ended:
    """How a process ends that kills itself at a point, or to which nothing happens."""
    with Victim(place, job, at=at) as victim:
        return victim.ended()


def _live(place: Place, job: Job, at: str, by: signal.Signals, telling: Connection) -> None:
    clock = SetClock()

    def strike() -> None:
        # A signal to the process may be taken by another thread, while this one goes on for a moment: into a transaction.
        signal.pthread_kill(threading.get_ident(), by)
        clock.pass_time(timedelta(minutes=10))

    telling.send(job.run(place, Points(at, strike, together=by is signal.SIGKILL), clock))


def ended_by_itself(reports: Sequence[Report], points: Points) -> Ended:
    """How a process ended that these runs are of."""
    return Ended(
        killed=False,
        verdicts=tuple(one.verdict for one in reports),
        written=tuple(report.written(Written.DONE) for report in reports),
        said=tuple(text for one in reports for text in _said(one)),
        points=tuple(points.passed),
    )


def _said(report: Report) -> Iterator[str]:
    """All that went wrong in a run."""
    yield from filter(None, (report.reason, *map(str, report.problems)))
    yield from (f"{one.key} {one.written}: {one.message}" for one in report.results if one.message)


def ports_of(place: Place, commits: Sequence[Sequence[Document]], points: Points, clock: SetClock) -> Ports:
    """The ports of a process, with a point ahead of and after each call that changes something; to be closed."""
    source = MemorySource()
    for documents in commits:
        source.commit({"mesh.yaml": yaml.safe_dump_all(documents).encode()})
    api = KubernetesApi(KubernetesSettings(place.kubeconfig, namespaces=(place.namespace,), concurrency=4))
    store = place.store
    return Ports(
        source=source,
        cache=Forgetful(),
        cluster=points.around("cluster", KubernetesCluster(api, FIELD_MANAGER), CHANGING["cluster"]),
        registry=points.around("registry", place.registry(clock), CHANGING["registry"]),
        store=points.around("store", store, CHANGING["store"]),
        lease=points.around("lease", KubernetesLease(api, TARGET, place.namespace, clock.monotonic), CHANGING["lease"]),
        clock=clock,
        crds=Crds(MemoryCluster(clock, FIELD_MANAGER), store, NoSchemas),  # the real ones take long to read and add nothing
    )
