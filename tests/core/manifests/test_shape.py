"""What is said against the shape of a document."""

from typing import Any

import pytest

from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.models import MODELS
from reconciler.core.manifests.models.metadata import SERVER_FIELDS
from reconciler.core.manifests.shape import shape_problems
from reconciler.core.resources import Document


def document(kind: str, spec: Any = None, **metadata: Any) -> Document:
    """Return a document of a kind."""
    made: Document = {"apiVersion": "x/v1", "kind": kind, "metadata": {"name": "a", "namespace": "shop", **metadata}}
    return made if spec is None else {**made, "spec": spec}


def problems(kind: str, spec: Any = None, **metadata: Any) -> list[tuple[str, str]]:
    """Return code and field of each problem."""
    return [(problem.code, problem.field) for problem in shape_problems(kind, document(kind, spec, **metadata))]


SPECS: dict[str, Any] = {
    "ServiceEntry": {"hosts": ["a.b"]},
    "WorkloadEntry": {"address": "10.0.0.1"},
    "WorkloadGroup": {"template": {}},
    "DestinationRule": {"host": "a"},
    "VirtualService": {"hosts": ["a"]},
    "RolloutPolicy": {"serviceEntry": "a"},
}


@pytest.mark.parametrize("kind", sorted(MODELS))
def test_the_smallest_document_of_each_kind_is_well_formed(kind: str) -> None:
    """Only what is required needs to be there."""
    assert problems(kind, SPECS.get(kind)) == []


@pytest.mark.case("M-10")
@pytest.mark.parametrize("field", sorted(SERVER_FIELDS - {"status"}))
def test_fields_that_the_cluster_writes_are_refused(field: str) -> None:
    """In metadata, and the status of an object."""
    assert problems("WorkloadEntry", {"address": "10.0.0.1"}, **{field: "x"}) == [(Code.SERVER_FIELD, f"metadata.{field}")]
    with_status = document("WorkloadEntry", {"address": "10.0.0.1"}) | {"status": {}}
    assert [one.code for one in shape_problems("WorkloadEntry", with_status)] == [Code.SERVER_FIELD]


@pytest.mark.case("M-10")
def test_an_unknown_field_is_refused_with_what_was_probably_meant() -> None:
    """At any depth, by the names of the very object it stands in."""
    route = {"route": [{"destination": {"host": "a", "sub_set": "v1"}, "wieght": 1}]}
    found = shape_problems("VirtualService", document("VirtualService", {"hosts": ["a"], "http": [route], "gateway": []}))
    assert [(one.code, one.field, one.message.split("?")[0].rpartition(" ")[2]) for one in found] == [
        (Code.UNKNOWN_FIELD, "spec.http[0].route[0].destination.sub_set", "subset"),
        (Code.UNKNOWN_FIELD, "spec.http[0].route[0].wieght", "weight"),
        (Code.UNKNOWN_FIELD, "spec.gateway", "gateways"),
    ]
    (alone,) = shape_problems("ServiceAccount", {**document("ServiceAccount"), "zzz": 1})
    assert alone.message == "is not a known field: correct the name or remove it"


