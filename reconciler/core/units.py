"""What rolls out together: the objects of both stores, cut into units.

A unit is a connected component over: a ServiceEntry selects a WorkloadEntry (now or as Git wants it); the same host in the same
namespace; the same Kubernetes Service; a WorkloadEntry, its record and its WorkloadGroup. To it belong

- a DestinationRule or VirtualService all of whose known hosts are the unit's; one that touches several units is a unit of its
  own, carried out between them;
- a policy whose selector (or targetRef) hits only the unit's workloads, and a ServiceAccount that only they use.

Objects of other kinds that are bound to no unit are the base of their namespace, on which the others stand.

Names are stable: ``shop/billing`` after the first ServiceEntry, else after the first object with its kind; what Git changes in
one place renames nothing elsewhere. Objects of others join units too, but never appear among `keys`.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.core.changes import ObjectDiff
from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.links import Links
from reconciler.core.order import RANK
from reconciler.core.resources import DesiredState, Document, Key, ObservedState

#: Kinds that are a part of the mesh's services themselves; whatever else is bound to no unit belongs to the base.
_PARTS = frozenset({"WorkloadEntry", "WorkloadGroup", "VirtualMachine", "ServiceEntry", "DestinationRule", "VirtualService"})
_ROUTES = frozenset({"DestinationRule", "VirtualService"})

_Versions = dict[Key, tuple[Document, ...]]


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit.

    `keys` are ours, in order; `context` names live objects of others, and shared rules and routes, that bear on it. `services`
    are (namespace, host), `policies` its RolloutPolicies, `touches` the units that a shared one lies between.
    """

    name: str
    keys: tuple[Key, ...]
    context: tuple[Key, ...] = ()
    services: tuple[tuple[str, str], ...] = ()
    policies: tuple[Key, ...] = ()
    touches: tuple[str, ...] = ()
    base: bool = False


@dataclass(slots=True)
class _Draft:
    """A unit while its members come together."""

    keys: list[Key] = field(default_factory=list)
    context: list[Key] = field(default_factory=list)
    services: list[tuple[str, str]] = field(default_factory=list)
    policies: list[Key] = field(default_factory=list)


def cut(desired: DesiredState, observed: ObservedState, differences: Sequence[ObjectDiff]) -> tuple[Unit, ...]:
    """Return the units of everything that Git wants or that differs, the base first, then by name."""
    return _cut(desired, observed, {one.key for one in differences}, dict(_rolling(desired, observed, differences)))


class Cutter:
    """Cuts, and remembers its last cut: one look asks several times for the same. Not for several threads at once."""

    def __init__(self) -> None:
        self._last: tuple[DesiredState, ObservedState, set[Key], _Versions] | None = None
        self._units: tuple[Unit, ...] = ()

    def cut(self, desired: DesiredState, observed: ObservedState, differences: Sequence[ObjectDiff]) -> tuple[Unit, ...]:
        """Return what `cut` returns."""
        changing, coming = {one.key for one in differences}, dict(_rolling(desired, observed, differences))
        last = self._last
        if not last or last[0] is not desired or last[1] is not observed or last[2:] != (changing, coming):
            self._units = _cut(desired, observed, changing, coming)
            self._last = (desired, observed, changing, coming)
        return self._units


def _cut(desired: DesiredState, observed: ObservedState, changing: Collection[Key], coming: _Versions) -> tuple[Unit, ...]:
    ours = {*desired.manifests, *desired.machines, *changing}
    versions = dict(_versions(desired, observed, changing)) | coming
    links = Links(versions, observed)
    drafts: dict[int | Key, _Draft] = defaultdict(_Draft)
    base: dict[str, list[Key]] = defaultdict(list)
    shared: dict[Key, set[int]] = {}
    for key in versions:
        homes = links.homes(key)
        if len(homes) > 1 and key.kind in _ROUTES:
            shared[key] = homes
        elif len(homes) == 1 or key.kind in _PARTS:
            draft = drafts[next(iter(homes)) if homes else key]
            (draft.keys if key in ours else draft.context).append(key)
        elif key in ours:
            base[key.namespace or key.name].append(key)
    for home, service in links.services():
        drafts[home].services.append(service)
    for key, manifest in desired.policies.items():
        name = (manifest.document.get("spec") or {}).get("serviceEntry", "")
        for home in links.homes(Key("ServiceEntry", key.namespace, name)):
            drafts[home].policies.append(key)
    names = {home: _name(draft) for home, draft in drafts.items() if draft.keys or draft.context}
    for key, homes in shared.items():
        for home in homes:
            drafts[home].context.append(key)
    bases = [Unit(f"base {namespace}", _sorted(keys), base=True) for namespace, keys in sorted(base.items())]
    services = [_unit(names[home], drafts[home]) for home in names if drafts[home].keys]
    between = [
        Unit(str(key), (key,), touches=tuple(sorted(names[home] for home in homes if drafts[home].keys)))
        for key, homes in shared.items()
        if key in ours
    ]
    return (*bases, *sorted([*services, *between], key=lambda one: one.name))


def _versions(
    desired: DesiredState, observed: ObservedState, changing: Collection[Key]
) -> Iterator[tuple[Key, tuple[Document, ...]]]:
    """Yield each object with its documents: as it is live and, where that differs, as Git wants it."""
    for live in (*observed.objects.values(), *observed.machines.values()):
        manifest = desired.get(live.key) if live.key in changing else None
        yield live.key, (live.document, manifest.document) if manifest else (live.document,)
    for manifests in (desired.manifests, desired.machines):
        for key, manifest in manifests.items():
            if observed.get(key) is None:
                yield key, (manifest.document,)


def _rolling(
    desired: DesiredState, observed: ObservedState, differences: Iterable[ObjectDiff]
) -> Iterator[tuple[Key, tuple[Document, ...]]]:
    """Yield what is to be created although Git does not have it: a rollout wants it for a while, or again."""
    for one in differences:
        if desired.get(one.key) is None and observed.get(one.key) is None:
            yield from ((one.key, (change.after,)) for change in one.changes if change.after is not None)


def _name(draft: _Draft) -> str:
    """Return the name of a unit: after its first ServiceEntry (ours before others'), else after its first object."""
    entries = [key for keys in (draft.keys, draft.context) for key in _sorted(keys) if key.kind == "ServiceEntry"]
    if entries:
        return f"{entries[0].namespace}/{entries[0].name}"
    parts = [key for key in _sorted(draft.keys) if key.kind in _PARTS]
    return str(([key for key in parts if key.kind != VIRTUAL_MACHINE] or parts or _sorted(draft.context))[0])


def _unit(name: str, draft: _Draft) -> Unit:
    services = tuple(sorted(set(draft.services)))
    return Unit(name, _sorted(draft.keys), _sorted(draft.context), services, _sorted(draft.policies))


def _sorted(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple(sorted(keys, key=lambda key: (RANK.get(key.kind, len(RANK)), key.kind, key.namespace, key.name)))


def by_key(units: Iterable[Unit]) -> Mapping[Key, Unit]:
    """Return the unit of each object of ours."""
    return {key: unit for unit in units for key in unit.keys}
