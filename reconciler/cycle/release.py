"""The way out: objects go to another manager as they are, and we forget them."""

from collections.abc import Collection, Iterable, Mapping

from reconciler.core.adoption import release
from reconciler.core.resources import Key, ObservedState, StoreName
from reconciler.core.rollouts.checkpoint import CHECKPOINT
from reconciler.core.wanted import TARGET_LABEL
from reconciler.cycle.target import Ports
from reconciler.errors import InvalidInput, Problem, SetupCode


def chosen(names: Iterable[str], units: Mapping[str, Collection[Key]], owned: Collection[Key]) -> list[Key]:
    """Return the objects that names mean: a unit (``shop/billing``) or one object (``Kind/namespace/name``).

    Raises InvalidInput naming every one that is neither, or is not ours.
    """
    found: set[Key] = set()
    wrong = []
    for name in names:
        keys = {key for key in units.get(name) or _one(name) if key in owned}
        found |= keys
        wrong += (
            [] if keys else [Problem(SetupCode.OPTION, f"{name[:120]!r} is no unit and no object of ours", field="release")]
        )
    if wrong:
        raise InvalidInput(wrong)
    return sorted(found)


def _one(name: str) -> tuple[Key, ...]:
    try:
        return (Key.parse(name),)
    except ValueError:
        return ()


def release_objects(keys: Iterable[Key], observed: ObservedState, ports: Ports, manager: str) -> int:
    """Hand objects over to `manager`; returns how many. Records of the VM registry are only forgotten: they have no owner.

    Raises Conflict where an object moved meanwhile, Unavailable; what was released until then stays so.
    """
    count = 0
    for key in keys:
        live = observed.get(key)
        if live is not None and key.store is StoreName.CLUSTER:
            released = ports.cluster.set_owners(
                key,
                release(live, manager).owners,
                uid=live.uid,
                resource_version=live.resource_version,
                drop_labels=(TARGET_LABEL,),
            )
            if CHECKPOINT in released.annotations:
                version = released.resource_version
                ports.cluster.annotate(key, CHECKPOINT, None, uid=live.uid, resource_version=version)
        ports.store.narrow([key])
        count += 1
    return count