@pytest.mark.case("M-04", "M-05")
@pytest.mark.parametrize(
    ("spec", "code", "field", "message"),
    [
        ({"weight": "5"}, Code.TYPE, "spec.weight", "must be a whole number: write plain digits without quotes"),
        ({"weight": 1.0}, Code.TYPE, "spec.weight", "must be a whole number: write it without a fraction"),
        ({"weight": 1.5}, Code.TYPE, "spec.weight", "must be a whole number: write it without a fraction"),
        ({"weight": True}, Code.TYPE, "spec.weight", "must be a whole number: write plain digits without quotes"),
        ({"weight": -1}, Code.BOUND, "spec.weight", "must be at least 0"),
        ({"weight": 2**63}, Code.BOUND, "spec.weight", "must be at most 4294967295"),
        ({"ports": {"http": 0}}, Code.BOUND, "spec.ports.http", "must be at least 1"),
        ({"ports": {"http": 65536}}, Code.BOUND, "spec.ports.http", "must be at most 65535"),
        ({"address": 10}, Code.TYPE, "spec.address", "must be text: put the value in quotes"),
        ({"address": ["a"]}, Code.TYPE, "spec.address", "must be text"),
        ({"labels": {"a.b/c": 1}}, Code.TYPE, 'spec.labels["a.b/c"]', "must be text: put the value in quotes"),
        ({"labels": {"a": None}}, Code.TYPE, "spec.labels.a", "must be text: put the value in quotes"),
        ({"labels": []}, Code.TYPE, "spec.labels", "must be an object: write fields with values"),
        ({"address": "x" * 257}, Code.BOUND, "spec.address", "may have at most 256 characters: shorten it"),
        ("text", Code.TYPE, "spec", "must be an object: write fields with values"),
        (None, Code.REQUIRED, "spec", "is required: add it"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(spec: Any, code: Code, field: str, message: str) -> None:
    """Types are not cast and ranges hold; each message says what to do."""
    assert [(one.code, one.field, one.message) for one in shape_problems("WorkloadEntry", document("WorkloadEntry", spec))] == [
        (code, field, message)
    ]


def test_null_is_absence_for_fields_and_nothing_for_items() -> None:
    """As in Kubernetes: a field of an object may be null, an item of a list or a value of a map may not."""
    assert problems("WorkloadEntry", {"address": "10.0.0.1", "ports": None, "weight": None}) == []
    assert problems("ServiceEntry", {"hosts": ["a.b"], "ports": [None]}) == [(Code.TYPE, "spec.ports[0]")]
    assert problems("ServiceEntry", {"hosts": None}) == [(Code.TYPE, "spec.hosts")]


def test_port_names_are_keys_of_a_map() -> None:
    """The API server refuses a second port of one name, and so does the model, at its place."""
    ports = [{"number": number, "name": "http"} for number in (80, 81)]
    assert problems("ServiceEntry", {"hosts": ["a.b"], "ports": ports}) == [(Code.BOUND, "spec.ports[1].name")]


def test_alternatives_exclude_each_other() -> None:
    """The message names those that were given."""
    spec = {"template": {}, "probe": {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}}}
    (problem,) = shape_problems("WorkloadGroup", document("WorkloadGroup", spec))
    assert (problem.field, problem.message) == ("spec.probe", "only one of httpGet and tcpSocket may be given: keep one")


@pytest.mark.case("M-14")
@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"name": "A"}, "metadata.name"),
        ({"name": "a\n"}, "metadata.name"),
        ({"name": "a" * 254}, "metadata.name"),
        ({"name": ""}, "metadata.name"),
        ({"namespace": "a.b"}, "metadata.namespace"),
        ({"namespace": "a" * 64}, "metadata.namespace"),
        ({"labels": {"-a": "x"}}, 'metadata.labels["-a"]'),
        ({"labels": {"a/b/c": "x"}}, 'metadata.labels["a/b/c"]'),
        ({"labels": {"a" * 64: "x"}}, "metadata.labels." + "a" * 64),
        ({"labels": {"A.b/c": "x"}}, 'metadata.labels["A.b/c"]'),
        ({"labels": {"x" * 254 + "/c": "x"}}, 'metadata.labels["' + "x" * 80 + '..."]'),
        ({"labels": {"a": "x" * 64}}, "metadata.labels.a"),
        ({"labels": {"a": "-x"}}, "metadata.labels.a"),
        ({"labels": {"a": "x\n"}}, "metadata.labels.a"),
        ({"annotations": {"a b": "x"}}, 'metadata.annotations["a b"]'),
        ({"annotations": {"a": "x" * 200_000, "b": "x" * 100_000}}, "metadata.annotations"),
    ],
)
def test_names_labels_and_annotations_follow_kubernetes(metadata: dict[str, Any], field: str) -> None:
    """Their limits are found before the API server sees them."""
    assert [one for _, one in problems("WorkloadEntry", {"address": "10.0.0.1"}, **metadata)] == [field]


@pytest.mark.case("M-14")
def test_the_largest_names_and_labels_are_fine() -> None:
    """Exactly at each limit."""
    prefix = ".".join(["x" * 61] * 4) + ".xxxxx"
    assert len(prefix) == 253
    metadata = {"name": "a" * 253, "labels": {f"{prefix}/{'c' * 63}": "v" * 63, "b": ""}, "annotations": {"Up.Per/a": "x"}}
    assert problems("WorkloadEntry", {"address": "10.0.0.1"}, **metadata) == []
    assert [field for _, field in problems("Namespace", name="a.b")] == ["metadata.name"]


