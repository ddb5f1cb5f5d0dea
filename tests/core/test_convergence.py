"""Laws of comparing and writing, on the embedded cluster, for whatever others do to the same objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.memory_cluster import MemoryCluster
from reconciler.adapters.memory_store import MemoryStore
from reconciler.core.adoption import Adoption
from reconciler.core.causes import explain, flips
from reconciler.core.changes import ObjectDiff, State
from reconciler.core.comparison import managers_of
from reconciler.core.diff import Differ
from reconciler.core.owned import Conflicts, Rules
from reconciler.core.ownership import Path, decode, value_at
from reconciler.core.resources import DesiredState, Document, Key, LiveObject, ObservedState
from reconciler.core.wanted import FIELD_MANAGER, wanted_now
from reconciler.errors import Conflict
from reconciler.ports import FLIPS
from reconciler.writes.writer import Writer
from tests.building import TARGET, desired, document
from tests.contracts.clock import SetClock

#: A busy machine is no failure.
unhurried = settings(deadline=None)

KEY = Key("WorkloadEntry", "shop", "vm1")
YIELD, TAKE = Rules(TARGET), Rules(TARGET, Conflicts.TAKE)
ADOPT = Rules(TARGET, adoption=Adoption(everything=True))

small = st.integers(1, 3)
words = st.sampled_from(["a", "b"])
maps = st.dictionaries(words, words, max_size=2)
specs = st.fixed_dictionaries(
    {"address": words},
    optional={"weight": small, "network": words, "labels": maps, "ports": st.dictionaries(words, small, max_size=2)},
)
labels = st.dictionaries(st.sampled_from(["team", "app"]), words, max_size=2)
entries = st.builds(
    lambda spec, marks: document("WorkloadEntry", "vm1", spec=spec, **({"labels": marks} if marks else {})), specs, labels
)
#: What somebody else does: a manager, and the fields that it sets (None: deletes) by a merge patch.
patches = st.builds(
    lambda spec, marks: {"spec": spec, "metadata": {"labels": marks}},
    st.dictionaries(
        st.sampled_from(["weight", "network", "locality", "serviceAccount"]), st.none() | small.map(str), max_size=2
    ),
    st.dictionaries(st.sampled_from(["team", "app", "zone"]), st.none() | words, max_size=2),
)
edits = st.lists(st.tuples(st.sampled_from(["kubectl-edit", "flux"]), patches), max_size=3)


@dataclass
class World:
    """An embedded cluster with the namespace `shop`, and one reconciler."""

    cluster: MemoryCluster
    differ: Differ

    @classmethod
    def new(cls) -> World:
        """An empty one."""
        cluster = MemoryCluster(SetClock(), FIELD_MANAGER)
        cluster.create(document("Namespace", "shop", ""), "kubectl-create")
        return cls(cluster, Differ())

    def look(self, one: Document | None, rules: Rules = YIELD) -> tuple[ObjectDiff, ...]:
        """What differs, by a comparison that remembers; one that does not must say the same."""
        git = desired(one) if one else desired()
        found = self._diff(self.differ, git, rules)
        assert found == self._diff(Differ(), git, rules)
        return found

    def write(self, one: Document | None, rules: Rules = YIELD) -> None:
        """Carry out what is due."""
        state = self.cluster.observe()
        writer = Writer(self.cluster, None, ObservedState(state.objects))
        for change in (change for found in self.look(one, rules) for change in found.changes):
            writer.perform(change)

    def edit(self, changes: list[tuple[str, Document]]) -> None:
        """Let others have their way."""
        for manager, patch in changes:
            self.cluster.edit(KEY, patch, manager)

    def live(self) -> LiveObject:
        """The object as it is."""
        found = self.cluster.get(KEY)
        assert found is not None
        return found

    def _diff(self, differ: Differ, git: DesiredState, rules: Rules) -> tuple[ObjectDiff, ...]:
        state = self.cluster.observe()
        observed = ObservedState(state.objects, version=state.version)
        return differ.diff(git, wanted_now(git, TARGET), observed, rules, frozenset())


def holds(live: LiveObject, one: Document) -> bool:
    """Whether all that a document says is so."""
    return all(_holds(live.document[part], one[part]) for part in ("metadata", "spec"))


def _holds(live: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(live, Mapping) and all(name in live and _holds(live[name], one) for name, one in wanted.items())
    return bool(live == wanted)


@unhurried
@given(entries, entries)
def test_after_a_write_nothing_differs(first: Document, second: Document) -> None:
    """From nothing to one content, from there to any other, and back to nothing: each in one pass."""
    world = World.new()
    for one in (first, second):
        world.write(one)
        assert world.look(one) == ()
        assert holds(world.live(), one)
        assert world.live().document["spec"] == one["spec"]
    world.write(None)
    assert world.cluster.get(KEY) is None


@pytest.mark.case("T-14")
@unhurried
@given(entries, entries, edits, st.booleans())
def test_whatever_others_made_is_adopted_in_one_pass(
    theirs: Document,
    ours: Document,
    changes: list[tuple[str, Document]],
    applied: bool,  # noqa: FBT001 - drawn
) -> None:
    """Untouched before, exactly Git's spec afterwards, at most one generation later, and in sync."""
    world = World.new()
    if applied:
        world.cluster.apply_as(theirs, "kubectl")
    else:
        world.cluster.create(theirs, "kubectl-create")
    world.edit(changes)
    before = world.live()
    assert [one.state for one in world.look(ours)] == [State.NOT_ADOPTED]
    world.write(ours)
    assert world.live() == before
    world.write(ours, ADOPT)
    assert world.live().document["spec"] == ours["spec"]
    assert holds(world.live(), ours)
    assert world.live().generation <= before.generation + 1
    assert world.look(ours) == ()


