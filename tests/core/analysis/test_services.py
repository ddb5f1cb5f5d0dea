"""Rules about ServiceEntries."""

from typing import Any

import pytest

from reconciler.core.analysis import Code
from tests.core.analysis.commits import document, problems, service, workload

TCP = [{"number": 80, "name": "tcp", "protocol": "TCP"}]


@pytest.mark.case("T-04")
@pytest.mark.parametrize("other", [{"ports": TCP}, {"resolution": "DNS"}])
def test_two_services_of_one_host_must_agree(other: dict[str, Any]) -> None:
    """About protocol and resolution; in one namespace the disagreement is an error."""
    found = problems(service("a", hosts=["a.internal"]), service("b", hosts=["A.internal."], **other))
    assert found == [(Code.HOST_PORT_CONFLICT, "error", "ServiceEntry shop/b", "spec.ports[0]")]


@pytest.mark.parametrize(
    ("export", "other_export", "warned"),
    [
        (None, None, True),
        (["."], ["."], False),
        (["*"], ["."], True),
        (["bank"], ["."], True),
        (["x"], ["y"], False),
        (["~"], ["*"], False),
    ],
)
def test_across_namespaces_it_is_a_warning_where_both_are_seen(export: Any, other_export: Any, *, warned: bool) -> None:
    """Clients follow their own namespace, else the oldest; what is not exported meets nobody."""
    one = service("a", hosts=["h.internal"], **({"exportTo": export} if export else {}))
    other = service("b", "bank", hosts=["h.internal"], ports=TCP, **({"exportTo": other_export} if other_export else {}))
    assert [(code, severity) for code, severity, _, _ in problems(one, other)] == [
        (Code.HOST_PORT_CONFLICT, "warning")
    ] * warned


def test_the_third_service_is_compared_with_the_first() -> None:
    """Also when a service between them meets neither."""
    hosts: dict[str, Any] = {"hosts": ["h.internal"]}
    first, third = service("a", exportTo=["."], **hosts), service("c", ports=TCP, exportTo=["."], **hosts)
    between = service("b", "bank", exportTo=["."], **hosts)
    assert [where for _, _, where, _ in problems(first, between, third)] == ["ServiceEntry shop/c"]


def test_agreeing_services_may_share_a_host() -> None:
    """Other ports, equal definitions, TLS and HTTPS, which a proxy treats alike."""
    tls = [{"number": 443, "name": "tls", "protocol": "TLS"}]
    https = [{"number": 443, "name": "https", "protocol": "https"}]
    hosts: dict[str, Any] = {"hosts": ["h.internal"]}
    assert (
        problems(
            service("a", **hosts), service("b", **hosts), service("c", ports=tls, **hosts), service("d", ports=https, **hosts)
        )
        == []
    )


SELECTOR: dict[str, Any] = {"workloadSelector": {"labels": {"app": "a"}}}


def test_a_selector_that_picks_no_workload_is_suspicious_where_there_are_workloads() -> None:
    """A service of Pods alone is fine, and only mentioned."""
    nothing = (Code.SELECTS_NOTHING, "ServiceEntry shop/a", "spec.workloadSelector.labels")
    (code, severity, where, field) = problems(service("a", **SELECTOR))[0]
    assert ((code, where, field), severity) == (nothing, "info")
    (code, severity, where, field) = problems(service("a", **SELECTOR), workload("vm", labels={"app": "b"}))[0]
    assert ((code, where, field), severity) == (nothing, "warning")
    assert problems(service("a", **SELECTOR), workload("vm")) == []


def test_vms_that_may_join_are_workloads_too() -> None:
    """A group from whose template a selector picks, if its annotation lets VMs join."""
    spec = {"template": {"labels": {"app": "b"}}, "metadata": {"labels": {"app": "a"}}}
    group = document("WorkloadGroup", "web", spec, annotations={"mesh-reconciler.io/autoRegister": "true"})
    assert problems(service("a", **SELECTOR), group) == []
    told = [code for code, *_ in problems(service("a", **SELECTOR), document("WorkloadGroup", "web", spec))]
    assert told == [code for code, *_ in problems(service("a", "bank", **SELECTOR), group)] == [Code.SELECTS_NOTHING]


def test_a_selector_sees_topology_labels_and_its_own_namespace_only() -> None:
    """As istiod does."""
    by_zone: dict[str, Any] = {"workloadSelector": {"labels": {"topology.kubernetes.io/zone": "eu-1"}}}
    assert problems(service("a", **by_zone), workload("vm", locality="eu/eu-1")) == []
    assert [code for code, _, _, _ in problems(service("a", "bank", **SELECTOR), workload("vm"))] == [Code.SELECTS_NOTHING]


@pytest.mark.parametrize(("resolution", "dropped"), [("STATIC", True), ("DNS", False)])
def test_a_name_behind_a_static_service_is_dropped_silently(resolution: str, *, dropped: bool) -> None:
    """Istio says nothing, so we do."""
    found = problems(service("a", resolution=resolution, **SELECTOR), workload("vm", "vm.example.com"))
    assert found == [(Code.NEVER_AN_ENDPOINT, "warning", "WorkloadEntry shop/vm", "spec.address")] * dropped
