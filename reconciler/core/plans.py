"""Plans as values: what a person reviews is what runs. How one is made, `plan` knows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from reconciler.core.changes import Change
from reconciler.core.resources import Key, Revision
from reconciler.errors import Problem

#: Name of the unit that holds the guards on the plan as a whole, and no change.
WHOLE = "all units"


class Mode(StrEnum):
    """Observe: the whole cycle without a write. Enforce: with them. The stricter of target, namespace and unit wins."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


class Wholesale(StrEnum):
    """What becomes of a change that Istio gives to all clients at once; the later word is the stricter one."""

    ALLOW = "allow"
    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """What the operator decided about plans.

    Shares are 0 to 1: of all objects that one plan may delete, of one service's endpoints that it may take away.
    `root_namespace` is Istio's, whose policies bind the whole mesh; `cluster` is the name that istiod knows the cluster by.
    """

    target: str = "default"
    mode: Mode = Mode.ENFORCE
    wholesale: Wholesale = Wholesale.APPROVE
    prune_after: timedelta = timedelta(minutes=30)
    max_deleted_services: int = 3
    max_deleted_share: Fraction = Fraction(3, 10)
    max_lost_endpoints: Fraction = Fraction(1, 3)
    root_namespace: str = "istio-system"
    cluster: str = "Kubernetes"


class GuardCode(StrEnum):
    """Why something is held back; a code never changes its meaning.

    Nothing overrides UNLAWFUL, RESOLUTION, TWO_POLICIES, NO_ROLLOUT, REFUSED_BY_SERVER, NAMESPACE and ACCOUNT_IN_USE: they end
    when their cause does. So does DELETE_NAMESPACE while anything is inside, or nobody can tell.
    """

    HISTORY = "history"
    UNLAWFUL = "unlawful"
    RESOLUTION = "resolution"
    TWO_POLICIES = "two-policies"
    NO_ROLLOUT = "no-rollout"
    REFUSED_BY_SERVER = "refused-by-server"
    NAMESPACE = "namespace"
    WHOLESALE = "wholesale"
    CAVEAT = "caveat"
    PRUNE_AFTER = "prune-after"
    DELETE_SERVICE = "delete-service"
    DELETE_NAMESPACE = "delete-namespace"
    DELETION_BUDGET = "deletion-budget"
    ENDPOINT_BUDGET = "endpoint-budget"
    MASS_DELETION = "mass-deletion"
    ACCOUNT_IN_USE = "account-in-use"
    LAST_ENDPOINT = "last-endpoint"
    HEALTH_BRAKE = "health-brake"


@dataclass(frozen=True, slots=True)
class Guard:
    """A reason why something in a plan is not carried out now.

    `code` is a `GuardCode`; `override` is the name that a person must say to go on (``wholesale:shop/billing``), empty where
    nothing overrides it; `until` is when it lifts by itself. `keys` are the objects that it holds back (all of the unit's if
    empty). `retry` is the id of the rollout to which a person may say `retry` to end it, empty where there is none.
    """

    code: str
    message: str
    override: str = ""
    until: datetime | None = None
    keys: tuple[Key, ...] = ()
    retry: str = ""


@dataclass(frozen=True, slots=True)
class NoWay:
    """Why what Git says of a unit cannot be rolled out, and the object that this is about, where there is one.

    `retry` is the id of the rollout that tried it, where it was refused then, and a person may let it be tried again.
    """

    why: str
    key: Key | None = None
    retry: str = ""


@dataclass(frozen=True, slots=True)
class EndpointShare:
    """One endpoint of a service port: who it is, its weight in Envoy's arithmetic, its share of requests (0 to 1)."""

    name: str
    platform: str
    address: str
    weight: int
    share: Fraction


@dataclass(frozen=True, slots=True)
class Split:
    """Predicted traffic of one service port. `notes` are caveats that weaken or void the prediction."""

    service: str
    port: int
    endpoints: tuple[EndpointShare, ...]
    notes: tuple[str, ...] = ()

    def share(self, platform: str) -> Fraction:
        """Return the summed share of all endpoints of a platform (``vm`` or ``pod``)."""
        return sum((one.share for one in self.endpoints if one.platform == platform), Fraction(0))


@dataclass(frozen=True, slots=True)
class Step:
    """Changes that become true together, as waves of independent writes, and the exposure reached after them (0 to 1)."""

    waves: tuple[tuple[Change, ...], ...]
    exposure: Fraction = Fraction(1)

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for wave in self.waves for change in wave)


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """What happens to one unit.

    `steps` holds what would be written now, `held` what waits behind `guards`. `before` and `after` are the predicted splits
    of the unit's services around the steps. `waits_for` names the units that must be through before this one begins (base
    objects before all that need them, the units that a shared route touches before the route).
    """

    name: str
    mode: Mode
    steps: tuple[Step, ...]
    held: tuple[Change, ...] = ()
    guards: tuple[Guard, ...] = ()
    before: tuple[Split, ...] = ()
    after: tuple[Split, ...] = ()
    problems: tuple[Problem, ...] = ()
    waits_for: tuple[str, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """What would be written now."""
        return tuple(change for step in self.steps for change in step.changes)


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one target for one commit: units in the order in which they are carried out, and a digest of it all.

    A guard on the whole plan stands in a first unit of its own, named `WHOLE`. `why` says for each object which others come
    before it, each with the reason; `order.why_after` asks it.
    """

    target: str
    revision: Revision
    units: tuple[UnitPlan, ...]
    digest: str
    why: Mapping[Key, tuple[tuple[Key, str], ...]] = field(default_factory=dict)

    @property
    def paused(self) -> bool:
        """Whether nothing goes on before a person has accepted the commit, since it does not follow on the last one."""
        return any(guard.code == GuardCode.HISTORY for unit in self.units for guard in unit.guards)
