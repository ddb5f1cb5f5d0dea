"""One target in memory, with all that it lives among: Git, cluster, VM registry, state store, lease and clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import yaml

from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.adapters.memory_lease import Leases, MemoryLease
from reconciler.adapters.memory_registry import MemoryRegistry
from reconciler.adapters.memory_source import MemorySource
from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.gates.people import People
from reconciler.core.gates.reading import Library
from reconciler.core.health.sources import Source as HealthSource
from reconciler.core.plans import PlanSettings
from reconciler.core.report import Report
from reconciler.core.resources import Document, Key, LiveObject, Pod
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.wanted import FIELD_MANAGER
from reconciler.cycle.run import Cycle
from reconciler.cycle.target import NOTHING_SAID, Policy, Ports
from reconciler.desired.crds import Crds, MakeSchemas
from reconciler.errors import Problem
from reconciler.ports import Cluster, Discovery, FleetOffice, Lease, Metrics, ParseCache, Source, Store, VMRegistry, Witness
from reconciler.rollouts.gating import Gatekeeper
from tests.building import document, service_entry, workload_entry
from tests.contracts.clock import SetClock

TARGET = "test"
SHOP = document("Namespace", "shop", "")
SELECTOR = {"labels": {"app": "billing"}}


def mixed(*machines: Document, **spec: Any) -> list[Document]:
    """The service billing in the namespace shop, behind a selector, with these WorkloadEntries (two, if none are given)."""
    entries = machines or (workload_entry("vm1"), workload_entry("vm2", address="10.0.0.2"))
    return [SHOP, service_entry(workloadSelector=SELECTOR, **spec), *entries]


def inline(*addresses: str) -> list[Document]:
    """The service billing with inline endpoints."""
    endpoints = [{"address": address, "labels": {"app": "billing"}} for address in addresses or ("10.0.0.1", "10.0.0.2")]
    return [SHOP, service_entry(endpoints=endpoints)]


def pod(number: int) -> Pod:
    """A ready Pod of billing."""
    return Pod("shop", f"billing-{number}", f"10.1.0.{number}", {"app": "billing"}, ready=True, service_account="default")


def text(documents: Iterable[Document]) -> str:
    """Documents as one manifest file."""
    return yaml.safe_dump_all(documents, sort_keys=False)


class Forgetful:
    """A parse cache that keeps nothing."""

    def get(self, ids: Iterable[str]) -> dict[str, bytes]:  # noqa: ARG002 - as the port has it
        return {}

    def put(self, entries: Mapping[str, bytes]) -> None: ...

    def close(self) -> None: ...


#: Units without a RolloutPolicy change in one step here, unless a test says otherwise.
USUAL: dict[str, Any] = {"workers": 4, "rollouts": RolloutLimits(careful=False)}


class NoSchemas:
    """Schemas that find nothing wrong."""

    def __init__(self, documents: Sequence[Document], origin: str) -> None:
        self.documents, self.origin, self.id = documents, origin, "none"

    def judge(self, documents: Sequence[Document]) -> list[tuple[Problem, ...]]:
        return [()] * len(documents)


@dataclass
class World:
    """A target in memory. Processes share everything but their view of the lease; one may be given a port of its own."""

    clock: SetClock = field(default_factory=SetClock)
    source: MemorySource = field(default_factory=MemorySource)
    registry: MemoryRegistry = field(init=False)
    cluster: MemoryCluster = field(init=False)
    store: MemoryStore = field(default_factory=MemoryStore)
    leases: Leases = field(default_factory=Leases)

    def __post_init__(self) -> None:
        self.registry = MemoryRegistry(self.clock)
        self.cluster = MemoryCluster(self.clock, FIELD_MANAGER)

    def process(
        self,
        holder: str = "one:1",
        *,
        plan: PlanSettings | None = None,
        source: Source | None = None,
        cluster: Cluster | None = None,
        registry: VMRegistry | None = None,
        store: Store | None = None,
        cache: ParseCache | None = None,
        make_schemas: MakeSchemas = NoSchemas,
        lease: Lease | None = None,
        metrics: Metrics | None = None,
        office: FleetOffice | None = None,
        discovery: Discovery | None = None,
        witnesses: Mapping[HealthSource, Witness] | None = None,
        people: People = People(),  # noqa: B008 - a frozen value
        **policy: Any,
    ) -> Cycle:
        """A process that runs cycles on the target; `policy` are fields of `Policy`."""
        ports = Ports(
            source=source or self.source,
            cache=cache or Forgetful(),
            cluster=cluster or self.cluster,
            registry=registry or self.registry,
            store=store or self.store,
            lease=lease or self.lease(),
            clock=self.clock,
            crds=Crds(cluster or self.cluster, store or self.store, make_schemas),
            gatekeeper=Gatekeeper(metrics, library=Library(people=people)),
            office=office,
            discovery=discovery,
            witnesses=witnesses or {},
        )
        settings = replace(plan or PlanSettings(), target=TARGET)
        pause = lambda seconds: self.pass_time(seconds=seconds)  # noqa: E731 - one line says it
        return Cycle(ports, Policy(TARGET, holder, plan=settings, **{**USUAL, **policy}), pause)

    def lease(self) -> Lease:
        """One more process's view of the target's lease."""
        return MemoryLease(self.leases, TARGET, self.clock.monotonic)

    def commit(self, documents: Iterable[Document], **files: str) -> str:
        """Commit these documents and no others; `files` are further files (name without suffix -> text)."""
        more = {f"{name}.yaml": content.encode() for name, content in files.items()}
        return self.source.commit({"mesh.yaml": text(documents).encode(), **more}, subject="change")

    def run(self, command: str = "apply", cycle: Cycle | None = None, **request: Any) -> Report:
        """Run one command of a process of its own, or a cycle of this one, as a person would; `request`: fields of Request."""
        process = cycle or self.process(f"run:{self.clock.monotonic()}")
        asked = replace(NOTHING_SAID, **request) if request else NOTHING_SAID
        report = process.run(command, write=command in ("apply", "serve"), request=asked)
        if cycle is None:
            process.authority.release()
        return report

    def serve(self, cycle: Cycle) -> Report:
        """One pass of a serving process after a poll."""
        cycle.poll_due()
        return cycle.run("serve", write=True)

    def edit(self, kind: str, name: str, patch: Document, manager: str = "kubectl-edit") -> None:
        """Somebody changes an object of the namespace shop by hand."""
        self.cluster.edit(Key(kind, "shop", name), patch, manager)

    def live(self, kind: str, name: str, namespace: str = "shop") -> LiveObject | None:
        """An object of cluster or registry."""
        key = Key(kind, namespace, name)
        return self.registry.get(key) if kind == "VirtualMachine" else self.cluster.get(key)

    def spec(self, kind: str, name: str) -> Document:
        """The spec of an object that must be there."""
        live = self.live(kind, name)
        assert live is not None, f"{kind} {name} is not there"
        spec: Document = live.document["spec"]
        return spec

    def pass_time(self, **duration: float) -> None:
        """Let time pass."""
        self.clock.pass_time(timedelta(**duration))


@dataclass
class Hooked:
    """A port that calls `before` with the method's name and arguments ahead of every call of the port it stands for."""

    port: Any
    before: Callable[..., None]

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.port, name)
        if not callable(method):
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            self.before(name, *args)
            return method(*args, **kwargs)

        return call
