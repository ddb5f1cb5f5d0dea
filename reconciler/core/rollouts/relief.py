"""A side of a service that has lost endpoints, while routes go on sending it its share: then the share gives way.

With weights Envoy does that by itself. The order of precedence is the same: never empty, then the load of those who are left
(at most `max_load` times what each bore when the step began), then the share.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.backends import Platform
from reconciler.core.portions import portions_of
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.balance import Anchor
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.opening import selector_of
from reconciler.core.rollouts.subsets import OURS, VM_SUBSET, platforms_in, routed
from reconciler.core.rollouts.values import Documents
from reconciler.core.shares.values import percent
from reconciler.core.world import Members, World

_ALL, _NONE = Fraction(1), Fraction(0)


def relieved(documents: Documents, mesh: Mesh, anchor: Anchor) -> dict[Key, Document | None]:
    """Return the documents with routes that spare who is lost; as they are where routes make no shares, or nobody is."""
    by = platforms_in(documents)
    found = list(_sides(documents, mesh, anchor)) if by else []
    if by is None or not any(one.gives_way for one in found):
        return dict(documents)
    return routed(documents, {one.entry: one.share for one in found}, by)


def spared(documents: Documents, mesh: Mesh, anchor: Anchor) -> tuple[str, ...]:
    """Say of each service whose share gives way what it is now, and why."""
    return tuple(str(one) for one in _sides(documents, mesh, anchor) if one.gives_way)


@dataclass(frozen=True, slots=True)
class _Sides:
    """The VMs' share (0 to 1) of a ServiceEntry as it should be and as it is, and who serves now of those at the start."""

    entry: Key
    target: Fraction
    share: Fraction
    machines: tuple[int, int]
    pods: tuple[int, int]

    @property
    def gives_way(self) -> bool:
        return self.share != self.target

    def __str__(self) -> str:
        side, (left, start) = ("Pods", self.pods) if self.share > self.target else ("VMs", self.machines)
        lost = f"{start - left} of {start} {side} do not serve" if start and side == "Pods" else f"too few {side} serve"
        gets = f"{percent(self.share)} instead of {percent(self.target)}"
        return f"routes give the VMs of {self.entry.namespace}/{self.entry.name} {gets}: {lost}"


def _sides(documents: Documents, mesh: Mesh, anchor: Anchor) -> Iterator[_Sides]:
    """Yield how each ServiceEntry stands whose shares routes make."""
    world = mesh.world(documents)
    for key, document in documents.items():
        if document is not None and key.kind == "ServiceEntry":
            parts = {one.name: one.share for one in portions_of(world, key)}
            if parts.keys() & OURS:
                target = parts.get(VM_SUBSET, _NONE)
                machines, pods = _machines(world, key, anchor), _pods(document, mesh, anchor)
                yield _Sides(key, target, _share(target, machines, pods, anchor.max_load), machines, pods)


def _share(target: Fraction, machines: tuple[int, int], pods: tuple[int, int], max_load: Fraction) -> Fraction:
    """Return the VMs' share, given how much of each side serves now, and did when the step began."""
    of_vms, of_pods = target * _bears(*machines, max_load), (_ALL - target) * _bears(*pods, max_load)
    if of_vms + of_pods >= _ALL or not (machines[0] or pods[0]):
        return target
    if of_vms == target and machines[0]:
        return _ALL - of_pods
    if of_pods == _ALL - target and pods[0]:
        return of_vms
    return target if machines[0] and pods[0] else Fraction(bool(machines[0]))


def _bears(left: int, start: int, max_load: Fraction) -> Fraction:
    """Return which part of its share a side bears (0 to 1)."""
    return min(_ALL, max_load * Fraction(left, start)) if start else Fraction(bool(left))


def _machines(world: World, entry: Key, anchor: Anchor) -> tuple[int, int]:
    """Return the summed weights of the VMs that are well, and of those that were when the step began."""
    found = [one for one in (world.picked.get(entry) or Members()).values() if one.platform is Platform.VM]
    start = sum(anchor.loads.get(str(one.key), one.weight) for one in found)
    return sum(one.weight for one in found if one.healthy is not False), start


def _pods(entry: Document, mesh: Mesh, anchor: Anchor) -> tuple[int, int]:
    """Return how many Pods serve, and how many did when the step began."""
    key = Key.of(entry)
    ready = mesh.pods_ready(key.namespace, (selector_of(entry),))
    return ready, anchor.pods(key)
