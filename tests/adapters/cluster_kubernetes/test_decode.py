"""Documents of the API server -> our values."""

from typing import Any

import pytest

from reconciler.adapters.cluster_kubernetes import decode
from reconciler.core.kinds import MANAGED
from reconciler.core.resources import Autoscaler, Controller, FieldOwner, Service, ServicePort


def pod(*, status: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A running, ready Pod."""
    running = {"phase": "Running", "podIP": "10.1.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
    return {
        "metadata": {"namespace": "shop", "name": "pod-1", "labels": {"app": "billing"}, **metadata},
        "spec": {"serviceAccountName": "billing", "containers": [{"name": "app"}]},
        "status": {**running, **(status or {})},
    }


@pytest.mark.parametrize(
    ("raw", "ready"),
    [
        (pod(), True),
        (pod(status={"conditions": [{"type": "Ready", "status": "False"}]}), False),
        (pod(status={"conditions": None}), False),
        (pod(status={"podIP": ""}), False),
        (pod(status={"phase": "Succeeded"}), False),
        (pod(status={"phase": "Failed"}), False),
        (pod(deletionTimestamp="2026-01-01T00:00:00Z"), False),
        ({"metadata": {"namespace": "shop", "name": "new"}}, False),
    ],
)
def test_a_pod_counts_as_istio_counts_it(raw: dict[str, Any], ready: bool) -> None:  # noqa: FBT001 - a table
    """Ready, with an address, not finished, not being deleted."""
    assert decode.pod(raw).ready is ready


def test_a_pods_named_tcp_ports_and_owner_are_read() -> None:
    """The first port of a name wins; UDP and unnamed ones are none."""
    raw = pod(ownerReferences=[{"kind": "Node", "name": "n"}, {"kind": "ReplicaSet", "name": "billing-5f", "controller": True}])
    raw["spec"]["containers"] = [
        {"ports": [{"name": "http", "containerPort": 8080}, {"name": "dns", "containerPort": 53, "protocol": "UDP"}]},
        {"ports": [{"name": "http", "containerPort": 9090, "protocol": "TCP"}, {"containerPort": 1}]},
    ]
    read = decode.pod(raw)
    assert read.ports == {"http": 8080}
    assert read.owner == "ReplicaSet/billing-5f"
    assert read.service_account == "billing"


def test_what_keeps_pods_running_is_read_without_versions_that_have_gone() -> None:
    """Replicas that nobody sets are 1; a ReplicaSet of 0 that a Deployment has left behind runs nothing."""
    labels = {"app": "billing"}
    spec = {"replicas": 0, "template": {"metadata": {"labels": labels}}}
    owned = {
        "namespace": "shop",
        "name": "billing-5f",
        "ownerReferences": [{"kind": "Deployment", "name": "b", "controller": True}],
    }
    assert decode.controller({"metadata": owned, "spec": spec}, "ReplicaSet") is None
    read = decode.controller({"metadata": owned, "spec": {**spec, "replicas": 2}}, "ReplicaSet")
    assert read == Controller("ReplicaSet", "shop", "billing-5f", 2, labels, "Deployment/b")
    alone = {"metadata": {"namespace": "shop", "name": "billing"}, "spec": {"template": {}}}
    assert decode.controller(alone, "Deployment") == Controller("Deployment", "shop", "billing", 1, {})


def test_an_autoscaler_is_read_without_what_it_measures() -> None:
    """Bounds, and what it asks for; of one that has not said anything yet nothing runs."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "billing"}
    raw = {"metadata": {"namespace": "shop", "name": "b"}, "spec": {"scaleTargetRef": target, "maxReplicas": 9}}
    assert decode.autoscaler(raw) == Autoscaler("shop", "b", "Deployment/billing", 1, 9)
    said = [{**raw, "status": {"desiredReplicas": 3, "currentReplicas": 2, "currentMetrics": [{"load": n}]}} for n in (1, 2)]
    assert decode.autoscaler(said[0]) == decode.autoscaler(said[1]) == Autoscaler("shop", "b", "Deployment/billing", 1, 9, 2, 3)


def test_a_service_without_a_selector_is_none_of_ours() -> None:
    """Others tell what they select and where their ports lead."""
    metadata = {"namespace": "shop", "name": "billing"}
    ports = [{"name": "http", "port": 80, "targetPort": "web"}, {"port": 81}]
    assert decode.service({"metadata": metadata, "spec": {"ports": ports}}) is None
    assert decode.service({"metadata": metadata, "spec": {"selector": {"a": "b"}, "ports": ports}}) == Service(
        "shop", "billing", {"a": "b"}, (ServicePort("http", 80, "web"), ServicePort("", 81, 81))
    )


def test_an_object_of_any_version_reads_the_same() -> None:
    """The version that it was read under does not show."""
    read = [
        decode.live_object(
            {
                "apiVersion": f"networking.istio.io/{version}",
                "kind": "ServiceEntry",
                "metadata": {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "1"},
                "spec": {"hosts": ["a.b"]},
            },
            MANAGED["ServiceEntry"],
        )
        for version in ("v1", "v1beta1", "v1alpha3")
    ]
    assert read[0] == read[1] == read[2]
    assert read[0].document["apiVersion"] == "networking.istio.io/v1"


def test_an_owner_survives_the_way_there_and_back() -> None:
    """What is read from managedFields is written back as it was; a missing apiVersion is filled in."""
    raw = {
        "manager": "kubectl",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {".": {}, "f:hosts": {}}},
        "time": "2026-11-23T12:00:00Z",
        "subresource": "status",
    }
    live = decode.live_object(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "managedFields": [raw]}}, MANAGED["Namespace"]
    )
    assert decode.entry(live.owners[0], "ignored") == raw
    assert decode.entry(FieldOwner("m", "Apply", "{}"), "v1")["apiVersion"] == "v1"


def test_equal_texts_are_kept_once() -> None:
    """Thousands of objects with the same labels hold one text."""
    raws = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"n{i}", "labels": {"team": "pay" + "-a"}}}
        for i in range(2)
    ]
    first, second = (decode.live_object(raw, MANAGED["Namespace"]) for raw in raws)
    assert first.labels["team"] is second.labels["team"]
