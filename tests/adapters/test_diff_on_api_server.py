"""Comparisons against a real API server: no noise, no false friends, every hand on the object seen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reconciler.core.changes import ABSENT, State
from reconciler.core.comparison import managers_of
from reconciler.core.owned import Conflicts
from reconciler.core.resources import Document, Key
from reconciler.errors import Conflict
from tests.adapters.hands import Hands
from tests.building import document, service_entry, workload_entry
from tests.real.apiserver import ApiServer
from tests.real.kube import object_path
from tests.real.kubectl import Kubectl
from tests.waiting import becomes

PORTS = [{"number": 80, "name": "http", "protocol": "HTTP"}, {"number": 443, "name": "tls", "protocol": "TLS"}]


@pytest.fixture
def hands(api_server: ApiServer, namespace: str) -> Iterator[Hands]:
    """The reconciler's hands in a namespace of its own."""
    mine = Hands(api_server.kubeconfig, namespace)
    yield mine
    mine.cluster.close()


@pytest.fixture
def put(namespace: str) -> Callable[[Document], Document]:
    """A function that puts a document into the test's namespace."""
    return lambda one: {**one, "metadata": {**one["metadata"], "namespace": namespace}}


EVERY_KIND = [
    service_entry(ports=PORTS, endpoints=[{"address": "10.0.0.1", "labels": {}, "weight": 2.0}], subjectAltNames=[]),
    workload_entry(weight=5.0, ports={"http": 8080}, labels={}, locality=None, network=""),
    document("WorkloadGroup", "vms", spec={"template": {"ports": {}}, "probe": {"tcpSocket": {"port": 80}}}),
    document(
        "DestinationRule",
        "billing",
        spec={
            "host": "billing.internal",
            "subsets": [{"name": "vm", "labels": {"platform": "vm"}}, {"name": "all", "labels": None}],
            "trafficPolicy": {"tls": {"mode": "SIMPLE", "insecureSkipVerify": None}, "outlierDetection": {"interval": "1m"}},
        },
    ),
    document(
        "VirtualService",
        "billing",
        spec={
            "hosts": ["billing.internal"],
            "http": [{"route": [{"destination": {"host": "billing.internal", "port": {"number": 80}}, "weight": 100}]}],
        },
    ),
    document("Sidecar", "default", spec={"egress": [{"hosts": ["./*"]}]}),
    document("Gateway", "in", spec={"servers": [{"port": PORTS[0], "hosts": ["billing.internal"]}], "selector": {"a": "b"}}),
    document("PeerAuthentication", "default", spec={"mtls": {"mode": "STRICT"}, "selector": {"matchLabels": {"a": "b"}}}),
    document(
        "PeerAuthentication", "p", spec={"selector": {"matchLabels": {"a": "b"}}, "portLevelMtls": {"80": {"mode": "DISABLE"}}}
    ),
    document("AuthorizationPolicy", "allow-nothing", spec={}),
    document("AuthorizationPolicy", "allow", spec={"rules": [{"from": [{"source": {"namespaces": ["shop"]}}]}]}),
    document("RequestAuthentication", "jwt", spec={"jwtRules": [{"issuer": "i", "jwksUri": "https://billing.internal"}]}),
    document("Telemetry", "log", spec={"accessLogging": [{"disabled": False}], "tracing": [{"randomSamplingPercentage": 10}]}),
    document("ProxyConfig", "two", spec={"concurrency": 2, "environmentVariables": {}}),
    document("ServiceAccount", "vm", automountServiceAccountToken=False, imagePullSecrets=[{"name": "registry"}]),
    document("ServiceAccount", "old", secrets=[{"name": "b"}, {"name": "a"}], labels={}, annotations={}),
]


@pytest.mark.case("D-01")
@pytest.mark.parametrize("one", EVERY_KIND, ids=lambda one: f"{one['kind']}-{one['metadata']['name']}")
def test_a_second_look_at_what_was_written_finds_nothing(
    hands: Hands, put: Callable[[Document], Document], one: Document
) -> None:
    """Defaults, empty maps, nulls and number twins included, for every kind that we write."""
    assert [change.action for change in hands.write(put(one))] == ["create"]
    assert hands.look(put(one)) == ()
    assert hands.live(put(one)).generation <= 1


