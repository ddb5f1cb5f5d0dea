"""A small mesh in three commits: between them lie creates, updates, deletions, records of VMs and a swap of endpoints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from reconciler.core.plans import PlanSettings
from reconciler.core.resources import Document, Key
from reconciler.core.world import World
from reconciler.ports import Cluster
from tests.building import TARGET, document, service_entry, workload_entry

#: What leaves Git goes at once.
PLAN = PlanSettings(target=TARGET, prune_after=timedelta(0))
HOSTS = ("billing.internal", "ledger.internal")


def first(namespace: str = "shop") -> list[Document]:
    """Billing has inline endpoints, ledger four VMs behind a selector."""
    ends = [{"address": f"10.0.0.{number}", "labels": {"app": "billing"}} for number in (1, 2)]
    return within(namespace, service_entry(endpoints=ends), _ledger(), *(_vm("ledger", number) for number in (1, 2, 3, 4)))


def second(namespace: str = "shop", *, weight: int = 5) -> list[Document]:
    """Billing's endpoints become WorkloadEntries; ledger loses its fourth VM, another one moves, one gets a weight."""
    return within(
        namespace,
        service_entry(workloadSelector={"labels": {"app": "billing"}}),
        _vm("billing", 1, weight=weight),
        _vm("billing", 2),
        _ledger(),
        document(
            "DestinationRule", "ledger", spec={"host": HOSTS[1], "subsets": [{"name": "vm", "labels": {"app": "ledger"}}]}
        ),
        _vm("ledger", 1, weight=weight),
        _vm("ledger", 2, address="10.0.2.2"),
        _vm("ledger", 3),
    )


def third(namespace: str = "shop") -> list[Document]:
    """As the second one, with other weights: whoever still writes the second one's can be told."""
    return second(namespace, weight=7)


def empty(objects: Mapping[Key, Document], hosts: Iterable[str] = HOSTS, namespace: str = "shop") -> set[str]:
    """The services that have no endpoint while the cluster holds these objects."""
    world = World.build(objects)
    return {host for host in hosts if not [*world.endpoints(namespace, host, 80)]}


def held(cluster: Cluster) -> dict[Key, Document]:
    """The objects of a cluster."""
    return {key: live.document for key, live in cluster.observe().objects.items()}


def _ledger() -> Document:
    return service_entry("ledger", workloadSelector={"labels": {"app": "ledger"}})


def _vm(app: str, number: int, **spec: Any) -> Document:
    network = {"billing": 0, "ledger": 1}[app]
    return workload_entry(f"{app}-{number}", **{"address": f"10.0.{network}.{number}", "labels": {"app": app}, **spec})


def within(namespace: str, *documents: Document) -> list[Document]:
    """The documents in another namespace."""
    return [{**one, "metadata": {**one["metadata"], "namespace": namespace}} for one in documents]
