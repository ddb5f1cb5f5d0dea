"""Marks of other tools."""

import pytest

from reconciler.core.resources import Document
from reconciler.core.tools import TOOLS, controller_of, is_registered_by_istiod, tools_of
from tests.building import document, live, owner

TRACKING = "argocd.argoproj.io/tracking-id"
CANARY = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "name": "billing", "controller": True}


@pytest.mark.parametrize(
    ("metadata", "managers", "tool", "mark"),
    [
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "a:b"}},
            (),
            "argo-cd",
            "annotation argocd.argoproj.io/tracking-id",
        ),
        ({"labels": {"argocd.argoproj.io/instance": "mesh"}}, (), "argo-cd", "label argocd.argoproj.io/instance"),
        ({}, ("argocd-controller",), "argo-cd", "field manager argocd-controller"),
        ({"labels": {"kustomize.toolkit.fluxcd.io/name": "mesh"}}, (), "flux", "label kustomize.toolkit.fluxcd.io/name"),
        ({}, ("kustomize-controller",), "flux", "field manager kustomize-controller"),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, (), "helm", "label app.kubernetes.io/managed-by"),
        ({"annotations": {"meta.helm.sh/release-name": "mesh"}}, (), "helm", "annotation meta.helm.sh/release-name"),
        ({}, ("helm",), "helm", "field manager helm"),
        ({"ownerReferences": [CANARY]}, (), "flagger", "owner reference to Canary"),
        ({}, ("flagger",), "flagger", "field manager flagger"),
        (
            {"annotations": {"argo-rollouts.argoproj.io/managed-by-rollouts": "billing"}},
            (),
            "argo-rollouts",
            "annotation argo-rollouts.argoproj.io/managed-by-rollouts",
        ),
        ({}, ("rollouts-controller",), "argo-rollouts", "field manager rollouts-controller"),
    ],
)
def test_a_tool_is_known_by_each_of_its_marks(metadata: Document, managers: tuple[str, ...], tool: str, mark: str) -> None:
    """One mark is enough, and it is named."""
    one = document("VirtualService", "billing", **metadata)
    found = tools_of(live(one, *(owner(manager, one) for manager in managers)))
    assert [(known.name, seen) for known, seen in found] == [(tool, mark)]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"labels": {"app.kubernetes.io/managed-by": "hand", "app.kubernetes.io/instance": "mesh"}},
        {"ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "billing"}]},
    ],
)
def test_common_labels_are_no_marks(metadata: Document) -> None:
    """Everybody sets the recommended labels; only the values that tools set by themselves count."""
    one = document("VirtualService", "billing", **metadata)
    assert not tools_of(live(one, owner("kubectl-create", one)))


def test_every_tool_has_a_way_out() -> None:
    """A report never says no without saying what to do."""
    assert all(tool.way_out for tool in TOOLS)
    assert len({tool.name for tool in TOOLS}) == len(TOOLS)


@pytest.mark.parametrize(
    "metadata",
    [
        {"annotations": {"istio.io/autoRegistrationGroup": "vms"}},
        {"ownerReferences": [{"apiVersion": "networking.istio.io/v1", "kind": "WorkloadGroup", "name": "vms"}]},
    ],
)
def test_what_istiod_registered_is_known_by_annotation_or_owner(metadata: Document) -> None:
    """Either is enough: istiod sets both, people lose one."""
    assert is_registered_by_istiod(live(document("WorkloadEntry", "vms-10.0.0.1", **metadata)))
    assert not is_registered_by_istiod(live(document("WorkloadEntry", "vm1")))


def test_a_controller_is_named() -> None:
    """An owner without control does not manage the object's life."""
    assert controller_of(live(document("VirtualService", "billing", ownerReferences=[CANARY]))) == "Canary billing"
    assert not controller_of(live(document("VirtualService", "x", ownerReferences=[{**CANARY, "controller": False}])))