@pytest.mark.case("D-01")
def test_a_namespace_holds_what_the_server_adds(hands: Hands, namespace: str) -> None:
    """Its own name as a label, its finalizer, its phase."""
    space = document("Namespace", namespace, "", labels={"istio-injection": "enabled"}, annotations={})
    assert [one.state for one in hands.look(space)] == [State.NOT_ADOPTED]


@pytest.mark.case("D-01")
def test_ports_listed_in_another_order_are_no_difference(hands: Hands, put: Callable[[Document], Document]) -> None:
    """The server merges them by name."""
    hands.write(put(service_entry(ports=PORTS)))
    assert hands.look(put(service_entry(ports=PORTS[::-1]))) == ()


@pytest.mark.case("D-01")
@pytest.mark.parametrize("version", ["v1beta1", "v1alpha3"])
def test_api_versions_are_one_object(
    hands: Hands, api_server: ApiServer, put: Callable[[Document], Document], version: str
) -> None:
    """Read or touched under another version, it is the same object with the same owners."""
    one = put(workload_entry(weight=5))
    hands.write(one)
    old = {**one, "apiVersion": f"networking.istio.io/{version}"}
    api_server.kube.patch(old, {"metadata": {"labels": {"team": "red"}}}, manager="old-script")
    assert hands.look(one) == ()
    api_server.kube.patch(old, {"spec": {"weight": 7}}, manager="old-script")
    (found,) = hands.look(one)
    assert [(row.path, row.wanted, row.cluster, row.managers) for row in found.fields] == [
        ("spec.weight", 5, 7, ("old-script",))
    ]


@pytest.mark.case("D-01")
def test_what_istiod_and_a_vm_write_never_shows(
    hands: Hands, api_server: ApiServer, put: Callable[[Document], Document]
) -> None:
    """Istiod updates the whole object and its status; people label it; neither is a difference, before or after our write."""
    one = put(workload_entry(weight=5))
    hands.write(one)
    live = api_server.kube.get(one)
    live["metadata"]["annotations"] = {"istio.io/connectedAt": "now", "istio.io/workloadController": "istiod"}
    live["metadata"]["labels"]["networking.istio.io/tunnel"] = "http"
    live["metadata"]["finalizers"] = ["example.org/hold"]
    api_server.kube.request("PUT", f"{object_path(one)}?fieldManager=pilot-discovery", live)
    api_server.kube.patch(
        one, {"status": {"conditions": [{"type": "Healthy", "status": "True"}]}}, part="/status", manager="pilot-discovery"
    )
    assert hands.look(one) == ()
    hands.write(put(workload_entry(weight=6)))
    after = hands.live(one)
    assert after.annotations["istio.io/workloadController"] == "istiod"
    assert after.labels["networking.istio.io/tunnel"] == "http"
    assert after.document["metadata"]["finalizers"] == ["example.org/hold"]
    assert after.document["status"]["conditions"][0]["type"] == "Healthy"
    assert hands.look(put(workload_entry(weight=6))) == ()


@pytest.mark.case("D-02")
def test_fields_of_others_beside_ours_are_left_alone(
    hands: Hands, kubectl: Kubectl, put: Callable[[Document], Document]
) -> None:
    """A label, an annotation and a spec field that Git does not name: not shown, not removed."""
    one = put(workload_entry())
    hands.write(one)
    mine = kubectl.within(hands.namespace)
    mine("label", "workloadentry", "vm1", "team=red")
    mine("annotate", "workloadentry", "vm1", "note=mine")
    mine("patch", "workloadentry", "vm1", "--type=merge", "-p", json.dumps({"spec": {"network": "n1"}}))
    assert hands.look(one) == ()
    hands.write(put(workload_entry(weight=3)))
    after = hands.live(one)
    assert (after.labels["team"], after.annotations["note"], after.document["spec"]["network"]) == ("red", "mine", "n1")


