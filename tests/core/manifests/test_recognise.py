"""Whose business a document is."""

import pytest

from reconciler.core.kinds import MANAGED, READ_ONLY, Kind
from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.recognise import recognise
from reconciler.errors import Problem


@pytest.mark.parametrize("kind", [*MANAGED.values(), *READ_ONLY.values()])
def test_every_version_of_our_kinds_is_recognised(kind: Kind) -> None:
    """All versions under which a kind may be written are one kind."""
    for version in kind.versions:
        assert recognise(f"{kind.group}/{version}" if kind.group else version, kind.name) is kind


@pytest.mark.case("M-12")
@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Secret"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("networking.istio.io/v1alpha3", "EnvoyFilter"),
        ("extensions.istio.io/v1alpha1", "WasmPlugin"),
        ("apps/v1", "Deployment"),
        ("gateway.networking.k8s.io/v1", "Gateway"),
        ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
        ("kustomize.config.k8s.io/v1beta1", "Kustomization"),
    ],
)
def test_kinds_of_others_are_left_to_them(api_version: str, kind: str) -> None:
    """Also those that share a name with one of Istio's."""
    assert recognise(api_version, kind) is None


@pytest.mark.case("M-10", "M-12")
@pytest.mark.parametrize(
    ("api_version", "kind", "code", "hint"),
    [
        ("networking.istio.io/v1", "WorkloadEntri", Code.UNKNOWN_KIND, "WorkloadEntry"),
        ("rbac.istio.io/v1alpha1", "ServiceRole", Code.UNKNOWN_KIND, "is not a kind of rbac.istio.io"),
        ("mesh-reconciler.io/v1alpha1", "VirtualMachine", Code.UNKNOWN_KIND, "is not a kind of"),
        ("networking.istio.io/v2", "ServiceEntry", Code.WRONG_VERSION, "networking.istio.io/v1"),
        ("networking.istio.oi/v1", "ServiceEntry", Code.WRONG_VERSION, "networking.istio.io/v1"),
        ("security.istio.io/v1", "ServiceEntry", Code.WRONG_VERSION, "networking.istio.io/v1"),
        ("v1", "ServiceEntry", Code.WRONG_VERSION, "networking.istio.io/v1"),
        ("v2", "Namespace", Code.WRONG_VERSION, "v1"),
        ("mesh-reconciler.io/v1", "RolloutPolicy", Code.WRONG_VERSION, "mesh-reconciler.io/v1alpha1"),
        ("v1", "List", Code.LIST, "documents of their own"),
    ],
)
def test_mistakes_are_told_with_what_was_probably_meant(api_version: str, kind: str, code: Code, hint: str) -> None:
    """An unknown kind in Istio's groups, a wrong version, a misspelt group, a List."""
    problem = recognise(api_version, kind)
    assert isinstance(problem, Problem)
    assert problem.code == code
    assert hint in problem.message
