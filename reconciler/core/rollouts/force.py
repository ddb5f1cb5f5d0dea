"""Has istiod what a stage has written: its endpoints, held against those that are wanted now.

Only what we write counts: Pods come and go, and whoever is ill is in no list for long. Of routes, of identities and of services
without a list of addresses it tells nothing; there time decides.
"""

from collections.abc import Iterable, Mapping

from reconciler.core.backends import Platform
from reconciler.core.istio import ServiceEntry
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.effective import effective
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.values import LegKind, Told
from reconciler.core.world import Members

_SHOWN = (LegKind.TRAFFIC, LegKind.ENDPOINTS)


def in_force(rollout: Rollout, told: Iterable[Told], mesh: Mesh) -> bool | None:
    """Tell whether every istiod has what the current stage wants, None where their endpoints do not show it."""
    if rollout.on.legs[rollout.current.leg].kind not in _SHOWN:
        return None
    documents = effective(rollout, mesh)
    world, ours = mesh.world(documents), _addresses((*rollout.on.before.values(), *rollout.on.after.values()))
    entries = [key for key, one in documents.items() if one is not None and _is_listed(key, one)]
    wanted: dict[tuple[str, str], dict[str, int]] = {}
    ill: set[str] = set()
    for key in entries:
        members = [one for one in (world.picked.get(key) or Members()).values() if one.platform is Platform.VM]
        ill |= {one.address for one in members if one.healthy is False}
        weights = {one.address: one.weight for one in members}
        wanted |= {(key.namespace, host): weights for host in (documents[key] or {})["spec"].get("hosts") or ()}
    if not wanted:
        return None
    return all(
        _only(one.get(service, {}), ours - ill) == _only(weights, ours - ill)
        for one in told
        for service, weights in wanted.items()
    )


def _only(weights: Mapping[str, int], addresses: set[str]) -> dict[str, int]:
    return {address: weight for address, weight in weights.items() if address in addresses}


def _is_listed(key: Key, document: Document) -> bool:
    return key.kind == "ServiceEntry" and document["spec"].get("resolution") == "STATIC"


def _addresses(documents: Iterable[Document | None]) -> set[str]:
    """Return the addresses that WorkloadEntries and ServiceEntries give."""
    found: set[str] = set()
    for one in documents:
        if one is not None and one["kind"] == "WorkloadEntry":
            found.add(one["spec"].get("address") or "")
        elif one is not None and one["kind"] == "ServiceEntry":
            found |= {each.address for each in ServiceEntry.of(one).endpoints}
    return found - {""}
