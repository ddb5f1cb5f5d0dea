"""Deployments and HorizontalPodAutoscalers without their controllers: the test writes what these would."""

from __future__ import annotations

from collections.abc import Mapping

from tests.real.kube import Document, Kube

#: Whoever plays the controllers.
_HAND = "controller-manager"


def put_deployment(kube: Kube, namespace: str, name: str, replicas: int, labels: Mapping[str, str]) -> None:
    """Create a Deployment, or set its replicas. Nobody makes Pods of it."""
    template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": [{"name": "app", "image": "example.com/app:1"}]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": dict(labels)}, "template": template}
    kube.apply(_document("apps/v1", "Deployment", namespace, name, spec), _HAND)


def put_autoscaler(
    kube: Kube, namespace: str, name: str, target: str, bounds: tuple[int, int], *, current: int, desired: int
) -> None:
    """Create a HorizontalPodAutoscaler of a Deployment or set its bounds, and say what it has found out last."""
    of = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": of, "minReplicas": bounds[0], "maxReplicas": bounds[1]}
    document = _document("autoscaling/v2", "HorizontalPodAutoscaler", namespace, name, spec)
    kube.apply(document, _HAND)
    status = {"currentReplicas": current, "desiredReplicas": desired, "conditions": []}
    kube.patch({**document, "spec": {}}, {"status": status}, part="/status", manager=_HAND)


def _document(version: str, kind: str, namespace: str, name: str, spec: Document) -> Document:
    return {"apiVersion": version, "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec}
