"""The way out: objects go to another manager as they are, and we forget them."""

from collections.abc import Iterable

from reconciler.core.adoption import release
from reconciler.core.resources import Key, ObservedState, StoreName
from reconciler.core.wanted import TARGET_LABEL
from reconciler.target import Ports


def release_objects(keys: Iterable[Key], observed: ObservedState, ports: Ports, manager: str) -> int:
    """Hand objects over to `manager`; returns how many. Records of the VM registry are only forgotten: they have no owner.

    Raises Conflict where an object moved meanwhile, Unavailable; what was released until then stays so.
    """
    count = 0
    for key in keys:
        live = observed.get(key)
        if live is not None and key.store is StoreName.CLUSTER:
            ports.cluster.set_owners(
                key,
                release(live, manager).owners,
                uid=live.uid,
                resource_version=live.resource_version,
                drop_labels=(TARGET_LABEL,),
            )
        ports.store.narrow([key])
        count += 1
    return count
