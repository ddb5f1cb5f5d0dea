"""The port `Schemas` on CRDs: made-up ones, Istio's own, and the verdicts of a real API server."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from reconciler.adapters.schemas_crd.codes import Code
from reconciler.adapters.schemas_crd.definitions import read_crds
from reconciler.adapters.schemas_crd.schemas import CrdSchemas
from reconciler.core.resources import Document
from reconciler.errors import Severity
from tests.adapters.schemas_crd.definitions_of_widgets import GROUP, crd, widget
from tests.core.validation.samples import HTTP, SPECS, document
from tests.real.apiserver import ApiServer
from tests.real.crds import Which
from tests.real.kube import Refused, collection_path

PORTS = {
    "type": "array",
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["name"],
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "number": {"type": "integer", "x-kubernetes-validations": [{"rule": "0 < self", "message": "must be a port"}]},
        },
    },
}
SCHEMAS = CrdSchemas([crd({"type": "object", "required": ["ports"], "properties": {"ports": PORTS}})], "a test")


def said(schemas: CrdSchemas, of: Document) -> list[str]:
    """Return code and field of each problem."""
    return [f"{problem.code} {problem.field}" for problem in schemas.problems(of)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"ports": [{"name": "a", "number": 1}]}, []),
        ({}, ["MR5101 spec.ports"]),
        ({"ports": None}, ["MR5101 spec.ports"]),
        ({"ports": [{"name": "a", "number": 0}]}, ["MR5201 spec.ports[0].number"]),
        ({"ports": [{"name": "a"}, {"name": "a"}]}, ["MR5103 spec.ports[1]"]),
        ({"ports": [{"name": "a", "nubmer": 1}]}, ["MR5102 spec.ports[0].nubmer"]),
        ({"ports": [{"name": "a", "number": None}]}, []),
        ({"ports": [{"name": 5, "number": 0}]}, ["MR5101 spec.ports[0].name"]),
        ({"ports": [None]}, ["MR5101 spec.ports[0]"]),
    ],
)
def test_schema_lists_and_rules(spec: dict[str, Any], expected: list[str]) -> None:
    """All of them are asked; after wrong types no rules are, as the server does."""
    assert said(SCHEMAS, widget(spec)) == expected


def test_any_value_in_place_of_the_document() -> None:
    """Documents whose shape nobody has checked end in problems."""
    values: list[Any] = [None, 1, "x", [], {"a": [{"b": None}]}, 2**70, 1.5]
    for value in values:
        assert isinstance(SCHEMAS.problems(widget(value)), tuple)
    assert SCHEMAS.problems({}) == ()
    assert SCHEMAS.problems({"apiVersion": 5, "kind": None}) == ()


def test_the_origin_tells_where_the_crds_are_from() -> None:
    """And which Istio they belong to, where labels tell; nothing where there are none."""
    labelled = {**crd({}), "metadata": {"labels": {"operator.istio.io/version": "1.31.4"}}}
    assert SCHEMAS.origin == "a test"
    assert CrdSchemas([labelled], "the cluster").origin == "the cluster (Istio 1.31.4)"
    assert CrdSchemas([], "the cluster").origin == ""
    assert CrdSchemas([{"kind": "Namespace"}], "the cluster").problems(widget({})) == ()


def test_kinds_without_a_crd() -> None:
    """One of Istio's gets a warning that nobody looked; the others are none of ours."""
    gadget = {**widget({}), "kind": "Gadget"}
    (problem,) = SCHEMAS.problems(gadget)
    assert (problem.code, problem.severity) == (Code.NO_CRD, Severity.WARNING)
    assert SCHEMAS.problems({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}) == ()
    assert SCHEMAS.problems({"apiVersion": "example.com/v1", "kind": "Gadget"}) == ()


def test_a_crd_that_serves_nothing() -> None:
    """It gives a warning, not an exception."""
    unserved = CrdSchemas([crd({}, versions=[{"name": "v1", "served": False}])], "a test")
    (problem,) = unserved.problems(widget({}))
    assert (problem.code, problem.severity) == (Code.NOT_SERVED, Severity.WARNING)


