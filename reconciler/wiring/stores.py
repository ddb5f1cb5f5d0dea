"""The state store and the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.wanted import FIELD_MANAGER
from reconciler.ports import (
    Clock,
    Cluster,
    Enrolment,
    Lease,
    Store,
)

if TYPE_CHECKING:
    from reconciler.adapters.cluster_kubernetes import KubernetesApi
    from reconciler.adapters.memory_cluster import MemoryCluster
    from reconciler.settings import Settings


def state_store(settings: Settings) -> Store:
    """Return the target's state store."""
    from reconciler.adapters.store_sql import SqlStore

    return SqlStore(settings.state or f"sqlite:///{settings.folder / 'state.db'}", settings.target)


def kubernetes(settings: Settings, clock: Clock) -> tuple[Cluster, Lease]:
    """Return the cluster and the target's lease in it."""
    from reconciler.adapters.cluster_kubernetes import KubernetesCluster
    from reconciler.adapters.lease_kubernetes import KubernetesLease

    api = _kubernetes_api(settings, clock)
    return KubernetesCluster(api, FIELD_MANAGER), KubernetesLease(
        api, settings.target, settings.lease_namespace, clock.monotonic
    )


def enrolment(settings: Settings, clock: Clock) -> Enrolment:
    """Return the cluster as what lets VMs in."""
    from reconciler.adapters.enrolment_kubernetes import KubernetesEnrolment

    return KubernetesEnrolment(_kubernetes_api(settings, clock))


def _kubernetes_api(settings: Settings, clock: Clock) -> KubernetesApi:
    from reconciler.adapters.cluster_kubernetes import KubernetesApi, KubernetesSettings

    return KubernetesApi(
        KubernetesSettings(
            kubeconfig=settings.kubeconfig,
            context=settings.context,
            namespaces=settings.namespaces,
            allow_exec=settings.allow_exec,
            concurrency=settings.writers,
            relist_interval=settings.relist_interval,
        ),
        clock.monotonic,
    )


def embedded_cluster(settings: Settings, clock: Clock) -> tuple[MemoryCluster, Lease]:
    """Return a cluster in memory, and a lease that is a row of a database in the data folder."""
    from reconciler.adapters.lease_sql import SqlLease
    from reconciler.adapters.memory_cluster import MemoryCluster

    return MemoryCluster(clock, FIELD_MANAGER), SqlLease(f"sqlite:///{settings.folder / 'lease.db'}", settings.target, clock)
