"""Parts of documents by path: limited to them, without them, one laid over another."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.documents import laid_over, limited, same, shared, without
from reconciler.core.ownership import declared
from tests.building import service_entry

SOME = "a text that several documents hold"
HTTP, TLS = (("name", "http"),), (("name", "tls"),)
PORTS = [{"name": "http", "number": 80, "protocol": "HTTP"}, {"name": "tls", "number": 443, "protocol": "TLS"}]

json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.text(max_size=3)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.case("D-01")
@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        (1, 1.0, True),
        (0, -0.0, True),
        (1, True, False),
        (0, False, False),
        (1, "1", False),
        (None, "", False),
        ({}, [], False),
        ({"a": [1, {"b": 2}]}, {"a": [1.0, {"b": 2}]}, True),
        ({"a": [True]}, {"a": [1]}, False),
        ([1, 2], [2, 1], False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
    ],
)
def test_equality_is_that_of_json(one: Any, other: Any, equal: bool) -> None:  # noqa: FBT001 - a column of the table
    """Numbers are equal by value, and never equal to truth values or texts."""
    assert same(one, other) is equal
    assert same(other, one) is equal


@given(json_values)
def test_every_value_equals_itself(value: Any) -> None:
    """Equality is reflexive for everything that JSON has."""
    assert same(value, value)
    assert not same(value, math.pi)


def test_limited_keeps_identity_and_what_lies_at_the_paths() -> None:
    """Of an item of a list-map the key stays, or the item could not be named."""
    one = service_entry(ports=PORTS, workloadSelector={"labels": {"app": "a", "tier": "b"}})
    part = limited(one, [("spec", "ports", HTTP, "number"), ("spec", "workloadSelector", "labels", "app"), ("spec", "gone")])
    assert part == {
        "apiVersion": one["apiVersion"],
        "kind": "ServiceEntry",
        "metadata": {"name": "billing", "namespace": "shop"},
        "spec": {"ports": [{"name": "http", "number": 80}], "workloadSelector": {"labels": {"app": "a"}}},
    }


def test_limited_to_all_of_a_document_is_the_document() -> None:
    """What is declared is all there is."""
    one = service_entry(labels={"a": "b"}, ports=PORTS, endpoints=[{"address": "10.0.0.1"}], subjectAltNames=[])
    assert limited(one, declared(one)) == one


def test_limited_to_nothing_is_the_identity() -> None:
    """No paths are no content, not all of it."""
    one = service_entry(labels={"a": "b"})
    metadata = {"name": "billing", "namespace": "shop"}
    assert limited(one, []) == {"apiVersion": one["apiVersion"], "kind": "ServiceEntry", "metadata": metadata}


def test_without_leaves_no_empty_shells_and_shares_the_rest() -> None:
    """A map whose last field goes is declared no more; a list-map loses the item, another one only a field of it."""
    one = service_entry(ports=PORTS, workloadSelector={"labels": {"app": "a"}}, exportTo=["."])
    rest = without(
        one,
        [
            ("spec", "workloadSelector", "labels", "app"),
            ("spec", "ports", HTTP),
            ("spec", "ports", (("name", "tls"),), "number"),
        ],
    )
    assert "workloadSelector" not in rest["spec"]
    assert rest["spec"]["ports"] == [{"name": "tls", "protocol": "TLS"}]
    assert rest["spec"]["exportTo"] is one["spec"]["exportTo"]


def test_laid_over_merges_maps_and_list_maps_and_replaces_other_lists() -> None:
    """What the lower document has alone stays beside what the upper one declares."""
    base = service_entry(labels={"a": "1", "b": "2"}, ports=[PORTS[0], {**PORTS[1], "targetPort": 8443}], exportTo=["."])
    top = service_entry(labels={"b": "3"}, ports=[{"name": "tls", "number": 444}], location=None, hosts=["new.internal"])
    merged = laid_over(base, top)
    assert merged["metadata"]["labels"] == {"a": "1", "b": "3"}
    assert merged["spec"]["ports"] == [{"name": "tls", "number": 444, "protocol": "TLS", "targetPort": 8443}, PORTS[0]]
    assert merged["spec"]["hosts"] == ["new.internal"]
    assert merged["spec"]["exportTo"] == ["."]
    assert merged["spec"]["location"] == "MESH_INTERNAL"


@given(json_values)
def test_to_share_texts_changes_no_value(value: Any) -> None:
    """Nor its type: nothing but where its texts lie in memory."""
    assert same(shared(value), value)
    assert repr(shared(value)) == repr(value)


def test_short_texts_are_shared_keys_and_values_alike() -> None:
    """A long one is hardly ever there twice."""
    one, other = (shared({text: [text], "long": text * 9}) for text in ("".join(SOME), "".join(list(SOME))))
    assert [id(text) for text in (*one, *one[SOME])] == [id(text) for text in (*other, *other[SOME])]
    assert one == other
    assert one["long"] is not other["long"]
