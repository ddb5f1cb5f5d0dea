"""The weights of VMs that make the shares of a course: sized for the Pods *meant* to run, and held while these come and go.

Pods weigh 1 each and are never ours. What is in force stays as long as it is near enough (core/shares `hold`).
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import lcm

from reconciler.core import shares
from reconciler.core.istio import WorkloadEntry
from reconciler.core.resources import Key
from reconciler.core.rollouts.courses import Course
from reconciler.core.rollouts.mesh import PODS, Mesh
from reconciler.core.rollouts.policy import RolloutPolicy
from reconciler.core.rollouts.values import Documents
from reconciler.core.shares import Crowd, Held, Limits, Presence, Promise

_ALL, _NONE = Fraction(1), Fraction(0)
#: The part of the smallest share of others that an endpoint gets which shall get nothing, and is not out of the list yet.
_NEXT_TO_NOTHING = Fraction(1, 100)
#: Equal VMs shall get equal weights rather than a split that is a little more exact; but a step must be told from the last one.
POINTS, PART_OF_WAY = Fraction(3, 100), Fraction(1, 20)


@dataclass(frozen=True, slots=True)
class Anchor:
    """What a share is held against: who was there when the step began (`loads_of`), and the policy's bounds."""

    loads: Mapping[str, int] = field(default_factory=dict)
    max_load: Fraction = Fraction(3, 2)
    spill: Fraction = _ALL

    @classmethod
    def of(cls, policy: RolloutPolicy, loads: Mapping[str, int]) -> "Anchor":
        return cls(loads, policy.max_load, policy.spill)

    def pods(self, entry: Key) -> int:
        """Return how many Pods of a ServiceEntry served when the step began, 0 also where nobody knows."""
        return self.loads.get(str(entry), 0)

    @property
    def most(self) -> int:
        """How many Pods the ServiceEntry with most of them had: so many are reckoned with while there are none."""
        return max((count for name, count in self.loads.items() if Key.parse(name).kind == "ServiceEntry"), default=0)

    def down(self, names: AbstractSet[str]) -> frozenset[str]:
        """Return those among VMs that did not serve when the step began."""
        return frozenset(name for name in names if self.loads.get(name) == 0)


def loads_of(documents: Documents, mesh: Mesh) -> dict[str, int]:
    """Return who is there, by key: of a ServiceEntry its ready Pods, of a WorkloadEntry its weight, 0 where its VM is ill."""
    found: dict[str, int] = {}
    for key, one in documents.items():
        if one is not None and key.kind == "ServiceEntry":
            found[str(key)] = sum(pod.ready for pod in mesh.pods_of(one))
        elif one is not None and key.kind == "WorkloadEntry":
            found[str(key)] = 0 if mesh.is_ill(key) else WorkloadEntry.of(one).endpoint.weight
    return found


@dataclass(frozen=True, slots=True)
class Balance:
    """The numbers of one ServiceEntry at an exposure: who divides its requests, and which share the VMs are to get.

    `awaited`: none of the Pods that count is meant to run yet.
    """

    entry: Key
    keys: Mapping[str, Key]
    crowd: Crowd
    course: shares.Course
    exposure: Fraction
    ready: int
    awaited: bool

    @classmethod
    def of(cls, course: Course, exposure: Fraction, mesh: Mesh, fixed: Mapping[Key, int]) -> "Balance":
        """Return it for today's Pods. `fixed` are weights that another ServiceEntry decided on already."""
        target = course.at(exposure)
        machines = {key: share for key, share in target.items() if key != PODS and key not in fixed}
        entry, selectors = Key.of(course.opening.before), course.opening.selectors
        meant = mesh.pods_meant(entry.namespace, selectors)
        crowd = Crowd(
            ratios=_ratios({str(key): share for key, share in machines.items()}),
            pods=0 if course.routed else course.pods,
            fixed_vms=sum(weight for key, weight in fixed.items() if key in target),
        )
        ends = [_ALL - one.get(PODS, _NONE) for one in (course.start, course.wanted)]
        ready = mesh.pods_ready(entry.namespace, selectors)
        return cls(entry, {str(key): key for key in machines}, crowd, shares.Course(*ends), exposure, ready, not meant)

    @property
    def limits(self) -> Limits:
        """How near to its share is near enough."""
        way = abs(self.course.wanted - self.course.start)
        return Limits(points=min(POINTS, way * PART_OF_WAY) if way else POINTS)

    def weights(self) -> Mapping[str, int]:
        """Return the weights that would be written if none were there yet."""
        course = self.course if self.crowd.pods else shares.Course(_ALL, _ALL)
        return shares.weights_on(self.crowd, course, self.exposure, self.limits).weights

    def held(self, mesh: Mesh, anchor: Anchor) -> Held | None:
        """Return the weights for this moment, None where there is no share to hold: there are no Pods, or no VMs by name."""
        if not self.crowd.pods or not self.keys or any(key.kind != "WorkloadEntry" for key in self.keys.values()):
            return None
        crowd = self.crowd
        before = replace(crowd, pods=anchor.pods(self.entry) or crowd.pods, down=anchor.down(self.keys.keys()))
        start = replace(self, crowd=before)
        promise = Promise(
            self.course,
            self.exposure,
            Presence(start.weights(), before.pods, before.down, crowd.fixed_vms),
            anchor.max_load,
            anchor.spill,
        )
        found = shares.hold(crowd, self._now(mesh), promise, self.limits)
        yet = f"no Pod runs yet: weights are sized for the {crowd.pods:,} that may come, until then the VMs get all"
        return replace(found, notes=(yet,)) if self.awaited else found

    def _now(self, mesh: Mesh) -> Presence:
        """Return who is there by what is live: weights as Envoy counts them."""
        found = {name: mesh.observed.get(key) for name, key in self.keys.items()}
        weights = {name: WorkloadEntry.of(live.document).endpoint.weight for name, live in found.items() if live}
        down = frozenset(name for name, key in self.keys.items() if mesh.is_ill(key))
        return Presence(weights, self.ready, down, self.crowd.fixed_vms)


def weighed(
    found: Iterable[Course], exposure: Fraction, mesh: Mesh, anchor: Anchor | None
) -> tuple[dict[Key, int], tuple[str, ...]]:
    """Return the weights of courses at an exposure, and what a person should know of them: which share gives way to what.

    With an anchor they are held by what is in force now. Where routes say what VMs get and no VM is to get another part of it,
    weights are as documents say. Where two ServiceEntries share a VM, the first one decides. Who is drained weighs 1.
    """
    weights: dict[Key, int] = dict.fromkeys(mesh.draining, 1)
    notes: list[str] = []
    for course in (one for one in found if one.moves or not one.routed):
        balance = Balance.of(course, exposure, mesh, weights)
        if balance.keys:
            held = balance.held(mesh, anchor) if anchor else None
            chosen = held.weights if held else balance.weights()
            weights |= {balance.keys[name]: weight for name, weight in chosen.items()}
            notes += held.notes if held else ()
    return weights, tuple(notes)


def _ratios(shares_of: Mapping[str, Fraction]) -> dict[str, int]:
    """Return shares as whole numbers in the same ratio. No weight is 0: who shall get nothing counts as next to nothing."""
    least = min((share for share in shares_of.values() if share), default=_ALL) * _NEXT_TO_NOTHING
    positive = {name: share or least for name, share in shares_of.items()}
    scale = lcm(*(share.denominator for share in positive.values()))
    return {name: int(share * scale) for name, share in positive.items()}