@pytest.mark.case("D-01", "D-02")
@unhurried
@given(entries, edits)
def test_what_others_write_beside_us_never_shows_and_never_goes(one: Document, changes: list[tuple[str, Document]]) -> None:
    """Fields that Git does not name are theirs: no difference, and no write of ours takes them away."""
    world = World.new()
    world.write(one)
    named = {("spec", name) for name in one["spec"]} | {("metadata", name) for name in one["metadata"].get("labels", {})}
    beside = [(manager, _only_beside(patch, named)) for manager, patch in changes]
    world.edit(beside)
    assert world.look(one) == ()
    theirs = [path for owner in world.live().owners if owner.manager != FIELD_MANAGER for path in _leaves(owner.fields)]
    before = {path: value_at(world.live().document, path) for path in theirs}
    other = {**one, "spec": {**one["spec"], "address": "elsewhere"}}
    world.write(other)
    assert {path: value_at(world.live().document, path) for path in theirs} == before
    assert world.look(other) == ()


@pytest.mark.case("D-02", "A-13")
@unhurried
@given(entries, entries, edits)
def test_a_field_of_another_manager_is_never_changed_by_a_yielding_write(
    first: Document, second: Document, changes: list[tuple[str, Document]]
) -> None:
    """Whatever Git asks for: the field keeps its value and its owner, is reported with its name, and nothing is forced."""
    world = World.new()
    world.write(first)
    world.edit(changes)
    held = {
        path: value_at(world.live().document, path)
        for owner in world.live().owners
        if owner.manager != FIELD_MANAGER
        for path in _leaves(owner.fields)
    }
    world.write(second)
    after = world.live()
    assert {path: value_at(after.document, path) for path in held} == held
    left = world.look(second)
    assert {one.state for one in left} <= {State.CO_OWNED}
    for row in (row for one in left for row in one.fields):
        assert row.managers == managers_of(after, row.steps) != ()


@pytest.mark.case("D-02", "A-13")
@unhurried
@given(entries, entries, edits)
def test_a_taking_write_makes_git_true_and_takes_no_more(
    first: Document, second: Document, changes: list[tuple[str, Document]]
) -> None:
    """One pass, no conflict; what Git does not name stays as others left it."""
    world = World.new()
    world.write(first)
    world.edit(changes)
    before = world.live().document
    world.write(second, TAKE)
    after = world.live().document
    assert holds(world.live(), second)
    assert world.look(second, TAKE) == ()
    foreign = {"locality", "serviceAccount"} & before["spec"].keys()
    assert {name: after["spec"][name] for name in foreign} == {name: before["spec"][name] for name in foreign}
    assert after["metadata"]["labels"].get("zone") == before["metadata"].get("labels", {}).get("zone")


@pytest.mark.case("D-05")
@unhurried
@given(entries, entries, patches.filter(lambda patch: any(patch["spec"].values()) or any(patch["metadata"]["labels"].values())))
def test_a_write_decided_on_an_older_object_is_refused(first: Document, second: Document, patch: Document) -> None:
    """Updates and deletes carry what they were decided on."""
    world = World.new()
    world.write(first)
    stale = [change for one in (second, None) for found in world.look(one) for change in found.changes]
    writer = Writer(world.cluster, None, ObservedState(world.cluster.observe().objects))
    before = world.live()
    world.cluster.edit(KEY, patch, "kubectl-edit")
    if world.live() == before:
        return
    for change in stale:
        with pytest.raises(Conflict):
            writer.perform(change)


@pytest.mark.case("A-07", "A-13")
def test_a_field_that_is_flipped_back_again_and_again_is_a_fight() -> None:
    """Three repairs within the hour, then none; a commit that changes the field is tried once, a person's word lifts it."""
    world, store, clock = World.new(), MemoryStore(), SetClock()

    def one_pass(weight: int) -> ObjectDiff:
        """Look, write if it may be, count, and let the other writer have its way again."""
        git = document("WorkloadEntry", "vm1", spec={"address": "a", "weight": weight})
        (found,) = explain(world.look(git, TAKE), last, store.fights())
        writer = Writer(world.cluster, None, ObservedState(world.cluster.observe().objects))
        for change in found.changes:
            writer.perform(change)
            last[KEY] = change.after or {}
        for path, manager in flips(found):
            store.flips(KEY, path, manager, clock.now())
        world.cluster.edit(KEY, {"spec": {"weight": 9}}, "other")
        return found

    last: dict[Key, Document] = {}
    states = [one_pass(weight).state for weight in (5, 5, 5, 5, 5, 5, 6, 6)]
    assert states == [State.CREATE, *[State.UPDATE] * FLIPS, State.FIGHT, State.FIGHT, State.UPDATE, State.FIGHT]
    assert one_pass(6).problems[-1].message.startswith("is left alone: the manager other keeps changing spec.weight back")
    store.settle_fight(KEY)
    assert one_pass(6).state is State.UPDATE


def _only_beside(patch: Document, named: set[tuple[str, str]]) -> Document:
    spec = {name: value for name, value in patch["spec"].items() if ("spec", name) not in named}
    marks = {name: value for name, value in patch["metadata"]["labels"].items() if ("metadata", name) not in named}
    return {"spec": spec, "metadata": {"labels": marks}}


def _leaves(fields: str) -> list[Path]:
    paths = decode(fields)
    inner = {path[:length] for path in paths for length in range(1, len(path))}
    return [path for path in paths if path not in inner]
