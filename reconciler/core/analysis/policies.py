"""Rules about RolloutPolicies."""

from collections.abc import Iterator

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.gates.reading import Library, by_workload, gates_of, hopeless
from reconciler.core.gates.spec import READY_MADE
from reconciler.core.istio import ServiceEntry
from reconciler.core.resources import EMPTY, Document, Key
from reconciler.core.rollouts.obstacles import Code as ObstacleCode
from reconciler.core.rollouts.obstacles import Obstacle, obstacles
from reconciler.core.rollouts.platforms import Labelled, missing, told_apart
from reconciler.core.rollouts.policies import Policies
from reconciler.core.rollouts.policy import Strategy
from reconciler.errors import Problem, Severity

#: Protocols of which proxies see single requests; of all others they see connections or bytes.
_REQUESTS = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"})

_SERVICE, _STEPS = "spec.serviceEntry", "spec.steps"


def rollout_policies(commit: Commit) -> Iterator[Problem]:
    """Each RolloutPolicy is for one ServiceEntry of its namespace, or its default, and the only one; its gates are there."""
    policies = Policies.of(commit.manifests)
    first: dict[Key, Key] = {}
    services = {one.key: one for one in commit.services}
    for key, spec in policies.specs.items():
        name = spec.get("serviceEntry") or ""
        service = Key("ServiceEntry", key.namespace, name)
        if name and service not in commit.manifests:
            message = f"there is no {service} in this commit: correct the name, or remove the policy"
            yield commit.problem(Code.POLICY_WITHOUT_SERVICE, key, _SERVICE, message, Severity.ERROR)
        elif (other := first.setdefault(service, key)) != key:
            what = f"for {service}" if name else f"the default of namespace {key.namespace}"
            message = f"{other} ({commit.place(other)}) is {what} too: keep one of them"
            yield commit.problem(Code.POLICIES_COMPETE, key, _SERVICE if name else "spec", message, Severity.ERROR)
        yield from _unknown_gates(commit, key, policies)
        yield from _uncounted(commit, key, spec, services.get(service))
        yield from _indistinct(commit, key, spec, services.get(service))
        if service in commit.manifests and policies.spec(key.namespace, key).get("strategy") == Strategy.SUBSETS:
            yield from _obstructed(commit, service)


def hopeless_gates(document: Document, library: Library) -> Iterator[Problem]:
    """What no rollout would ever pass: too few persons of a role, a query or template that the operator does not allow."""
    spec = (document.get("spec") or {}) if document.get("kind") == "RolloutPolicy" else {}
    for number, gate in enumerate(gates_of(spec, library)):
        if why := hopeless(gate):
            message = f"gate {gate.name} can never pass: {why}"
            yield Problem(Code.HOPELESS, message, Severity.WARNING, field=f"spec.gates[{number}]")


def _unknown_gates(commit: Commit, key: Key, policies: Policies) -> Iterator[Problem]:
    """A gate is defined in the policy itself, in its namespace's default or in the repository's."""
    defined = {gate["name"] for gate in policies.spec(key.namespace, key).get("gates", ())}
    for number, step in enumerate(policies.specs[key].get("steps") or ()):
        for place, name in enumerate(step.get("gates") or ()):
            if name not in defined:
                message = f"there is no gate {name}: define it under gates, here or in a default policy"
                yield commit.problem(Code.GATE_UNKNOWN, key, f"{_STEPS}[{number}].gates[{place}]", message, Severity.ERROR)


def _obstructed(commit: Commit, service: Key) -> Iterator[Problem]:
    """What is in the way of strategy `subsets` as far as the commit tells; the rest a plan says, which knows the Pods."""
    documents = {
        key: one.document for key, one in commit.manifests.items() if key.kind in ("VirtualService", "DestinationRule")
    }
    entry = ServiceEntry.of(commit.manifests[service].document)
    machines: list[Labelled] = [(one.key, one.endpoint.selectable) for one in commit.matched.get(service, ())]
    machines += [(service, one.selectable) for one in entry.endpoints]
    found = list(obstacles(commit.manifests[service].document, documents, machines))
    if machines and not told_apart(machines, entry.selector or {}):
        found.append(Obstacle(ObstacleCode.NO_LABEL, service, "", missing(machines, ())))
    for one in found:
        yield Problem(one.code, one.message, Severity.WARNING, commit.place(one.key), one.field, str(one.key))


def _uncounted(commit: Commit, key: Key, spec: Document, service: ServiceEntry | None) -> Iterator[Problem]:
    """What reads Istio's counts of requests needs a port of which there are some; it would wait for data for ever."""
    if service is None or any(port.protocol.upper() in _REQUESTS for port in service.ports):
        return
    for number, gate in enumerate(spec.get("gates") or ()):
        if gate.get("compare") or (gate.get("prometheus") or EMPTY).get("template") in READY_MADE:
            message = f"no port of {service.key} is HTTP or gRPC, so Istio counts no requests: measure by a query of your own"
            yield commit.problem(Code.UNCOUNTED, key, f"spec.gates[{number}]", message)


def _indistinct(commit: Commit, key: Key, spec: Document, service: ServiceEntry | None) -> Iterator[Problem]:
    """Metrics name an inline endpoint after its ServiceEntry, newer ones with its place in the list (istiod's conversion.go).

    Whether WorkloadEntries and Pods are told apart no commit says: a plan does, which knows the Pods.
    """
    if service is None or not service.endpoints:
        return
    for number, gate in enumerate(spec.get("gates") or ()):
        if by_workload(gate):
            message = (
                f"inline endpoints of {service.key} have no lasting name in the metrics, so gate {gate['name']} cannot tell "
                "canary from stable: write them as WorkloadEntries, or let a comparing gate pick them by labels"
            )
            yield commit.problem(Code.INDISTINCT, key, f"spec.gates[{number}]", message)
