"""Plans as values: what a person reviews is what runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from reconciler.core.changes import Change
from reconciler.core.resources import EMPTY, Key, Revision
from reconciler.errors import Problem


class Mode(StrEnum):
    """Observe: the whole cycle without a write. Enforce: with them. The stricter of target, namespace and unit wins."""

    OBSERVE = "observe"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True)
class Guard:
    """A reason why something in a plan is not carried out now.

    `code` is stable; `override` is the name that a person must say to go on (``wholesale:shop/billing``), empty where nothing
    overrides it; `until` is when it lifts by itself. `keys` are the objects that it holds back (all of the unit's if empty).
    """

    code: str
    message: str
    override: str = ""
    until: datetime | None = None
    keys: tuple[Key, ...] = ()


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
    of the unit's services around the steps.
    """

    name: str
    mode: Mode
    steps: tuple[Step, ...]
    held: tuple[Change, ...] = ()
    guards: tuple[Guard, ...] = ()
    before: tuple[Split, ...] = ()
    after: tuple[Split, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of one target for one commit: units in the order in which they are carried out, and a digest of it all."""

    target: str
    revision: Revision
    units: tuple[UnitPlan, ...]
    digest: str
    why: Mapping[Key, tuple[Key, ...]] = field(default=EMPTY)
