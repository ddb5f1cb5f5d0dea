"""Rules about RolloutPolicies."""

from reconciler.core.analysis import Code
from reconciler.core.resources import Document
from tests.core.analysis.commits import document, problems, service


def policy(name: str, target: str, namespace: str = "shop") -> Document:
    """Return a RolloutPolicy for a ServiceEntry."""
    return document("RolloutPolicy", name, {"serviceEntry": target}, namespace)


def test_a_service_has_one_policy() -> None:
    """A second one is an error that names both."""
    found = problems(service("a"), policy("one", "a"), policy("two", "a"))
    assert found == [(Code.POLICIES_COMPETE, "error", "RolloutPolicy shop/two", "spec.serviceEntry")]


def test_a_policy_needs_its_service_in_its_namespace() -> None:
    """A mistyped name would leave the service without protection."""
    found = problems(service("a"), policy("one", "a", "bank"), policy("two", "b"))
    assert [(code, severity, where) for code, severity, where, _ in found] == [
        (Code.POLICY_WITHOUT_SERVICE, "error", "RolloutPolicy bank/one"),
        (Code.POLICY_WITHOUT_SERVICE, "error", "RolloutPolicy shop/two"),
    ]
