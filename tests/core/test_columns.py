"""Rows for people: four columns, lists taken apart where that helps."""

from typing import Any

import pytest

from reconciler.core.changes import ABSENT, FieldDiff
from reconciler.core.columns import MAX_ROWS, rows
from reconciler.core.comparison import Subject, compare
from reconciler.core.resources import Document, LiveObject
from tests.building import edited, live, machine, owner, service_entry, wanted, workload_entry, written


def subject(one: Document, there: LiveObject, record: LiveObject | None = None) -> Subject:
    """An object whose wanted content is what Git says."""
    return Subject(there.key, wanted(one), wanted(one), there, record)


def differing(one: Document, there: LiveObject, record: LiveObject | None = None) -> list[FieldDiff]:
    """The rows of all that differs."""
    pair = subject(one, there, record)
    found = compare(pair.wanted, there)
    return list(rows(pair, (*found.differing, *found.removed)))


def cells(found: list[FieldDiff]) -> list[tuple[str, Any, Any]]:
    """Path, wanted and live value of each row."""
    return [(row.path, row.wanted, row.cluster) for row in found]


def test_a_workload_entry_shows_the_registry_beside_the_cluster() -> None:
    """Git, wanted now, cluster and registry stand in one row, with who else owns the live value."""
    there = edited(written(workload_entry(weight=5)), "kubectl-edit", "spec", "weight", to=7)
    (row,) = differing(workload_entry(weight=5), there, live(machine(weight=6)))
    assert (row.path, row.git, row.wanted, row.cluster, row.registry) == ("spec.weight", 5, 5, 7, 6)
    assert row.managers == ("kubectl-edit",)
    assert row.written is ABSENT


def test_a_record_shows_in_the_registry_column() -> None:
    """A VirtualMachine has nothing in the cluster."""
    (row,) = differing(machine(address="10.0.0.2"), live(wanted(machine())))
    assert (row.path, row.wanted, row.cluster, row.registry) == ("spec.address", "10.0.0.2", ABSENT, "10.0.0.1")


def test_labels_of_a_workload_entry_have_no_registry_column() -> None:
    """Both stores share the spec; labels of records are another thing."""
    there = edited(written(workload_entry()), "x", "metadata", "labels", to={})
    record = live({**machine(), "metadata": {**machine()["metadata"], "labels": {"mesh-reconciler.io/target": "test"}}})
    assert [row.registry for row in differing(workload_entry(), there, record)] == [ABSENT]


def endpoints(*addresses: str, **fields: Any) -> list[Document]:
    """Inline endpoints."""
    return [{"address": address, **fields} for address in addresses]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            [*endpoints("10.0.0.1", weight=1), *endpoints("10.0.0.2", weight=1)],
            [*endpoints("10.0.0.1", weight=3), *endpoints("10.0.0.2", weight=1)],
            [("spec.endpoints[address=10.0.0.1].weight", 3, 1)],
        ),
        (
            endpoints("10.0.0.1", "10.0.0.2"),
            endpoints("10.0.0.2", "10.0.0.3"),
            [
                ("spec.endpoints[address=10.0.0.3]", {"address": "10.0.0.3"}, ABSENT),
                ("spec.endpoints[address=10.0.0.1]", ABSENT, {"address": "10.0.0.1"}),
            ],
        ),
        (
            endpoints("10.0.0.1", "10.0.0.2"),
            endpoints("10.0.0.2", "10.0.0.1"),
            [("spec.endpoints", endpoints("10.0.0.2", "10.0.0.1"), endpoints("10.0.0.1", "10.0.0.2"))],
        ),
        ([{"network": "a"}], [{"network": "b"}], [("spec.endpoints[0].network", "b", "a")]),
        ([{"network": "a"}], [], [("spec.endpoints", [], [{"network": "a"}])]),
        (
            endpoints("10.0.0.1", labels={"a": "1", "b": "1"}),
            endpoints("10.0.0.1", labels={"a": "2"}),
            [
                ("spec.endpoints[address=10.0.0.1].labels.a", "2", "1"),
                ("spec.endpoints[address=10.0.0.1].labels.b", ABSENT, "1"),
            ],
        ),
    ],
)
def test_a_list_is_taken_apart_where_its_items_have_names_or_places(
    before: list[Document], after: list[Document], expected: list[tuple[str, Any, Any]]
) -> None:
    """By name while the order holds, by place while the length holds; else both lists are shown as they are."""
    assert cells(differing(service_entry(endpoints=after), written(service_entry(endpoints=before)))) == expected


def test_nested_lists_are_taken_apart_too() -> None:
    """A weight deep in a route is named as such."""

    def routes(weight: int) -> Document:
        return service_entry(http=[{"route": [{"destination": {"host": "a"}, "weight": weight}]}])

    assert cells(differing(routes(90), written(routes(80)))) == [("spec.http[0].route[0].weight", 90, 80)]


@pytest.mark.case("D-10")
def test_a_list_that_differs_in_many_places_is_one_row() -> None:
    """Thousands of rows would hide what they are about; the values are in the change, whole."""
    before = endpoints(*(f"10.0.0.{n}" for n in range(MAX_ROWS + 1)), weight=1)
    after = endpoints(*(f"10.0.0.{n}" for n in range(MAX_ROWS + 1)), weight=2)
    assert cells(differing(service_entry(endpoints=after), written(service_entry(endpoints=before)))) == [
        ("spec.endpoints", after, before)
    ]


@pytest.mark.case("D-11")
def test_the_copy_that_kubectl_keeps_is_never_shown() -> None:
    """It may hold anything, secrets of an earlier life of the object included."""
    name = "kubectl.kubernetes.io/last-applied-configuration"
    one = wanted(workload_entry())
    there = live({**one, "metadata": {**one["metadata"], "annotations": {name: "password"}}}, owner("kubectl", one))
    (row,) = rows(subject(workload_entry(), there), [("metadata", "annotations", name)])
    assert "password" not in repr(row)
    assert row.cluster is not ABSENT
