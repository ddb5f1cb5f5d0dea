"""The arithmetic of shares: from what part of a service's requests an endpoint should get to the whole numbers that give it.

What belongs here: numbers in, numbers out, exact. What must not be known here: documents, plans, what is live, time.

A *share* is the VMs' part of the requests of a service port, 0 to 1. Envoy divides by weight, so of VMs with summed weight W
and N Pods the VMs get W / (W + N): istiod passes a WorkloadEntry's weight on, reads 0 as 1, and gives every Pod 1 (`LbWeight`
in pilot/pkg/serviceregistry, `GetLoadBalancingWeight` in pilot/pkg/model/service.go). An *exposure* is how far along the way a
rollout is: ``share = start + exposure * (wanted - start)``.

    weights(crowd, wanted)            `weighing`: the smallest whole weights for a share, or what is in the way
    reachable(steps, reach)           `steps`: steps of a policy that no weights reach, merged or refused
    grouped(order, exposures, steps)  `groups`: which endpoints change, leave or come in which step
    lowered(crowd, written, names)    `lowering`: less weight for those that are about to change
    unattended(crowd, total, pods)    `unattended`: what is reached if nobody recomputes
    hold(crowd, now, promise)         `holding`: the share while Pods scale, crash and come back
    route_weights(shares)             `routes`: exact percentages for the strategy `subsets`
"""

from reconciler.core.shares.groups import Group, Groups, by_part, grouped, of_arrivals, of_departures, of_updates
from reconciler.core.shares.holding import Effect, Held, Promise, hold
from reconciler.core.shares.lowering import Lowered, lowered
from reconciler.core.shares.presence import Presence
from reconciler.core.shares.routes import RouteWeights, route_weights
from reconciler.core.shares.steps import Reach, Reachable, Reached, by_weights, reachable
from reconciler.core.shares.unattended import Unattended, unattended
from reconciler.core.shares.values import Course, Crowd, Limit, Limits, Rounding, Weights
from reconciler.core.shares.weighing import pods_for, vms_for, weights, weights_on

__all__ = [
    "Course",
    "Crowd",
    "Effect",
    "Group",
    "Groups",
    "Held",
    "Limit",
    "Limits",
    "Lowered",
    "Presence",
    "Promise",
    "Reach",
    "Reachable",
    "Reached",
    "Rounding",
    "RouteWeights",
    "Unattended",
    "Weights",
    "by_part",
    "by_weights",
    "grouped",
    "hold",
    "lowered",
    "of_arrivals",
    "of_departures",
    "of_updates",
    "pods_for",
    "reachable",
    "route_weights",
    "unattended",
    "vms_for",
    "weights",
    "weights_on",
]