@pytest.mark.case("D-02", "A-13")
def test_a_field_edited_by_hand_is_reported_and_the_rest_goes_on(
    hands: Hands, kubectl: Kubectl, put: Callable[[Document], Document], tmp_path: Path
) -> None:
    """Yield: the editor is named; another change of Git is written around the field."""
    hands.write(put(workload_entry(weight=5)))
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/weight: 5/weight: 7/" "$1"\n', encoding="utf-8")
    editor.chmod(0o755)
    kubectl.within(hands.namespace)("edit", "workloadentry", "vm1", env={"EDITOR": str(editor)})
    (found,) = hands.look(put(workload_entry(weight=5)))
    assert found.state is State.CO_OWNED
    assert [(row.path, row.wanted, row.cluster, row.managers) for row in found.fields] == [
        ("spec.weight", 5, 7, ("kubectl-edit",))
    ]
    hands.write(put(workload_entry(weight=5, locality="a/b")))
    assert hands.live(put(workload_entry())).document["spec"] == workload_entry(weight=7, locality="a/b")["spec"]
    (found,) = hands.look(put(workload_entry(weight=5, locality="a/b")))
    assert found.state is State.CO_OWNED


@pytest.mark.case("D-02", "A-01")
def test_a_contested_field_is_taken_and_nothing_else(
    hands: Hands, kubectl: Kubectl, put: Callable[[Document], Document]
) -> None:
    """Take: that one field comes back; what the manager holds besides stays its own."""
    one = put(workload_entry(weight=5))
    hands.write(one)
    patch = {"metadata": {"labels": {"team": "red"}}, "spec": {"weight": 7, "network": "n1"}}
    kubectl.within(hands.namespace)("patch", "workloadentry", "vm1", "--type=merge", "-p", json.dumps(patch))
    assert [change.action for change in hands.write(one, conflicts=Conflicts.TAKE)] == ["hand-over", "update"]
    after = hands.live(one)
    assert (after.document["spec"]["weight"], after.document["spec"]["network"], after.labels["team"]) == (5, "n1", "red")
    assert managers_of(after, ("spec", "weight")) == ()
    assert managers_of(after, ("spec", "network")) == ("kubectl-patch",)
    assert hands.look(one) == ()


@pytest.mark.case("D-02")
def test_a_removal_that_a_co_owner_prevents_is_reported_until_it_is_taken(
    hands: Hands, api_server: ApiServer, put: Callable[[Document], Document]
) -> None:
    """Another tool applies the same endpoints: Git's swap waits, says for whom, and is one write once they are taken."""
    inline = put(service_entry(endpoints=[{"address": "10.0.0.1"}]))
    selecting = put(service_entry(workloadSelector={"labels": {"app": "billing"}}))
    hands.write(inline)
    api_server.kube.apply(inline, "kustomize-controller")
    (found,) = hands.look(selecting)
    assert any(problem.field == "spec.endpoints" for problem in found.problems)
    assert "kustomize-controller" in str(found.problems)
    # The server says no to both at once, so the update carries an error and is not to be begun.
    assert found.problems[-1].severity == "error"
    hands.write(selecting, conflicts=Conflicts.TAKE)
    assert hands.live(inline).document["spec"] == selecting["spec"]
    assert hands.look(selecting) == ()


def test_removed_fields_are_removed(hands: Hands, put: Callable[[Document], Document]) -> None:
    """A field that Git drops goes, a map with it when it was the last one, a port by its name."""
    hands.write(put(service_entry(ports=PORTS, exportTo=["."], labels={"a": "b"})))
    (found,) = hands.look(put(service_entry(ports=PORTS[:1])))
    assert {row.path: row.wanted for row in found.fields} == {
        "metadata.labels.a": ABSENT,
        "spec.exportTo": ABSENT,
        "spec.ports[name=tls]": ABSENT,
    }
    hands.write(put(service_entry(ports=PORTS[:1])))
    assert hands.live(put(service_entry())).document["spec"] == service_entry(ports=PORTS[:1])["spec"]
    assert hands.look(put(service_entry(ports=PORTS[:1]))) == ()


