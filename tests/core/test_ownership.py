"""Paths as server-side apply counts them, and entries of managedFields that change hands. The API server proves them again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.changes import ABSENT
from reconciler.core.ownership import (
    Entry,
    Path,
    declared,
    decode,
    encode,
    hand_back,
    owned,
    owners_of,
    show,
    take_over,
    value_at,
)
from reconciler.core.resources import Document, FieldOwner, Key, LiveObject

OURS = "mesh-reconciler"
HTTP = (("name", "http"),)

SERVICE_ENTRY: Document = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "ServiceEntry",
    "metadata": {"name": "svc1", "namespace": "shop", "labels": {"a.b/c": "x"}},
    "spec": {
        "hosts": ["svc1.internal"],
        "ports": [{"name": "http", "number": 80, "protocol": "HTTP"}],
        "workloadSelector": {"labels": {"app": "svc1"}},
    },
}

#: As kube-apiserver 1.37 wrote it after `kubectl create` of a ServiceEntry with inline endpoints.
CREATED = (
    '{"f:metadata":{"f:labels":{".":{},"f:a.b/c":{}}},"f:spec":{".":{},"f:endpoints":{},"f:hosts":{},'
    '"f:ports":{".":{},"k:{\\"name\\":\\"http\\"}":{".":{},"f:name":{},"f:number":{}}},"f:resolution":{}}}'
)
FINALIZERS = '{"f:metadata":{"f:finalizers":{".":{},"v:\\"example.org/hold\\"":{}}}}'

names = st.text("abcXYZ019./-_é \"'", min_size=1, max_size=6)
scalars = st.one_of(st.text(max_size=5), st.integers(0, 9), st.booleans())
elements = st.one_of(
    names,
    st.dictionaries(names, st.one_of(st.text(max_size=5), st.integers(0, 9)), min_size=1, max_size=2).map(
        lambda key: tuple(sorted(key.items()))
    ),
    scalars.map(lambda value: Entry("v:" + json.dumps(value, ensure_ascii=False))),
)
paths = st.lists(elements, min_size=1, max_size=4).map(tuple)
sets_of_paths = st.frozensets(paths, max_size=12)
values = st.recursive(
    st.one_of(scalars, st.lists(scalars, max_size=3)), lambda inner: st.dictionaries(names, inner, max_size=3), max_leaves=8
)
documents = st.builds(
    lambda spec, labels: {
        "apiVersion": "v1",
        "kind": "WorkloadEntry",
        "metadata": {"name": "a", "labels": labels},
        "spec": spec,
    },
    st.dictionaries(names, values, max_size=4),
    st.dictionaries(names, st.text(max_size=4), max_size=3),
)


def owner(manager: str, of: frozenset[Path] | set[Path], operation: str = "Apply", **more: Any) -> FieldOwner:
    """An entry of managedFields that owns these paths."""
    return FieldOwner(manager, operation, encode(of), more.pop("api_version", "networking.istio.io/v1"), **more)


def by_manager(owners: tuple[FieldOwner, ...]) -> dict[str, frozenset[Path]]:
    """Paths per manager, over all of its entries."""
    result: dict[str, frozenset[Path]] = {}
    for entry in owners:
        result[entry.manager] = result.get(entry.manager, frozenset()) | owned(entry)
    return result


def test_declared_counts_maps_by_field_list_maps_by_item_and_other_lists_whole() -> None:
    """The paths are those that the API server gives to whoever applies the document."""
    assert {show(path) for path in declared(SERVICE_ENTRY)} == {
        'metadata.labels["a.b/c"]',
        "spec.hosts",
        "spec.ports[name=http]",
        "spec.ports[name=http].name",
        "spec.ports[name=http].number",
        "spec.ports[name=http].protocol",
        "spec.workloadSelector.labels.app",
    }


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"spec": {}}, {"spec"}),
        ({"metadata": {"name": "a", "annotations": {}}}, {"metadata.annotations"}),
        ({"metadata": {"name": "a", "finalizers": ["x.y/z"]}}, {'metadata.finalizers["x.y/z"]'}),
        ({"metadata": {"name": "a", "uid": "u", "resourceVersion": "7"}}, set()),
        ({"spec": {"weight": 0, "labels": None}}, {"spec.weight", "spec.labels"}),
        ({"spec": {"subsets": [{"name": "v1"}]}}, {"spec.subsets"}),
    ],
)
def test_declared_takes_empty_maps_as_fields_and_leaves_identity_out(part: Document, expected: set[str]) -> None:
    """What names the object is nobody's; an empty map is a field of its own."""
    document = {"apiVersion": "v1", "kind": "WorkloadEntry", "metadata": {"name": "a"}, **part}
    assert {show(path) for path in declared(document)} == expected