def test_a_rule_that_is_not_available_here_warns() -> None:
    """The document stays acceptable."""
    rules = [{"rule": "quantity(self.size).isGreaterThan(quantity('1'))"}]
    schema = {"type": "object", "properties": {"size": {"type": "string"}}, "x-kubernetes-validations": rules}
    (problem,) = CrdSchemas([crd(schema)], "a test").problems(widget({"size": "1Gi"}))
    assert (problem.code, problem.severity, problem.field) == (Code.RULE_UNKNOWN, Severity.WARNING, "spec")


def test_codes_are_explained_once() -> None:
    """Each stands for one thing."""
    assert len({code.value for code in Code}) == len(Code)
    assert all(code.value.startswith("MR5") and code.meaning for code in Code)


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_documents_fit_istios_own_crds(which: Which, istio_crds: Callable[[Which], Path]) -> None:
    """The samples of every kind are fine, all kinds at once from several threads."""
    schemas = CrdSchemas(read_crds(istio_crds(which)), which)
    documents = [document(kind, spec) for kind, spec in SPECS.items()] * 4
    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(schemas.problems, documents)) == {()}


def test_an_older_istio_lacks_newer_fields_and_values(istio_crds: Callable[[Which], Path]) -> None:
    """The user's own CRDs say so, where the rules that come with the program know the newest."""
    dynamic = {**SPECS["ServiceEntry"], "resolution": "DYNAMIC_DNS", "hosts": ["*.example.com"], "workloadSelector": None}
    policy = {"connectionPool": {"http": {"http2KeepAlive": {"interval": "1s", "timeout": "1s"}}}}
    newer = [document("ServiceEntry", dynamic), document("DestinationRule", {"host": "a", "trafficPolicy": policy})]
    lowest, newest = (CrdSchemas(read_crds(istio_crds(which)), which) for which in ("lowest", "newest"))
    assert [said(lowest, one) for one in newer] == [
        ["MR5101 spec.resolution"],
        ["MR5102 spec.trafficPolicy.connectionPool.http.http2KeepAlive"],
    ]
    assert [said(newest, one) for one in newer] == [[], []]


