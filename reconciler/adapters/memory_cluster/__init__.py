"""A cluster in memory, for demos and tests: server-side apply with owners and conflicts, preconditions, generations, watches.

What belongs here: what the API server does with objects. What must not be known here: Istio's meaning of them, plans, time
beyond the clock that is given.
"""

from reconciler.adapters.memory_cluster.cluster import MemoryCluster

__all__ = ["MemoryCluster"]
