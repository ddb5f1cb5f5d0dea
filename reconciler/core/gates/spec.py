"""Gates as values: what is asked, how often, and what becomes of an answer that is no pass."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from fractions import Fraction

from reconciler.core.resources import EMPTY


class GateMode(StrEnum):
    """ACT: the gate counts. OBSERVE: it is asked and reported ("would have stopped"), and never stops anything."""

    ACT = "act"
    OBSERVE = "observe"


class Patience(StrEnum):
    """What an answer other than pass and harm leads to: a pause at the gate's deadline, or at once."""

    WAIT = "wait"
    PAUSE = "pause"


class Metric(StrEnum):
    """What of a service's requests is looked at."""

    ERRORS = "errors"
    LATENCY = "latency"


#: Templates that are ready-made, and what they measure.
READY_MADE = {"istio-success-rate": Metric.ERRORS, "istio-latency": Metric.LATENCY}


class Of(StrEnum):
    """Whose requests: those to the endpoints that receive traffic, those to the ones that give it away, or all."""

    CANARY = "canary"
    STABLE = "stable"
    ALL = "all"


class Reporter(StrEnum):
    """Who counted: the calling proxy (which sees what never arrived) or the called one (which sees what a retry hid)."""

    SOURCE = "source"
    DESTINATION = "destination"


class Role(StrEnum):
    """Who a person is to us; each may do what those before may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, other: "Role") -> bool:
        """Tell whether a person of this role may do what `other` may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The values that are good: at least `low`, at most `high`; None: not bounded on that side. One is always given."""

    low: float | None = None
    high: float | None = None

    def __post_init__(self) -> None:
        if self.low is None and self.high is None:
            raise ValueError("bounds bound nothing")

    def hold(self, value: float) -> bool:
        """Tell whether a finite value is good."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def __str__(self) -> str:
        return self._told(1, "")

    @property
    def in_percent(self) -> str:
        """The bounds of a share."""
        return self._told(100, " %")

    def _told(self, times: int, unit: str) -> str:
        parts = (("at least", self.low), ("at most", self.high))
        return " and ".join(f"{word} {times * bound:g}{unit}" for word, bound in parts if bound is not None)


@dataclass(frozen=True, slots=True)
class Soak:
    """Time in which the step has been in force and we have been looking."""

    hold: timedelta


@dataclass(frozen=True, slots=True)
class Health:
    """The step's endpoints are there: VMs healthy, Pods ready."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A bound on what a query in PromQL gives. ``$window`` in its texts stands for the length of the window.

    `samples_query` says how many samples the value rests on, where at least `samples` are asked for.
    """

    query: str
    bounds: Bounds
    samples: int = 0
    samples_query: str = ""


@dataclass(frozen=True, slots=True)
class Ready:
    """A ready-made bound: the share of requests that succeed (0 to 1), or a quantile of their duration in milliseconds.

    Without a `reporter` both sides are read, and the worse one counts.
    """

    metric: Metric
    bounds: Bounds
    samples: int = 100
    of: Of = Of.CANARY
    quantile: float = 0.95
    reporter: Reporter | None = None


@dataclass(frozen=True, slots=True)
class Compare:
    """Canary against stable: the share of requests that fail, or that are slower than nearly all of the stable arm's were.

    Harm is proven with the chance `alpha` of being wrong; a pass proves that the canary fails less than `margin` times as
    often, from `samples` requests of each arm on. What is slow is what took longer than the `quantile` of the stable arm's
    past. `canary` and `stable` are labels of the metrics that pick the arms instead of the workloads.
    """

    metric: Metric
    margin: float = 2.0
    samples: int = 500
    alpha: float = 0.01
    quantile: float = 0.95
    canary: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    stable: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    reporter: Reporter = Reporter.SOURCE


@dataclass(frozen=True, slots=True)
class Webhook:
    """A question over HTTP. `secret` names the operator's secret that signs it, empty for none."""

    url: str
    timeout: timedelta = timedelta(seconds=10)
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    secret: str = ""


@dataclass(frozen=True, slots=True)
class Approve:
    """`count` different persons, of this role at least, say yes to the plan in force, not longer ago than `expires`.

    `lacking` says why there can never be so many, empty where there can.
    """

    role: Role = Role.OPERATOR
    count: int = 1
    expires: timedelta = timedelta(hours=24)
    not_author: bool = False
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours in which a step may begin: on days (0 is Monday) from `opens` to `closes`, by the wall clock of a time zone.

    `closes` may be earlier than `opens`: then the hours end on the next day.
    """

    days: frozenset[int]
    opens: time
    closes: time
    zone: str


@dataclass(frozen=True, slots=True)
class Cover:
    """A length of time of which every quarter of the day that it touches has seen at least `samples` requests."""

    length: timedelta
    samples: int = 100


@dataclass(frozen=True, slots=True)
class Share:
    """The share of requests that really goes where the step leads: at most `tolerance` (0 to 1) above the step's.

    With a `query`, its value is the share of the VMs (0 to 1); without one, Istio's standard metrics are read by workload.
    """

    tolerance: Fraction
    query: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A gate that cannot be asked, and why. It never passes."""

    why: str


Ask = Soak | Health | Threshold | Ready | Compare | Webhook | Approve | Hours | Cover | Share | Refused


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate of a rollout.

    The first window opens `warmup` after the step came into force; `interval` lies between two looks. A look counts as good or
    bad; `consecutive` good ones in a row pass, `failures` bad ones in a row are harm. Samples older than `stale_after` say
    nothing. `deadline` is how long it may go on without a pass, once the step is in force and its hold is over.
    """

    name: str
    ask: Ask
    mode: GateMode = GateMode.ACT
    warmup: timedelta = timedelta(0)
    interval: timedelta = timedelta(minutes=1)
    consecutive: int = 1
    failures: int = 1
    deadline: timedelta = timedelta(hours=1)
    stale_after: timedelta = timedelta(minutes=2)
    on_no_data: Patience = Patience.WAIT
    on_error: Patience = Patience.WAIT
    on_inconclusive: Patience = Patience.WAIT
