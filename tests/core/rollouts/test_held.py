"""What a rollout holds back from what Git says."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.changes import State
from reconciler.core.resources import Document, Key, LiveObject, ObservedState
from reconciler.core.rollouts.held import Awaited, held_back
from reconciler.core.rollouts.mesh import Mesh
from tests.core.rollouts.play import SERVICE, rollout, way

NEW, OLD = Key("WorkloadEntry", "shop", "new"), Key("WorkloadEntry", "shop", "old")
ENTRY: Document = {"kind": "WorkloadEntry", "spec": {"address": "10.0.0.1"}}


def test_what_has_not_begun_holds_everything_back() -> None:
    """A field with Git's value, the wanted one and the live one; whole objects that are not let in, or not let go."""
    given = way()
    given = replace(given, before={**given.before, OLD: ENTRY, NEW: None}, after={**given.after, OLD: None, NEW: ENTRY})
    live = LiveObject(SERVICE, {"kind": "ServiceEntry", "n": 7})
    mesh = Mesh(ObservedState({SERVICE: live}), "cluster")
    found = {one.key: one for one in held_back(replace(rollout(), way=given), mesh)}
    assert {key: one.state for key, one in found.items()} == {SERVICE: State.UPDATE, OLD: State.DELETE, NEW: State.CREATE}
    (field,) = found[SERVICE].fields
    assert (field.path, field.git, field.wanted, field.cluster) == ("n", 2, 1, 7)
    assert all(one.changes == () for one in found.values())


def test_what_stands_as_git_says_is_not_held_back() -> None:
    """Nothing is, once both are the same."""
    given = way()
    mesh = Mesh(ObservedState({}), "cluster")
    assert held_back(replace(rollout(), way=replace(given, before=given.after)), mesh) == ()


def test_what_a_newer_commit_says_is_what_git_says() -> None:
    """Of the rollout's own objects, and of those beside it that stand as they are until it has made way."""
    awaited = {
        NEW: Awaited("r1", "b" * 40, None, ENTRY),
        OLD: Awaited("r1", "b" * 40, {**ENTRY, "n": 5}, {**ENTRY, "n": 6}),
    }
    newer = {SERVICE: {"kind": "ServiceEntry", "n": 3}}
    found = {one.key: one for one in held_back(rollout(), Mesh(ObservedState({}), "cluster"), newer, awaited)}
    assert {key: one.state for key, one in found.items()} == {SERVICE: State.UPDATE, NEW: State.CREATE, OLD: State.UPDATE}
    assert [(one.git, one.wanted) for key in (SERVICE, OLD) for one in found[key].fields] == [(3, 1), (6, 5)]
    assert str(awaited[NEW]) == "waits until rollout r1 has made way for commit bbbbbbbbbb"
