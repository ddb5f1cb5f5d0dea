"""Views of ServiceEntries and WorkloadEntries."""

from typing import Any

import pytest

from reconciler.core.istio import AddressForm, Resolution, ServiceEntry, WorkloadEntry, selects
from reconciler.core.resources import Document, Key


def service(**spec: Any) -> Document:
    """Return a ServiceEntry."""
    return {"kind": "ServiceEntry", "metadata": {"name": "billing", "namespace": "shop"}, "spec": spec}


def workload(metadata: dict[str, Any] | None = None, status: dict[str, Any] | None = None, **spec: Any) -> Document:
    """Return a WorkloadEntry."""
    metadata = {"name": "vm-1", "namespace": "shop", **(metadata or {})}
    return {"kind": "WorkloadEntry", "metadata": metadata, "spec": spec, "status": status or {}}


def test_a_bare_service_entry_gets_what_istio_assumes() -> None:
    """Resolution NONE, outside the mesh, no selector, the port's own number as target."""
    view = ServiceEntry.of(service(hosts=["Billing.Shop.Internal."], ports=[{"number": 80, "name": "http"}]))
    assert view.key == Key("ServiceEntry", "shop", "billing")
    assert view.hosts == ("billing.shop.internal",)
    assert (view.resolution, view.mesh_internal, view.selector) == (Resolution.NONE, False, None)
    assert view.ports[0].target == 80


def test_null_fields_read_as_absent_ones() -> None:
    """A live document may hold nulls; they change nothing."""
    view = ServiceEntry.of(service(hosts=None, ports=None, endpoints=None, workloadSelector=None, exportTo=None))
    assert (view.hosts, view.ports, view.endpoints, view.selector, view.export_to) == ((), (), (), None, ())


def test_an_endpoint_port_is_found_by_the_ports_name() -> None:
    """The endpoint's own map comes first, then the target port."""
    (port,) = ServiceEntry.of(service(ports=[{"number": 80, "name": "http", "targetPort": 8080}])).ports
    assert (port.on({"http": 9000}), port.on({"grpc": 9000})) == (9000, 8080)


def test_inline_endpoints_are_named_by_their_index() -> None:
    """Istio names them after the ServiceEntry and their place in the list."""
    view = ServiceEntry.of(service(endpoints=[{"address": "10.0.0.1"}, {"address": "10.0.0.2", "weight": 0}]))
    assert [(one.name, one.weight) for one in view.endpoints] == [("billing-0", 1), ("billing-1", 1)]


def test_metadata_labels_win_over_spec_labels() -> None:
    """A workload's labels are those of its spec, overlaid by those of its metadata."""
    view = WorkloadEntry.of(workload({"labels": {"app": "new"}}, labels={"app": "old", "platform": "vm"}))
    assert view.endpoint.labels == {"app": "new", "platform": "vm"}


def test_locality_and_network_are_labels_too() -> None:
    """Selectors may use the labels that istiod adds for topology."""
    view = WorkloadEntry.of(workload(locality="eu/eu-1/rack-3", network="vms"))
    assert view.endpoint.selectable == {
        "topology.kubernetes.io/region": "eu",
        "topology.kubernetes.io/zone": "eu-1",
        "topology.istio.io/subzone": "rack-3",
        "topology.istio.io/network": "vms",
    }


@pytest.mark.parametrize(
    ("annotation", "status", "in_use"),
    [
        (None, None, True),
        (None, "False", True),
        ("true", None, False),
        ("true", "False", False),
        ("true", "True", True),
        ("yes", "False", True),
    ],
)
def test_health_counts_only_where_it_is_asked_for(annotation: str | None, status: str | None, *, in_use: bool) -> None:
    """With the annotation an entry is an endpoint only while its condition says True; without it, always."""
    metadata = {"annotations": {"proxy.istio.io/health-checks-enabled": annotation}} if annotation else {}
    conditions = [{"type": "Healthy", "status": status}] if status else []
    assert WorkloadEntry.of(workload(metadata, {"conditions": conditions})).in_use is in_use


@pytest.mark.parametrize(
    ("address", "form"),
    [("10.0.0.1", "ip"), ("2001:db8::1", "ip"), ("vm.example.com", "name"), ("unix:///run/a.sock", "unix"), ("", "absent")],
)
def test_the_form_of_an_address(address: str, form: str) -> None:
    """IP addresses, names, UNIX sockets and nothing are told apart."""
    assert AddressForm.of(address) is AddressForm(form)


@pytest.mark.parametrize(
    ("resolution", "address", "picked"),
    [
        ("STATIC", "10.0.0.1", True),
        ("STATIC", "vm.example.com", False),
        ("DNS", "vm.example.com", True),
        ("NONE", "10.0.0.1", False),
    ],
)
def test_resolution_decides_which_addresses_are_taken(resolution: str, address: str, *, picked: bool) -> None:
    """STATIC drops names without a word; NONE ignores selectors."""
    entry = ServiceEntry.of(service(resolution=resolution, workloadSelector={"labels": {"app": "billing"}}))
    assert entry.picks(WorkloadEntry.of(workload(address=address, labels={"app": "billing"})).endpoint) is picked


def test_a_selector_needs_all_its_labels_and_an_empty_one_picks_nothing() -> None:
    """Every label must be there with an equal value."""
    assert selects({"app": "a"}, {"app": "a", "platform": "vm"})
    assert not selects({"app": "a", "platform": "pod"}, {"app": "a", "platform": "vm"})
    assert not selects({}, {"app": "a"})
    assert not selects(None, {"app": "a"})


def test_a_resolution_of_a_newer_istio_is_read_as_none() -> None:
    """An object of somebody else's must never stop us from reading the rest."""
    assert Resolution("DNS_OF_TOMORROW") is Resolution.NONE