@pytest.mark.case("A-14")
def test_an_object_without_our_mark_is_not_deleted(hands: Hands, kubectl: Kubectl, put: Callable[[Document], Document]) -> None:
    """Somebody took the label away; Git drops the object: it stays, and the report says so."""
    one = put(workload_entry())
    hands.write(one)
    hands.inventory = frozenset({Key.of(one)})
    kubectl.within(hands.namespace)("label", "workloadentry", "vm1", "mesh-reconciler.io/target-")
    assert [(found.state, found.changes) for found in hands.look()] == [(State.LEFT, ())]
    # While Git wants the object, the label just comes back.
    hands.write(one)
    assert [found.state for found in hands.look()] == [State.DELETE]


@pytest.mark.case("D-05")
def test_writes_go_to_the_object_that_was_looked_at_or_nowhere(
    hands: Hands, api_server: ApiServer, put: Callable[[Document], Document]
) -> None:
    """Update and delete carry uid and version: a change in between is a conflict, not a loss."""
    hands.write(put(workload_entry(weight=1)))
    (update,) = (change for found in hands.look(put(workload_entry(weight=2))) for change in found.changes)
    (delete,) = (change for found in hands.look() for change in found.changes)
    api_server.kube.patch(put(workload_entry()), {"metadata": {"labels": {"team": "red"}}})
    assert update.after is not None
    with pytest.raises(Conflict):
        hands.cluster.apply(update.after, uid=update.uid, resource_version=update.resource_version)
    with pytest.raises(Conflict):
        hands.cluster.delete(delete.key, uid=delete.uid, resource_version=delete.resource_version)
    assert hands.live(put(workload_entry())).document["spec"]["weight"] == 1


def test_a_view_only_token_compares_all_the_same(
    hands: Hands, api_server: ApiServer, put: Callable[[Document], Document], tmp_path: Path
) -> None:
    """It may not even ask by dry-run; the local comparison stands, and nothing moves."""
    hands.write(put(workload_entry(weight=1)))
    before = hands.live(put(workload_entry()))
    token = api_server.account(hands.namespace, "viewer").token
    viewer = Hands(api_server.write_kubeconfig(tmp_path / "viewer", token), hands.namespace)
    (found,) = viewer.look(put(workload_entry(weight=2)))
    assert (found.state, [row.path for row in found.fields], found.problems) == (State.UPDATE, ["spec.weight"], ())
    viewer.cluster.close()
    assert hands.live(put(workload_entry())) == before


def mutation(name: str, namespace: str, expression: str) -> list[dict[str, Any]]:
    """A policy that changes WorkloadEntries of one namespace as a mutating webhook would, and its binding."""
    group = "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": ["networking.istio.io"], "apiVersions": ["*"], "resources": ["workloadentries"]}
    policy = {
        "apiVersion": group,
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "reinvocationPolicy": "Never",
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{**rule, "operations": ["CREATE", "UPDATE"]}]},
            "matchConditions": [{"name": "here", "expression": f"request.namespace == '{namespace}'"}],
            "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
        },
    }
    binding = {
        "apiVersion": group,
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name},
    }
    return [policy, binding]


@pytest.mark.case("A-07", "D-01")
def test_a_value_that_admission_changes_back_each_time_is_no_difference(
    hands: Hands, api_server: ApiServer, put: Callable[[Document], Document]
) -> None:
    """The server is asked, its answer is what is live: the second look finds nothing, and a real change still shows."""
    expression = 'has(object.spec.weight) ? [JSONPatch{op: "replace", path: "/spec/weight", value: 7}] : []'
    policies = mutation(f"seven-{hands.namespace}", hands.namespace, expression)
    for policy in policies:
        api_server.kube.create(policy)
    try:
        one = put(workload_entry(weight=5))
        _until_mutated(hands, one)
        assert hands.look(one) == ()
        (found,) = hands.look(put(workload_entry(weight=5, locality="a/b")))
        assert [row.path for row in found.fields] == ["spec.locality"]
    finally:
        for policy in policies[::-1]:
            api_server.kube.delete(policy)


def _until_mutated(hands: Hands, one: Document) -> None:
    """The server takes a moment to learn of a policy; ask by dry-run until it does, then write."""
    assert becomes(lambda: hands.cluster.dry_run(one).document["spec"]["weight"] == 7)
    hands.write(one)
    live = hands.live(one)
    assert live.document["spec"]["weight"] == 7, replace(live, owners=())
