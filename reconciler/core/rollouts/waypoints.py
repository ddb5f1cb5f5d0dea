"""The states between which a way leads: with strategy `subsets`, and from there back to weights, there are some on the way.

    before                 who serves, divided by weights
    before, routed         subsets are defined, then routes give VMs and Pods what they get anyway
    joined, routed         all are in that serve before or after; newcomers get nothing yet
    joined, routed anew    requests move, an exact share at each step
    after, routed          who goes is out of the endpoint list
    after                  routes are as Git says, then the subsets go

A split that Git asks for is held by routes, so that such a way ends before its last state, and the next one begins there.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from reconciler.core.backends import Platform
from reconciler.core.portions import portions_of
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.balance import Anchor
from reconciler.core.rollouts.courses import expected_pods
from reconciler.core.rollouts.effective import balanced
from reconciler.core.rollouts.legs import PICKING, with_parts
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.obstacles import Code, Obstacle, obstacles, of_change
from reconciler.core.rollouts.opening import Form, opening, selector_of
from reconciler.core.rollouts.platforms import Labelled, Platforms, missing, platforms
from reconciler.core.rollouts.policy import RolloutPolicy, Strategy
from reconciler.core.rollouts.subsets import POD_SUBSET, VM_SUBSET, generated_for, is_routed, platforms_in, routed
from reconciler.core.rollouts.values import Documents
from reconciler.core.world import Members

_ROUTES = frozenset({"VirtualService", "DestinationRule"})
_NONE = Fraction(0)


class Obstructed(Exception):
    """The way cannot be gone by subsets; `obstacle` says why."""

    def __init__(self, obstacle: Obstacle) -> None:
        self.obstacle = obstacle
        super().__init__(str(obstacle))


@dataclass(frozen=True, slots=True)
class Waypoint:
    """A state on the way. `quiet`: on the way to it only the form of routes changes, and no request goes elsewhere."""

    documents: Documents
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Waypoints:
    """All states after the first one, and the label by which subsets tell VMs from Pods (None: weights make the shares)."""

    states: tuple[Waypoint, ...]
    by: Platforms | None = None


@dataclass(frozen=True, slots=True)
class _Ends:
    """Of each ServiceEntry that VMs serve, or that routes divide, the VMs' share before and after (0 to 1)."""

    start: Mapping[Key, Fraction]
    wanted: Mapping[Key, Fraction]

    @property
    def moves(self) -> bool:
        return self.start != self.wanted


def waypoints(
    before: Documents,
    after: Documents,
    policy: RolloutPolicy,
    mesh: Mesh,
    splits: tuple[Fraction | None, Fraction | None] = (None, None),
    *,
    keeps: bool = False,
) -> Waypoints:
    """Return the states on the way of a unit. `keeps`: a split that is wanted in the end is held from then on, by routes.

    Raises Obstructed, on a way that `keeps` what it leads to: the way back is never refused, and goes by weights if it has to.
    """
    by_routes = policy.strategy is Strategy.SUBSETS
    if not (by_routes or is_routed(before) or is_routed(after)):
        return Waypoints((Waypoint(after),))
    ends = _ends(before, after, mesh, splits)
    stays = is_routed(after) or (keeps and by_routes and splits[1] is not None and bool(ends.wanted))
    if not (is_routed(before) or stays or (by_routes and ends.moves)):
        return Waypoints((Waypoint(after),))
    weighed = (
        after if by_routes or stays else balanced(after, splits[1], mesh, Anchor(), expected_pods(policy, before, after, mesh))
    )
    try:
        by = platforms_for(before, after, ends.wanted, mesh, refuses=keeps)
        states = tuple(_states(before, weighed, ends, by))
    except Obstructed:
        if keeps:
            raise
        return Waypoints((Waypoint(after),))
    return Waypoints(states if stays else (*states, Waypoint(weighed, quiet=True)), by)


def _states(before: Documents, after: Documents, ends: _Ends, by: Platforms) -> Iterator[Waypoint]:
    first, last = routed(before, ends.start, by), after if is_routed(after) else routed(after, ends.wanted, by)
    for key in ends.wanted:
        made = generated_for(key, first) | generated_for(key, last)
        for obstacle in of_change(before[key] or {}, after[key] or {}, made):
            raise Obstructed(obstacle)
    yield Waypoint(first, quiet=True)
    if ends.moves:
        joined = _joined(first, after)
        yield Waypoint(joined)
        yield Waypoint(routed(joined, ends.wanted, by))
    yield Waypoint(last)


