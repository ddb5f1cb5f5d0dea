"""Rules across the objects of one commit: what each document may say alone, and what goes wrong between them.

What belongs here: traps that no validator of Istio looks for, found from Git alone. What must not be known here: what is live
(Pods, Services, other people's objects), which is the planner's side.
"""

from collections.abc import Mapping

from reconciler.core.analysis import annotations, groups, policies, routes, services, workloads
from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.resources import Key, Manifest
from reconciler.errors import Problem

__all__ = ["Code", "analyse"]

_RULES = (
    services.host_conflicts,
    services.empty_selections,
    services.dropped_endpoints,
    workloads.unused_port_names,
    workloads.unreported_health,
    workloads.pod_names,
    workloads.unknown_accounts,
    workloads.annotations,
    workloads.health_sources,
    workloads.central_probes,
    workloads.shared_addresses,
    annotations.unknown_annotations,
    annotations.delegated_addresses,
    groups.joining,
    groups.forged_joins,
    routes.destinations,
    routes.rule_hosts,
    routes.competing_rules,
    routes.competing_routes,
    policies.rollout_policies,
)


def analyse(manifests: Mapping[Key, Manifest]) -> tuple[Problem, ...]:
    """Return what is wrong between the manifests and RolloutPolicies of a commit, each with object, field and document."""
    commit = Commit.of(manifests)
    return tuple(problem for rule in _RULES for problem in rule(commit))
