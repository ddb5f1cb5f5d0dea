"""A unit of routes alone, which lies between the services of other units: where it leads, and which of them gain by a change.

In Istio's metrics a request counts for the host that its route sent it to, so that hosts tell the arms of such a rollout apart.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from reconciler.core.hosts import fqdn
from reconciler.core.istio import VirtualService
from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.values import Documents

_NONE = Fraction(0)


def hosts_moved(before: Documents, after: Documents) -> tuple[set[str], set[str]]:
    """Return the hosts that get more requests by the routes after than by those before, and those that get fewer."""
    start, wanted = _by_host(before.values()), _by_host(after.values())
    found = {host: wanted.get(host, _NONE) - start.get(host, _NONE) for host in {*start, *wanted}}
    return {host for host, more in found.items() if more > 0}, {host for host, more in found.items() if more < 0}


def hosts_of(documents: Documents) -> set[str]:
    """Return the hosts that get requests by routes."""
    return set(_by_host(documents.values()))


def led_to(documents: Documents, hosts: Iterable[str], mesh: Mesh) -> dict[Key, Document]:
    """Return the live ServiceEntries of these hosts, or of all that routes lead to where none is given, with all VMs there."""
    asked = set(hosts) or hosts_of(documents)
    live = {key: one.document for key, one in mesh.observed.objects.items() if key.kind in ("ServiceEntry", "WorkloadEntry")}
    entries = {key: one for key, one in live.items() if key.kind == "ServiceEntry" and asked & _hosts(key, one)}
    namespaces = {key.namespace for key in entries}
    live |= {key: one.document for key, one in mesh.observed.machines.items()}
    return entries | {key: one for key, one in live.items() if key.kind != "ServiceEntry" and key.namespace in namespaces}


def _hosts(key: Key, entry: Document) -> set[str]:
    return {fqdn(host, key.namespace) for host in entry["spec"].get("hosts") or ()}


def _by_host(documents: Iterable[Document | None]) -> dict[str, Fraction]:
    """Return what each host gets of the requests to all routes of these documents, the share of each route counted as one."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for one in documents:
        if one is not None and one["kind"] == "VirtualService":
            for destination in VirtualService.of(one).destinations:
                found[destination.host] += destination.share
    return {host: share for host, share in found.items() if share}