def platforms_for(
    before: Documents, after: Documents, entries: Iterable[Key], mesh: Mesh, *, refuses: bool = True
) -> Platforms:
    """Return the label by which subsets tell VMs from Pods in a unit. Raises Obstructed where something is in the way."""
    sides = [(documents, key, entry) for key in entries for documents in (before, after) if (entry := documents.get(key))]
    machines = [one for documents, key, _ in sides for one in _machines(documents, key, mesh)]
    pods = [one for _, _, entry in sides for one in mesh.labels_of_pods(entry)]
    by = platforms_in(before) or platforms_in(after) or platforms(machines, pods)
    for documents, key, entry in sides:
        if by is None:
            raise Obstructed(Obstacle(Code.NO_LABEL, key, "", missing(machines, pods)))
        for obstacle in obstacles(entry, documents, machines, mesh.observed) if refuses else ():
            raise Obstructed(obstacle)
    if by is None:
        raise ValueError("there is nobody to tell apart")
    return by


def _machines(documents: Documents, entry: Key, mesh: Mesh) -> Iterator[Labelled]:
    for member in (mesh.world(documents).picked.get(entry) or Members()).values():
        if member.platform is Platform.VM:
            yield member.key, member.labels


def _ends(before: Documents, after: Documents, mesh: Mesh, splits: tuple[Fraction | None, Fraction | None]) -> _Ends:
    start, wanted = dict[Key, Fraction](), dict[Key, Fraction]()
    is_divided = is_routed(before) or is_routed(after)
    for key in sorted(key for key in before if key.kind == "ServiceEntry" and before[key] and after.get(key)):
        meant = any(mesh.pods_of(documents[key] or {}) for documents in (before, after))
        shares = [
            _share(documents, key, mesh, split, meant=meant) for documents, split in zip((before, after), splits, strict=True)
        ]
        known = [one for one in shares if one is not None]
        if known and (is_divided or any(known)):
            start[key], wanted[key] = (known[0] if one is None else one for one in shares)
    return _Ends(start, wanted)


def _share(documents: Documents, entry: Key, mesh: Mesh, split: Fraction | None, *, meant: bool) -> Fraction | None:
    """Return the share of a service's VMs: what routes give them, else the split, else by weights; None with no endpoint.

    With Pods that its selector leaves out (`meant`: some are picked before or after), there is nothing to split.
    """
    world, document = mesh.world(documents), documents[entry]
    parts = {one.name: one.share for one in portions_of(world, entry)}
    if parts.keys() & {VM_SUBSET, POD_SUBSET}:
        return parts.get(VM_SUBSET, _NONE)
    members = (world.picked.get(entry) or Members()).values()
    machines = sum(one.weight for one in members if one.platform is Platform.VM)
    pods = mesh.pods_meant(entry.namespace, (selector_of(document or {"spec": {}}),))
    if machines and split is not None and (pods or not meant):
        return split
    return Fraction(machines, machines + pods) if machines or pods else None


def _joined(before: Documents, after: Documents) -> dict[Key, Document | None]:
    """Return the state in which all are in that serve before or after, as they are afterwards, with the routes from before."""
    found = {key: one for key, one in before.items() if one is not None}
    found |= {key: one for key, one in after.items() if one is not None and key.kind not in _ROUTES}
    for key, old in before.items():
        new = after.get(key)
        if key.kind == "ServiceEntry" and old is not None and new is not None:
            found[key] = with_parts(old, _between(key, old, new), PICKING)
    return {**dict.fromkeys((*before, *after)), **found}


def _between(key: Key, old: Document, new: Document) -> Document:
    """Return a ServiceEntry with the endpoints of both sides. Raises Obstructed where no selector picks both."""
    one = opening(old, new)
    if one.form is Form.MOVED:
        text = "nothing picks old and new endpoints at once: keep a label in common, and change the other one later"
        raise Obstructed(Obstacle(Code.APART, key, "spec.workloadSelector", text))
    if one.between is not None:
        return one.between
    listed = {each.get("address", ""): each for side in (old, new) for each in side["spec"].get("endpoints") or ()}
    return {**new, "spec": {**new["spec"], "endpoints": list(listed.values())}}
