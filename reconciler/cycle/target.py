"""One target as values: the world that it lives in, what its operator decided, what a person says with one run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.core.adoption import NOTHING, Adoption
from reconciler.core.health.brakes import Brake
from reconciler.core.health.sources import Source as HealthSource
from reconciler.core.owned import Conflicts
from reconciler.core.plans import Mode, Plan, PlanSettings
from reconciler.core.report import WriteResult
from reconciler.core.rollouts.policies import RolloutLimits
from reconciler.core.rollouts.seen import Pace
from reconciler.desired.crds import Crds
from reconciler.ports import Clock, Cluster, Discovery, FleetOffice, Lease, ParseCache, Source, Store, VMRegistry, Witness
from reconciler.rollouts.gating import Gatekeeper


@dataclass(frozen=True, slots=True)
class Ports:
    """The world of one target. `office` is the registry's server, where there is one and somebody has a token for it.

    `witnesses` are those who tell how VMs are beside their agents, as far as the operator has named them. `discovery` is who
    tells proxies of endpoints, where it may be asked.
    """

    source: Source
    cache: ParseCache
    cluster: Cluster
    registry: VMRegistry | None
    store: Store
    lease: Lease
    clock: Clock
    crds: Crds
    gatekeeper: Gatekeeper = field(default_factory=Gatekeeper)
    office: FleetOffice | None = None
    discovery: Discovery | None = None
    witnesses: Mapping[HealthSource, Witness] = field(default_factory=dict)

    def close(self) -> None:
        """Close everything that holds connections, files or threads."""
        parts = (self.source, self.cache, self.cluster, self.registry, self.store, self.office, self.discovery)
        for port in (*parts, *self.witnesses.values()):
            if port is not None:
                port.close()


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decided for the target. `holder` names this process in the lease.

    `require_join`: whether WorkloadEntries wait for their VMs, None where a server of ours keeps the VM registry.
    """

    target: str
    holder: str
    mode: Mode = Mode.ENFORCE
    conflicts: Conflicts = Conflicts.YIELD
    plan: PlanSettings = field(default_factory=PlanSettings)
    strict_kinds: bool = False
    namespaces: frozenset[str] | None = None
    rollouts: RolloutLimits = field(default_factory=RolloutLimits)
    pace: Pace = field(default_factory=Pace)
    brake: Brake = field(default_factory=Brake)
    lease_ttl: timedelta = timedelta(seconds=30)
    keep_history: timedelta = timedelta(days=30)
    workers: int = 16
    require_join: bool | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What a person says with one run: adoptions, named overrides, names to prune now, and the digest that all this is for."""

    adoption: Adoption = NOTHING
    allow: frozenset[str] = frozenset()
    prune_now: frozenset[str] = frozenset()
    digest: str = ""


NOTHING_SAID = Request()


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run tells how far it is: the plan before its first write, then each result."""

    began: Callable[[Plan], None]
    wrote: Callable[[WriteResult], None]


#: Tells nobody.
SILENT = Progress(lambda _plan: None, lambda _result: None)
