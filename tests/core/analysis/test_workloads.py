"""Rules about WorkloadEntries."""

from typing import Any

import pytest

from reconciler.core.analysis import Code
from reconciler.core.analysis.annotations import WRITTEN
from tests.core.analysis.commits import document, problems, service, workload

SERVICE = service("billing", workloadSelector={"labels": {"app": "a"}})
SOURCE = "mesh-reconciler.io/health"
HEALTH = "proxy.istio.io/health-checks-enabled"


@pytest.mark.case("M-13")
def test_a_port_name_that_no_selecting_service_has_is_told() -> None:
    """Istio would silently use the service's own port; unselected entries may serve a Kubernetes Service."""
    found = problems(SERVICE, workload("vm", ports={"http": 8080, "htpt": 8081}))
    assert found == [(Code.PORT_NAME_UNUSED, "warning", "WorkloadEntry shop/vm", "spec.ports.htpt")]
    assert problems(workload("vm", ports={"htpt": 8081})) == []


@pytest.mark.parametrize(
    ("annotations", "address", "told"),
    [
        ({HEALTH: "true"}, "10.0.0.1", False),
        ({HEALTH: "true", "mesh-reconciler.io/registry": "none"}, "10.0.0.1", True),
        ({HEALTH: "true"}, "unix:///run/a.sock", True),
        ({HEALTH: "false", "mesh-reconciler.io/registry": "none"}, "10.0.0.1", False),
        ({HEALTH: "true", "mesh-reconciler.io/registry": "none", SOURCE: "assumed"}, "10.0.0.1", False),
        ({HEALTH: "true", "mesh-reconciler.io/registry": "none", SOURCE: "istiod"}, "10.0.0.1", False),
        ({HEALTH: "true", "mesh-reconciler.io/registry": "none", SOURCE: "consul"}, "10.0.0.1", True),
    ],
)
def test_health_that_nobody_reports_is_told(annotations: dict[str, str], address: str, *, told: bool) -> None:
    """An entry that the registry does not keep waits for ever, unless somebody else's word counts."""
    found = problems(workload("vm", address, annotations=annotations))
    assert found == [(Code.HEALTH_UNREPORTED, "warning", "WorkloadEntry shop/vm", f'metadata.annotations["{HEALTH}"]')] * told


@pytest.mark.parametrize(
    ("value", "more", "told"),
    [
        ("registry, 10.0.0.0/16,fd00::/8", {}, False),
        ("registry", {}, True),
        ("registry, 10.0.0.1/16", {}, True),
        ("10.0.0.0/16", {}, True),
        ("registry, 10.0.0.0/16", {"mesh-reconciler.io/registry": "none"}, True),
    ],
)
def test_an_address_is_left_to_the_registry_within_networks(value: str, more: dict[str, str], *, told: bool) -> None:
    """Of a VM that it keeps."""
    name = "mesh-reconciler.io/address"
    found = problems(workload("vm", annotations={name: value, **more}))
    assert found == [(Code.ADDRESS_VALUE, "error", "WorkloadEntry shop/vm", f'metadata.annotations["{name}"]')] * told


@pytest.mark.parametrize("name", ["healt", "adress", "drained-from"])
def test_an_annotation_of_ours_that_is_none_is_told(name: str) -> None:
    """On any object; those of others are theirs."""
    given = {f"mesh-reconciler.io/{name}": "none", "example.org/healt": "good", **dict.fromkeys(WRITTEN, "none")}
    told = (
        Code.ANNOTATION_UNKNOWN,
        "warning",
        "ServiceEntry shop/billing",
        f'metadata.annotations["mesh-reconciler.io/{name}"]',
    )
    found = problems(document("ServiceEntry", "billing", SERVICE["spec"], annotations=given), workload("vm"))
    assert [one for one in found if one[0] is Code.ANNOTATION_UNKNOWN] == [told]


@pytest.mark.parametrize(("name", "told"), [("billing-0", True), ("a-12", True), ("billing-vm-1", False), ("billing", False)])
def test_a_workload_named_like_a_statefulsets_pod_is_told(name: str, *, told: bool) -> None:
    """After the service, or after the value of its selector, with a number."""
    found = problems(SERVICE, workload(name))
    assert found == [(Code.NAMED_LIKE_POD, "warning", f"WorkloadEntry shop/{name}", "metadata.name")] * told


def test_an_undeclared_account_is_told_where_accounts_are_declared() -> None:
    """A repository without ServiceAccounts leaves them to others."""
    entry = workload("vm", serviceAccount="biling")
    declared = document("ServiceAccount", "billing")
    assert problems(entry) == []
    assert problems(entry, declared) == [(Code.ACCOUNT_UNKNOWN, "warning", "WorkloadEntry shop/vm", "spec.serviceAccount")]
    assert problems(workload("vm", serviceAccount="billing"), declared) == []


@pytest.mark.parametrize(
    ("annotations", "found"),
    [
        ({"mesh-reconciler.io/registry": "none"}, []),
        ({"mesh-reconciler.io/registry": "no"}, [(Code.REGISTRY_VALUE, "error")]),
        ({SOURCE: "agent"}, []),
        ({SOURCE: "yes"}, [(Code.HEALTH_VALUE, "error")]),
        ({"mesh-reconciler.io/group": "known"}, []),
        ({"mesh-reconciler.io/group": "unknown"}, [(Code.GROUP_UNKNOWN, "warning")]),
    ],
)
def test_our_annotations_must_mean_something(annotations: dict[str, str], found: list[Any]) -> None:
    """An exemption is spelled in one way; a group is one that is declared."""
    group = document("WorkloadGroup", "known", {"template": {}})
    assert [(code, severity) for code, severity, _, _ in problems(workload("vm", annotations=annotations), group)] == found


@pytest.mark.parametrize(
    ("probe", "found"),
    [
        ({"httpGet": {"port": 80}}, []),
        ({"httpGet": {"port": 80, "host": "localhost"}}, []),
        ({"httpGet": {"port": 80, "host": "127.0.0.1"}}, [("WorkloadGroup shop/known", "spec.probe.httpGet.host")]),
        ({"grpc": {"port": 80}}, []),
        ({"exec": {"command": ["true"]}}, [("WorkloadGroup shop/known", "spec.probe.exec")]),
        ({"tcpSocket": {"port": 80, "host": "10.0.0.9"}}, [("WorkloadGroup shop/known", "spec.probe.tcpSocket.host")]),
        (None, [("WorkloadEntry shop/vm", f'metadata.annotations["{SOURCE}"]')]),
    ],
)
def test_a_probe_from_the_centre_goes_over_the_network_to_the_vm(probe: Any, found: list[Any]) -> None:
    """A command runs on the VM alone, and another host is none of its business; an agent may do both."""
    group = document("WorkloadGroup", "known", {"template": {}, **({"probe": probe} if probe else {})})
    for source, expected in (("probe", found), ("agent", [])):
        entry = workload("vm", annotations={SOURCE: source, "mesh-reconciler.io/group": "known"})
        assert problems(entry, group) == [(Code.PROBE_UNFIT, "error", *one) for one in expected]


def test_one_address_twice_is_told() -> None:
    """In one namespace and network; the other entry is named in the message."""
    found = problems(workload("one"), workload("two"), workload("three", network="other"))
    assert found == [(Code.ADDRESS_TWICE, "warning", "WorkloadEntry shop/two", "spec.address")]
