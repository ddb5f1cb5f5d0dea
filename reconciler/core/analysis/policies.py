"""Rules about RolloutPolicies."""

from collections.abc import Iterator

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.resources import Key
from reconciler.core.rollouts.policies import Policies
from reconciler.errors import Problem, Severity

_SERVICE, _STEPS = "spec.serviceEntry", "spec.steps"


def rollout_policies(commit: Commit) -> Iterator[Problem]:
    """Each RolloutPolicy is for one ServiceEntry of its namespace, or its default, and the only one; its gates are there."""
    policies = Policies.of(commit.manifests)
    first: dict[Key, Key] = {}
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


def _unknown_gates(commit: Commit, key: Key, policies: Policies) -> Iterator[Problem]:
    """A gate is defined in the policy itself, in its namespace's default or in the repository's."""
    defined = {gate["name"] for gate in policies.spec(key.namespace, key).get("gates", ())}
    for number, step in enumerate(policies.specs[key].get("steps") or ()):
        for place, name in enumerate(step.get("gates") or ()):
            if name not in defined:
                message = f"there is no gate {name}: define it under gates, here or in a default policy"
                yield commit.problem(Code.GATE_UNKNOWN, key, f"{_STEPS}[{number}].gates[{place}]", message, Severity.ERROR)