def test_declared_knows_the_other_special_places() -> None:
    """Items of a ServiceAccount's secrets are owned whole, items of portLevelMtls beside the fields in them."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}, "secrets": [{"name": "s"}]}
    policy = {
        "apiVersion": "security.istio.io/v1",
        "kind": "PeerAuthentication",
        "metadata": {"name": "a"},
        "spec": {"portLevelMtls": {"80": {"mode": "STRICT"}}},
    }
    assert {show(path) for path in declared(account)} == {"secrets[name=s]"}
    assert {show(path) for path in declared(policy)} == {'spec.portLevelMtls["80"]', 'spec.portLevelMtls["80"].mode'}


@pytest.mark.parametrize("text", ["{}", CREATED, FINALIZERS])
def test_what_the_server_wrote_round_trips_byte_for_byte(text: str) -> None:
    """Decoding and encoding an entry changes nothing."""
    assert encode(decode(text)) == text


@given(sets_of_paths)
def test_paths_round_trip_through_fields_v1(held: frozenset[Path]) -> None:
    """Any set of paths survives being written as fieldsV1 and read again."""
    assert decode(encode(held)) == held


@given(documents)
def test_every_declared_path_leads_to_a_value(document: Document) -> None:
    """What a document declares can be looked up in it."""
    assert all(value_at(document, path) is not ABSENT for path in declared(document))


def test_value_at_finds_items_by_key_and_by_value_and_says_absent() -> None:
    """Items of list-maps and sets are found wherever they stand; what is not there is ABSENT, as opposed to null."""
    document = {"spec": {"ports": [{"name": "tcp"}, {"name": "http", "number": 80}], "set": ["a", "b"], "null": None}}
    assert value_at(document, ("spec", "ports", HTTP, "number")) == 80
    assert value_at(document, ("spec", "set", Entry('v:"b"'))) == "b"
    assert value_at(document, ("spec", "set", Entry("i:0"))) == "a"
    assert value_at(document, ("spec", "null")) is None
    for missing in (("spec", "ports", (("name", "x"),)), ("spec", "set", Entry('v:"c"')), ("spec", "null", "x"), ("status",)):
        assert value_at(document, missing) is ABSENT


def test_owners_of_names_who_owns_a_field_or_something_in_it() -> None:
    """An owner of a part counts as an owner of the whole, an owner of the container as such does not own its parts."""
    live = LiveObject(
        Key.of(SERVICE_ENTRY),
        SERVICE_ENTRY,
        owners=(
            FieldOwner("kubectl-create", "Update", CREATED),
            owner("pilot", {("status", "addresses")}, subresource="status"),
        ),
    )
    assert [one.manager for one in owners_of(live, ("spec", "ports", HTTP, "number"))] == ["kubectl-create"]
    assert [one.manager for one in owners_of(live, ("spec", "ports"))] == ["kubectl-create"]
    assert [one.manager for one in owners_of(live, ("status",))] == ["pilot"]
    assert owners_of(live, ("spec", "ports", HTTP, "targetPort")) == ()


def test_take_over_moves_declared_fields_and_nothing_else() -> None:
    """The adopted manager keeps what we do not declare; containers it then owns for nothing go; status is left alone."""
    status = owner("istio", {("status", "addresses")}, "Update", subresource="status")
    other = owner("kiali", {("metadata", "annotations", "seen")}, "Update")
    before = (FieldOwner("kubectl-create", "Update", CREATED, "networking.istio.io/v1beta1"), status, other)
    ours, kubectl, *rest = take_over(before, {"kubectl-create"}, declared(SERVICE_ENTRY), OURS)
    assert (ours.manager, ours.operation, ours.api_version) == (OURS, "Apply", "networking.istio.io/v1beta1")
    assert owned(ours) == declared(SERVICE_ENTRY)
    assert {show(path) for path in owned(kubectl)} == {"spec", "spec.endpoints", "spec.resolution"}
    assert rest == [status, other]


def test_take_over_drops_entries_that_own_nothing_any_more() -> None:
    """A manager whose every field is declared by us disappears from managedFields."""
    created = owner("helm", declared(SERVICE_ENTRY) | {("metadata", "labels"), ("spec",), ("spec", "ports")}, "Update")
    assert [one.manager for one in take_over((created,), {"helm"}, declared(SERVICE_ENTRY), OURS)] == [OURS]


@given(st.lists(sets_of_paths, min_size=1, max_size=3), sets_of_paths, sets_of_paths)
def test_take_over_leaves_every_field_owned(
    held: list[frozenset[Path]], mine: frozenset[Path], wanted: frozenset[Path]
) -> None:
    """We own all that we declare, named managers none of it, and whatever else was owned still is, by the same manager."""
    named = {f"m{index}" for index in range(len(held))}
    owners = (owner(OURS, mine), owner("bystander", wanted | mine), *(owner(f"m{i}", of) for i, of in enumerate(held)))
    after = by_manager(take_over(owners, named, wanted, OURS))
    containers = {path[:length] for path in wanted for length in range(1, len(path))}
    assert after[OURS] == mine | wanted
    assert after.get("bystander", frozenset()) == wanted | mine
    for index, before in enumerate(held):
        left = after.get(f"m{index}", frozenset())
        assert not left & wanted
        assert before - wanted - containers <= left <= before - wanted


@given(sets_of_paths, sets_of_paths)
def test_take_over_twice_is_take_over_once(held: frozenset[Path], wanted: frozenset[Path]) -> None:
    """A hand-over that is repeated after a crash changes nothing more."""
    once = take_over((owner("helm", held),), {"helm"}, wanted, OURS)
    assert take_over(once, {"helm"}, wanted, OURS) == once


def test_hand_back_renames_our_entries_and_joins_them_with_those_of_the_heir() -> None:
    """After a release nothing is ours, and the heir has one Apply entry with the fields of both."""
    mine = owner(OURS, {("spec", "hosts")})
    theirs = owner("kubectl", {("spec", "ports")}, api_version="networking.istio.io/v1beta1")
    edits = owner("kubectl", {("metadata", "labels", "x")}, "Update")
    after = hand_back((mine, theirs, edits), OURS, "kubectl")
    assert [(one.manager, one.operation) for one in after] == [("kubectl", "Apply"), ("kubectl", "Update")]
    assert owned(after[0]) == {("spec", "hosts"), ("spec", "ports")}


@given(sets_of_paths, sets_of_paths)
def test_hand_back_loses_no_field(mine: frozenset[Path], theirs: frozenset[Path]) -> None:
    """The heir owns what it owned and what we owned."""
    after = hand_back((owner("heir", theirs, "Update"), owner(OURS, mine)), OURS, "heir")
    assert by_manager(after) == {"heir": mine | theirs}