@pytest.mark.case("M-15")
def test_a_secret_in_an_annotation_is_never_shown() -> None:
    """Wherever the document is wrong, its values stay out of the messages."""
    secret = "hunter2"
    bad = document("WorkloadEntry", {"address": secret, "weight": secret}, annotations={"token": {"x": secret}, "b ad": secret})
    found = shape_problems("WorkloadEntry", bad)
    assert {one.field for one in found} == {"spec.weight", "metadata.annotations.token", 'metadata.annotations["b ad"]'}
    assert secret not in "".join(map(str, found))


POLICY = {"serviceEntry": "billing"}


@pytest.mark.case("C-12")
@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"steps": [{"exposure": "10%"}, {"exposure": "10%"}, {"exposure": "100%"}]}, "must grow"),
        ({"steps": [{"exposure": "50%"}, {"exposure": "10%"}]}, "must grow"),
        ({"steps": [{"exposure": "10%"}]}, "end at 100%"),
        ({"steps": [{"exposure": "0%"}, {"exposure": "100%"}]}, "begin above 0%"),
        ({"steps": [{"exposure": "200%"}]}, "end at 100%"),
        ({"steps": [{"exposure": "10"}, {"exposure": "100%"}]}, "percentage"),
        ({"steps": [{"exposure": "100%", "hold": "five"}]}, "length of time"),
        ({"steps": []}, "at least 1 items"),
        ({"split": {"vm": 30, "pod": 60}}, "add up to 100"),
        ({"split": {"vm": 130, "pod": -30}}, "at most 100"),
        ({"serviceEntry": None, "split": {"vm": 30, "pod": 70}}, "split is for one service"),
        ({"serviceEntry": None, "expectPods": 6}, "expectPods is for one service"),
        ({"maxLoadPerEndpoint": 0.5}, "at least 1"),
        ({"spill": "101%"}, "spill must be at most 100%"),
        ({"shareTolerance": "101%"}, "shareTolerance must be at most 100%"),
        ({"observedShare": {}}, "observedShare needs query or template"),
        ({"observedShare": {"template": "istio-latency"}}, "istio-latency measures no share"),
        ({"holdback": "0%"}, "holdback must be above 0% and at most 50%"),
        ({"holdback": "51%"}, "holdback must be above 0% and at most 50%"),
        ({"holdback": "1%", "steps": [{"exposure": "99%"}, {"exposure": "100%"}]}, "less than what the last step adds"),
        ({"gates": [{"name": "x"}]}, "a gate needs one of prometheus, compare"),
        ({"gates": [{"name": "x", "prometheus": {"query": "up"}}]}, "needs min or max"),
        ({"gates": [{"name": "x", "webhook": {"url": "file:///etc/passwd"}}]}, "http or https URL"),
        ({"gates": [{"name": "x", "webhook": {"url": "https://u:p@h/"}}]}, "without user and password"),
        ({"onHarm": "explode"}, "must be one of"),
    ],
)
def test_a_rollout_policy_that_makes_no_sense_is_refused(spec: dict[str, Any], message: str) -> None:
    """Steps grow to 100 %, shares add up, gates exist and ask something."""
    found = shape_problems("RolloutPolicy", document("RolloutPolicy", {**POLICY, **spec}))
    assert any(message in problem.message for problem in found)


def test_a_full_rollout_policy_is_well_formed() -> None:
    """Everything that a policy may say."""
    spec = {
        "serviceEntry": "billing",
        "split": {"vm": 30, "pod": 70},
        "strategy": "weights",
        "steps": [
            {"exposure": "0.5%", "hold": "5m"},
            {"exposure": "10%", "hold": "1h30m", "gates": ["success-rate", "latency"]},
            {"exposure": "50%", "approval": True, "cover": "24h"},
            {"exposure": "100%"},
        ],
        "gates": [
            {"name": "success-rate", "prometheus": {"query": "sum(rate(up[5m]))", "min": 0.99, "samples": 500}, "mode": "act"},
            {"name": "latency", "compare": {"metric": "latency", "margin": 2}, "mode": "observe"},
            {"name": "hook", "webhook": {"url": "https://gate.example.com/ok"}},
        ],
        "onHarm": "undo",
        "gradual": True,
        "watch": "30m",
        "group": "checkout",
        "unreachable": "merge",
        "wholesale": "approve",
        "maxLoadPerEndpoint": 1.5,
        "spill": "25%",
        "holdback": "0.5%",
        "shareTolerance": "3%",
        "observedShare": {"template": "mesh-share", "parameters": {"host": "billing.internal"}},
        "expectPods": 6,
    }
    assert problems("RolloutPolicy", spec) == []
