"""Who scales the Pods behind a selector, and what a person has to set so that enough of them run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.resources import Autoscaler, Controller, ObservedState, Pod
from reconciler.core.scaling import Scale, Scaler, Scaling, run_by

LABELS = {"app": "billing"}
SELECTORS = (LABELS,)
DEPLOYMENT = Controller("Deployment", "shop", "billing", 3, {**LABELS, "tier": "web"})
HPA = Autoscaler("shop", "billing", "Deployment/billing", 2, 10, 3, 4)


def scaling(*things: Controller | Autoscaler, unseen: frozenset[tuple[str, str]] = frozenset()) -> Scaling:
    """An index over what scales Pods."""
    controllers = tuple(one for one in things if isinstance(one, Controller))
    autoscalers = tuple(one for one in things if isinstance(one, Autoscaler))
    return Scaling(ObservedState({}, controllers=controllers, autoscalers=autoscalers, unseen=unseen))


def pod(owner: str, **labels: str) -> Pod:
    """A Pod of billing."""
    return Pod("shop", "billing-1", "10.1.0.1", {**LABELS, **labels}, ready=True, owner=owner)


def test_an_autoscaler_governs_the_pods_of_what_it_scales() -> None:
    """Found by the labels that its Pods would carry, so that none of them has to run."""
    found = scaling(DEPLOYMENT, HPA).behind("shop", SELECTORS)
    assert found == Scale((Scaler("hpa/billing", 2, 10, 4),))
    assert scaling(DEPLOYMENT, HPA).behind("other", SELECTORS) == Scale()
    assert scaling(DEPLOYMENT, HPA).behind("shop", ({"app": "orders"}, None)) == Scale()


def test_without_an_autoscaler_replicas_are_set_by_people() -> None:
    """They are both bounds; all Deployments that a selector picks count together."""
    found = scaling(DEPLOYMENT, replace(DEPLOYMENT, kind="StatefulSet", name="ledger", replicas=2)).behind("shop", SELECTORS)
    assert [one.name for one in found.scalers] == ["deployment/billing", "statefulset/ledger"]
    assert (found.minimum, found.maximum, found.desired, found.automatic) == (5, 5, 5, ())


def test_an_owner_of_a_kind_that_is_not_read_may_be_scaled_too() -> None:
    """An Argo Rollout runs ReplicaSets as a Deployment does; the autoscaler names the Rollout."""
    runs = Controller("ReplicaSet", "shop", "billing-7c", 3, LABELS, owner="Rollout/billing")
    found = scaling(runs, replace(HPA, target="Rollout/billing")).behind("shop", SELECTORS, [pod("ReplicaSet/billing-7c")])
    assert [one.name for one in found.scalers] == ["hpa/billing"]
    assert scaling(runs).behind("shop", SELECTORS, [pod("ReplicaSet/billing-7c")]) == Scale()


def test_a_pod_names_its_deployment_also_where_replica_sets_are_hidden() -> None:
    """By the hash that a Deployment gives its Pods and their ReplicaSet's name."""
    one = pod("ReplicaSet/billing-5d4f", **{"pod-template-hash": "5d4f"})
    assert run_by(one) == "Deployment/billing"
    assert [scaler.name for scaler in scaling(HPA).behind("shop", SELECTORS, [one]).scalers] == ["hpa/billing"]
    assert run_by(pod("StatefulSet/ledger")) == "StatefulSet/ledger"
    assert run_by(pod("")) == ""


@pytest.mark.parametrize(("where", "hidden"), [("", True), ("shop", True), ("other", False)])
def test_what_may_not_be_read_is_said(where: str, hidden: bool) -> None:  # noqa: FBT001 - a table
    """In the namespaces that are concerned."""
    found = scaling(DEPLOYMENT, unseen=frozenset({("HorizontalPodAutoscaler", where)})).behind("shop", SELECTORS)
    assert ("HorizontalPodAutoscaler cannot be read" in found.unseen) is hidden


@pytest.mark.parametrize(
    ("scalers", "pods", "advice"),
    [
        ([Scaler("hpa/billing", 2, 10, 4)], 4, ""),
        ([Scaler("hpa/billing", 2, 10, 4)], 6, "set minReplicas of hpa/billing to 6"),
        (
            [Scaler("hpa/billing", 2, 5, 4)],
            6,
            "set minReplicas of hpa/billing to 6 and its maxReplicas, which is 5",
        ),
        ([Scaler("deployment/billing", 3, 3, 3, automatic=False)], 6, "scale deployment/billing to 6"),
        (
            [Scaler("hpa/billing", 2, 10, 4), Scaler("deployment/extra", 2, 2, 2, automatic=False)],
            8,
            "set minReplicas of hpa/billing to 6",
        ),
        ([Scaler("hpa/a", 1, 9, 1), Scaler("hpa/b", 1, 9, 1)], 6, "let hpa/a and hpa/b run 6 Pods together"),
        ([], 6, ""),
    ],
)
def test_advice_is_what_a_person_types(scalers: list[Scaler], pods: int, advice: str) -> None:
    """Nothing is to be set where so many are asked for already, or nobody knows what scales them."""
    assert Scale(tuple(scalers)).advice(pods) == advice


def test_a_new_lower_bound_counts_before_the_autoscaler_has_acted() -> None:
    """A person who has followed the advice is not told again."""
    found = scaling(DEPLOYMENT, replace(HPA, minimum=6)).behind("shop", SELECTORS)
    assert (found.desired, found.advice(6)) == (6, "")
