"""Typed, read-only views of Istio documents, for whoever has to reason about endpoints, subsets and routes.

The views are lenient: they read documents of Git as well as live ones, take what is there, and fill in what Istio would assume
(weight 1, resolution NONE, the target port, the namespace of a short host). They judge nothing: that is `validation` and
`analysis`. `endpoints` says where requests can go, `routes` how they get there.
"""

from reconciler.core.istio.endpoints import (
    AUTO_REGISTERED,
    HEALTH_CHECKED,
    WORKLOAD_NAME,
    AddressForm,
    Endpoint,
    Port,
    Resolution,
    ServiceEntry,
    WorkloadEntry,
    is_health_checked,
    selects,
)
from reconciler.core.istio.routes import Destination, DestinationRule, Route, Subset, VirtualService, workloads_of_policy

__all__ = [
    "AUTO_REGISTERED",
    "HEALTH_CHECKED",
    "WORKLOAD_NAME",
    "AddressForm",
    "Destination",
    "DestinationRule",
    "Endpoint",
    "Port",
    "Resolution",
    "Route",
    "ServiceEntry",
    "Subset",
    "VirtualService",
    "WorkloadEntry",
    "is_health_checked",
    "selects",
    "workloads_of_policy",
]
