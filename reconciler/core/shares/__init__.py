"""The arithmetic of shares: from what part of a service's requests an endpoint should get to the whole numbers that give it.

What belongs here: numbers in, numbers out, exact. What must not be known here: documents, plans, what is live, time.

A *share* is the VMs' part of the requests of a service port, 0 to 1. Envoy divides by weight, so of VMs with summed weight W
and N Pods the VMs get W / (W + N): istiod passes a WorkloadEntry's weight on, reads 0 as 1, and gives every Pod 1 (`LbWeight`
in pilot/pkg/serviceregistry, `GetLoadBalancingWeight` in pilot/pkg/model/service.go). An *exposure* is how far along the way a
rollout is: ``share = start + exposure * (wanted - start)``.

`weights` turns a share into weights; `reachable` merges steps that no weights reach; `grouped` spreads endpoints over steps.
"""

from reconciler.core.shares.groups import (
    Group,
    Groups,
    by_part,
    grouped,
    of_arrivals,
    of_departures,
    of_updates,
)
from reconciler.core.shares.steps import Reach, Reachable, Reached, by_weights, reachable
from reconciler.core.shares.values import Course, Crowd, Limit, Limits, Rounding, Weights
from reconciler.core.shares.weighing import pods_for, vms_for, weights, weights_on

__all__ = [
    "Course",
    "Crowd",
    "Group",
    "Groups",
    "Limit",
    "Limits",
    "Reach",
    "Reachable",
    "Reached",
    "Rounding",
    "Weights",
    "by_part",
    "by_weights",
    "grouped",
    "of_arrivals",
    "of_departures",
    "of_updates",
    "pods_for",
    "reachable",
    "vms_for",
    "weights",
    "weights_on",
]