def variations() -> list[tuple[str, Document]]:
    """Documents around the rules of Istio's CRDs, good and bad, each with what is special."""
    entry, workload, group, rule = (
        SPECS[kind] for kind in ("ServiceEntry", "WorkloadEntry", "WorkloadGroup", "DestinationRule")
    )
    static = {name: value for name, value in entry.items() if name != "workloadSelector"}
    specs: list[tuple[str, str, Any]] = [
        ("a host that is *", "ServiceEntry", {**entry, "hosts": ["*"]}),
        ("no hosts", "ServiceEntry", {**entry, "hosts": []}),
        ("selector and endpoints", "ServiceEntry", {**entry, "endpoints": []}),
        ("NONE with endpoints", "ServiceEntry", {**static, "resolution": "NONE", "endpoints": []}),
        ("endpoints", "ServiceEntry", {**static, "endpoints": [{"address": "10.0.0.1"}]}),
        ("an endpoint without address", "ServiceEntry", {**static, "endpoints": [{}]}),
        ("a null endpoint", "ServiceEntry", {**static, "endpoints": [None]}),
        ("a block with DNS", "ServiceEntry", {**static, "resolution": "DNS", "addresses": ["10.0.0.0/8"]}),
        ("two of the same port", "ServiceEntry", {**entry, "ports": [HTTP, {**HTTP, "name": "b"}]}),
        ("two of the same name", "ServiceEntry", {**entry, "ports": [HTTP, {**HTTP, "number": 81}]}),
        ("a null port", "ServiceEntry", {**entry, "ports": [None]}),
        ("target port 0", "ServiceEntry", {**entry, "ports": [{**HTTP, "targetPort": 0}]}),
        ("a null target port", "ServiceEntry", {**entry, "ports": [{**HTTP, "targetPort": None}]}),
        ("a wildcard selector", "ServiceEntry", {**entry, "workloadSelector": {"labels": {"a": "*"}}}),
        ("an unknown resolution", "ServiceEntry", {**entry, "resolution": "MAGIC"}),
        ("a text as number", "ServiceEntry", {**entry, "ports": [{**HTTP, "number": "80"}]}),
        ("neither address nor network", "WorkloadEntry", {"labels": {"a": "b"}}),
        ("a null address", "WorkloadEntry", {"address": None, "network": "n"}),
        ("a relative socket", "WorkloadEntry", {"address": "unix://x"}),
        ("an empty socket", "WorkloadEntry", {"address": "unix://"}),
        ("a socket with ports", "WorkloadEntry", {"address": "unix:///x", "ports": {}}),
        ("a long port name", "WorkloadEntry", {**workload, "ports": {"x" * 63: 80}}),
        ("a port of 0", "WorkloadEntry", {**workload, "ports": {"http": 0}}),
        ("a weight below 0", "WorkloadEntry", {**workload, "weight": -1}),
        ("no template", "WorkloadGroup", {"probe": group["probe"]}),
        ("two probe methods", "WorkloadGroup", {**group, "probe": {**group["probe"], "tcpSocket": {"port": 1}}}),
        ("a null probe method", "WorkloadGroup", {"template": {}, "probe": {"httpGet": None}}),
        ("a probe without port", "WorkloadGroup", {"template": {}, "probe": {"tcpSocket": {}}}),
        ("an unknown scheme", "WorkloadGroup", {"template": {}, "probe": {"httpGet": {"port": 1, "scheme": "ftp"}}}),
        ("no duration", "DestinationRule", {**rule, "trafficPolicy": {"outlierDetection": {"interval": "soon"}}}),
        ("a short duration", "DestinationRule", {**rule, "trafficPolicy": {"outlierDetection": {"interval": "1us"}}}),
        (
            "two balancers",
            "DestinationRule",
            {**rule, "trafficPolicy": {"loadBalancer": {"simple": "RANDOM", "consistentHash": {}}}},
        ),
        (
            "beyond 32 bits",
            "DestinationRule",
            {**rule, "trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 2**31}}}},
        ),
        ("two kinds of match", "VirtualService", {"http": [{"match": [{"uri": {"exact": "a", "prefix": "a"}}]}]}),
        ("a route without destination", "VirtualService", {"tcp": [{"route": [{"weight": 1}]}]}),
        ("a body of bytes", "VirtualService", {"http": [{"directResponse": {"status": 200, "body": {"bytes": "YQ"}}}]}),
        ("ports without selector", "PeerAuthentication", {"portLevelMtls": {"80": {}}}),
        ("a port that is a name", "PeerAuthentication", {**SPECS["PeerAuthentication"], "portLevelMtls": {"http": {}}}),
        ("keys from two places", "RequestAuthentication", {"jwtRules": [{"jwksUri": "https://a", "jwks": "{}"}]}),
        ("keys by ftp", "RequestAuthentication", {"jwtRules": [{"jwksUri": "ftp://a"}]}),
        ("keys from nowhere", "RequestAuthentication", {"jwtRules": [{"jwksUri": "a b"}]}),
        ("a target elsewhere", "Telemetry", {"targetRef": {"kind": "Service", "name": "a", "namespace": "b"}}),
        ("selector and target", "Telemetry", {"selector": {}, "targetRef": {"kind": "Service", "name": "a"}}),
        ("a tag without value", "Telemetry", {"metrics": [{"overrides": [{"tagOverrides": {"a": {"operation": "UPSERT"}}}]}]}),
        ("threads below 0", "ProxyConfig", {"concurrency": -1}),
        ("null threads", "ProxyConfig", {"concurrency": None}),
    ]
    return [(name, document(kind, spec)) for name, kind, spec in specs] + [
        (kind, document(kind, SPECS[kind])) for kind in SPECS
    ]


def test_verdicts_are_those_of_a_real_api_server(
    api_server: ApiServer, namespace: str, istio_crds: Callable[[Which], Path]
) -> None:
    """Around every rule: what is refused here is refused there, and the other way round."""
    schemas = CrdSchemas(read_crds(istio_crds("newest")), "newest")

    def server_takes(of: Document) -> bool:
        here = deepcopy(of)
        here["metadata"]["namespace"] = namespace
        try:
            path = collection_path(of["apiVersion"], of["kind"], namespace)
            api_server.kube.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", here)
        except Refused:
            return False
        return True

    mine = {name: not schemas.problems(one) for name, one in variations()}
    assert mine == {name: server_takes(one) for name, one in variations()}
    assert 10 < sum(mine.values()) < len(mine) - 10


def test_the_group_of_the_made_up_kind_is_no_real_one() -> None:
    """So that no test of it can meet a rule of Istio's."""
    assert GROUP not in {"networking.istio.io", "security.istio.io", "telemetry.istio.io"}
