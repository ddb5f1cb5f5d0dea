"""Rules about RolloutPolicies."""

from collections.abc import Iterator

from reconciler.core.analysis.codes import Code
from reconciler.core.analysis.commit import Commit
from reconciler.core.resources import Key
from reconciler.errors import Problem, Severity


def rollout_policies(commit: Commit) -> Iterator[Problem]:
    """Each RolloutPolicy is for one ServiceEntry of its namespace, and the only one for it."""
    first: dict[Key, Key] = {}
    for key, manifest in commit.manifests.items():
        if key.kind != "RolloutPolicy":
            continue
        service = Key("ServiceEntry", key.namespace, manifest.document["spec"]["serviceEntry"])
        if service not in commit.manifests:
            message = f"there is no {service} in this commit: correct the name, or remove the policy"
            yield commit.problem(Code.POLICY_WITHOUT_SERVICE, key, "spec.serviceEntry", message, Severity.ERROR)
        elif (other := first.setdefault(service, key)) != key:
            message = f"{other} ({commit.place(other)}) is for {service} too: keep one of them"
            yield commit.problem(Code.POLICIES_COMPETE, key, "spec.serviceEntry", message, Severity.ERROR)
