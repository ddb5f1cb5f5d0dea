"""The ports: what the cycle needs of the world, as promises. Adapters keep them, the twins in memory too.

All methods may raise `Unavailable` (nothing is known; nothing may be concluded) and `Rejected`; other errors are named.
All adapters are safe to call from several threads.
"""

from reconciler.ports.cluster import NEW, Cluster, ClusterState, Enrolment, Lease, LeaseState
from reconciler.ports.gates import Discovery, Hook, Metrics
from reconciler.ports.git import BadTree, ParseCache, Schemas, Source, TreeFile
from reconciler.ports.registry import (
    FleetChanges,
    FleetDesk,
    FleetOffice,
    FleetStore,
    JoinTokens,
    RegistryState,
    ServedRegistry,
    VMRegistry,
    Witness,
)
from reconciler.ports.store import FLIPS, Clock, CycleRecord, JournalEntry, Override, RolloutStore, Store

__all__ = [
    "FLIPS",
    "NEW",
    "BadTree",
    "Clock",
    "Cluster",
    "ClusterState",
    "CycleRecord",
    "Discovery",
    "Enrolment",
    "FleetChanges",
    "FleetDesk",
    "FleetOffice",
    "FleetStore",
    "Hook",
    "JoinTokens",
    "JournalEntry",
    "Lease",
    "LeaseState",
    "Metrics",
    "Override",
    "ParseCache",
    "RegistryState",
    "RolloutStore",
    "Schemas",
    "ServedRegistry",
    "Source",
    "Store",
    "TreeFile",
    "VMRegistry",
    "Witness",
]
