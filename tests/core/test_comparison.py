"""One object, wanted against live, path by path."""

from typing import Any

import pytest

from reconciler.core.comparison import compare, managers_of, obviously_in_sync, our_entry, our_paths
from reconciler.core.ownership import Path, show
from reconciler.core.resources import FieldOwner
from tests.building import edited, live, machine, owner, service_entry, wanted, workload_entry, written

PORTS = [{"name": "http", "number": 80, "protocol": "HTTP"}, {"name": "tls", "number": 443, "protocol": "TLS"}]


def texts(paths: tuple[Path, ...]) -> list[str]:
    """Paths as people read them."""
    return [show(path) for path in paths]


@pytest.mark.case("D-01")
@pytest.mark.parametrize(
    ("spec", "held"),
    [
        ({"weight": 1}, {"weight": 1.0}),
        ({"weight": 1.0}, {"weight": 1}),
        ({"labels": {}}, {"labels": {"added": "by somebody"}}),
        ({"locality": None}, {}),
    ],
)
def test_twins_are_no_difference(spec: dict[str, Any], held: dict[str, Any]) -> None:
    """Numbers of equal value, an empty map to which others add, and a null are what the server holds anyway."""
    content, there = wanted(workload_entry(**spec)), written(workload_entry(**spec))
    there = live({**there.document, "spec": {**there.document["spec"], **held}}, *there.owners)
    assert compare(content, there).in_sync


@pytest.mark.case("D-01")
def test_ports_in_another_order_are_no_difference() -> None:
    """The server keeps ports by name; the order in which it lists them means nothing."""
    there = written(service_entry(ports=PORTS))
    content = wanted(service_entry(ports=PORTS[::-1]))
    assert not obviously_in_sync(content, there)
    assert compare(content, there).in_sync


@pytest.mark.case("D-01")
def test_what_others_write_never_shows() -> None:
    """Status, owner references, finalizers, istiod's annotations and other people's labels are looked at by nobody."""
    content = wanted(workload_entry())
    metadata = {
        **content["metadata"],
        "labels": {**content["metadata"]["labels"], "networking.istio.io/tunnel": "http", "team": "red"},
        "annotations": {"istio.io/connectedAt": "now"},
        "ownerReferences": [{"kind": "WorkloadGroup", "name": "g"}],
        "finalizers": ["example.org/hold"],
    }
    there = live({**content, "metadata": metadata, "status": {"conditions": [{"type": "Healthy"}]}}, *written(content).owners)
    assert obviously_in_sync(content, there)
    assert compare(content, there).in_sync


def test_declared_fields_that_differ_or_lack_are_named() -> None:
    """A field with another value and one that is not there both differ; a missing port is one difference, not four."""
    there = written(service_entry(ports=PORTS[:1], resolution="NONE"))
    found = compare(wanted(service_entry(ports=PORTS, exportTo=["."])), there)
    assert texts(found.differing) == ["spec.exportTo", "spec.ports[name=tls]", "spec.resolution"]
    assert not found.removed


def test_fields_of_ours_that_are_declared_no_more_are_removed() -> None:
    """Only what our own entry holds: a field that somebody else added stays out of it."""
    there = edited(written(service_entry(endpoints=[{"address": "10.0.0.1"}])), "kubectl-edit", "spec", "exportTo", to=["."])
    found = compare(wanted(service_entry(workloadSelector={"labels": {"app": "billing"}})), there)
    assert texts(found.removed) == ["spec.endpoints"]
    assert texts(found.differing) == ["spec.workloadSelector.labels.app"]


def test_an_equal_field_that_we_lost_is_unowned() -> None:
    """Somebody set it, then set it back: equal, but the server would not remove it for us any more."""
    there = edited(edited(written(workload_entry(weight=5)), "x", "spec", "weight", to=9), "x", "spec", "weight", to=5)
    found = compare(wanted(workload_entry(weight=5)), there)
    assert texts(found.unowned) == ["spec.weight"]
    assert not found.in_sync


def test_growing_a_map_from_empty_is_a_difference_and_no_removal() -> None:
    """We owned the empty map; now we own what is in it."""
    found = compare(wanted(workload_entry(labels={"app": "a"})), written(workload_entry(labels={})))
    assert (texts(found.differing), texts(found.removed)) == (["spec.labels.app"], [])


def test_shrinking_a_map_to_empty_removes_what_was_in_it() -> None:
    """The map stays declared, its field does not."""
    found = compare(wanted(workload_entry(labels={})), written(workload_entry(labels={"app": "a"})))
    assert (texts(found.unowned), texts(found.removed)) == (["spec.labels"], ["spec.labels.app"])


def test_a_record_of_the_registry_is_ours_as_a_whole() -> None:
    """Whatever its spec has and Git has not goes; its status is the VM's."""
    content = wanted(machine())
    there = live({**content, "spec": {**content["spec"], "network": "n1"}, "status": {"health": "healthy"}})
    assert texts(compare(content, there).removed) == ["spec.network"]
    assert obviously_in_sync(content, live({**content, "status": {"health": "healthy"}}))


@pytest.mark.parametrize(
    ("operation", "subresource", "is_ours"), [("Apply", "", True), ("Update", "", False), ("Apply", "status", False)]
)
def test_only_a_server_side_apply_of_ours_is_ownership(operation: str, subresource: str, is_ours: bool) -> None:  # noqa: FBT001
    """An update under our name (by a person with kubectl, say) or of the status proves nothing."""
    there = live(workload_entry(), owner("mesh-reconciler", workload_entry(), operation, subresource=subresource))
    assert (our_entry(there) is not None) is is_ours
    assert bool(our_paths(there)) is is_ours


def test_managers_of_a_field_are_the_others_by_name() -> None:
    """Ours is left out, and so is whoever owns only the status or another field."""
    one = workload_entry(weight=5)
    there = written(
        one,
        owner("kubectl", one),
        owner("flux", one, "Apply"),
        owner("istiod", one, subresource="status"),
        FieldOwner("other", "Update", '{"f:spec":{"f:address":{}}}'),
    )
    assert managers_of(there, ("spec", "weight")) == ("flux", "kubectl")
