"""The watched copy of a collection, under everything that a watch can do to it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.cluster_kubernetes.collection import Collection, Moved
from reconciler.adapters.cluster_kubernetes.listing import Listing
from reconciler.adapters.cluster_kubernetes.resources import Held
from reconciler.core.resources import FieldOwner, Key, LiveObject


def held(name: str, version: int | str, *, uid: str = "", spec: Any = None, time: datetime | None = None) -> Held:
    """An object of a version; content follows from the version unless given."""
    uid = uid or f"uid-{name}"
    document = {"metadata": {"name": name, "namespace": "shop"}, "spec": version if spec is None else spec}
    owners = (FieldOwner("m", "Apply", "{}", time=time),)
    live = LiveObject(Key("WorkloadEntry", "shop", name), document, uid, str(version), owners=owners)
    return Held("shop", name, uid, str(version), live)


def drop(collection: Collection, one: Held) -> Moved:
    """The event of a deletion."""
    return collection.drop(one.namespace, one.name, one.uid)


def versions(collection: Collection) -> set[str]:
    """What is held."""
    return set(collection.versions())


@pytest.mark.case("A-05")
def test_an_event_that_comes_twice_or_late_changes_nothing() -> None:
    """Neither a repeated event, nor an older one, nor one of an object that is gone."""
    collection = Collection()
    assert collection.put(held("a", 5)) is Moved.CONTENT
    assert collection.put(held("a", 5)) is Moved.NOTHING
    assert collection.put(held("a", 4)) is Moved.NOTHING
    assert collection.put(held("a", 10)) is Moved.CONTENT
    assert collection.put(held("a", 9)) is Moved.NOTHING
    assert drop(collection, held("a", 11)) is Moved.CONTENT
    assert collection.put(held("a", 10)) is Moved.NOTHING
    assert drop(collection, held("a", 11)) is Moved.NOTHING
    assert versions(collection) == set()


@pytest.mark.case("A-05")
def test_a_late_deletion_does_not_hit_the_next_object_of_that_name() -> None:
    """An object that was made anew is another one."""
    collection = Collection()
    collection.put(held("a", 5, uid="first"))
    collection.put(held("a", 8, uid="second"))
    assert drop(collection, held("a", 7, uid="first")) is Moved.NOTHING
    assert versions(collection) == {"second 8"}


def test_only_content_counts_as_content() -> None:
    """Another version or time of a write with the same content keeps preconditions fresh and nothing else."""
    collection = Collection()
    collection.put(held("a", 1, spec="same"))
    assert collection.put(held("a", 2, spec="same", time=datetime(2026, 1, 1, tzinfo=UTC))) is Moved.VERSION
    assert versions(collection) == {"uid-a 2"}
    assert collection.put(held("a", 3, spec="other")) is Moved.CONTENT


def test_what_means_nothing_to_us_moves_nothing() -> None:
    """An object that is tracked but of no interest, such as a Service without a selector, comes and goes unheard."""
    collection = Collection()
    collection.put(replace(held("a", 1), value=None))
    assert collection.put(replace(held("a", 2), value=None)) is Moved.NOTHING
    assert list(collection.values()) == []


def test_versions_that_are_no_numbers_are_only_equal_or_not() -> None:
    """Nothing is taken for older then."""
    collection = Collection()
    collection.put(held("a", "b"))
    assert collection.put(held("a", "a")) is Moved.CONTENT
    assert collection.put(held("a", "a")) is Moved.NOTHING


def test_a_list_keeps_what_is_newer_than_itself() -> None:
    """A list that was on its way while we wrote does not undo our own write or delete."""
    collection = Collection()
    collection.put(held("kept", 3))
    collection.put(held("gone", 4))
    collection.put(held("written", 20))
    drop(collection, held("gone", 4))
    listing = Listing((held("kept", 3), held("gone", 4), held("old", 2)), "10")
    assert collection.replace(listing) is Moved.CONTENT
    assert versions(collection) == {"uid-kept 3", "uid-old 2", "uid-written 20"}
    assert collection.replace(Listing((held("kept", 3),), "30")) is Moved.CONTENT
    assert versions(collection) == {"uid-kept 3"}
    assert collection.replace(Listing((held("kept", 3),), "31")) is Moved.NOTHING


events = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 30), st.booleans()), max_size=30)


@pytest.mark.case("A-05")
@given(events, st.lists(st.tuples(st.sampled_from("abc"), st.integers(31, 40)), max_size=3, unique_by=lambda one: one[0]))
def test_a_list_heals_whatever_a_watch_lost(chaos: list[tuple[str, int, bool]], truth: list[tuple[str, int]]) -> None:
    """After any events in any order, also of wrong deletions of earlier objects, the next list is what is held."""
    collection = Collection()
    for name, version, deleted in chaos:
        one = held(name, version, uid=f"old-{name}")
        if deleted:
            drop(collection, one)
        else:
            collection.put(one)
    items = tuple(held(name, version) for name, version in truth)
    collection.replace(Listing(items, "41"))
    assert versions(collection) == {f"{one.uid} {one.version}" for one in items}
