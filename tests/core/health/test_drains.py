"""The stages of a drain, over any moment and whatever is seen, and what it takes off an entry and gives back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.drain import Drain
from reconciler.core.health.drains import Draining, Seen, Stage, stage_of
from reconciler.core.health.notes import undrained
from reconciler.core.istio import ServiceEntry, WorkloadEntry
from reconciler.core.resources import Document, Key
from reconciler.core.wanted import DRAINED_ANNOTATION
from tests.core.meshes import NOW, entry, vm

DRAIN, SETTLE = Drain("ann", NOW, NOW + timedelta(minutes=10)), timedelta(seconds=15)
SECONDS = st.integers(0, 1200)
SEEN = st.builds(
    Seen,
    weight=st.integers(1, 9),
    lowered=st.none() | SECONDS.map(lambda one: NOW + timedelta(seconds=one)),
    listed=st.booleans(),
    ill=st.booleans(),
    requests=st.none() | st.integers(0, 3),
)


@pytest.mark.parametrize(
    ("seen", "after", "expected"),
    [
        (Seen(5, None, listed=True), 0, Stage.LOWERING),
        (Seen(1, None, listed=True), 60, Stage.LOWERING),
        (Seen(1, NOW, listed=True), 14, Stage.LOWERING),
        (Seen(1, NOW, listed=True), 15, Stage.LEAVING),
        (Seen(5, NOW, listed=True), 15, Stage.LOWERING),
        (Seen(5, None, listed=True, ill=True), 0, Stage.LEAVING),
        (Seen(5, None, listed=True), 600, Stage.LEAVING),
        (Seen(1, NOW, listed=False), 20, Stage.ENDING),
        (Seen(1, NOW, listed=False, requests=2), 20, Stage.ENDING),
        (Seen(1, NOW, listed=False, requests=0), 20, Stage.DRAINED),
        (Seen(1, NOW, listed=False, requests=2), 600, Stage.DRAINED),
    ],
)
def test_a_stage_follows_from_what_is_seen(seen: Seen, after: int, expected: Stage) -> None:
    """And from the time: a weight needs some to get around, and nobody waits past the end."""
    assert stage_of(DRAIN, seen, NOW + timedelta(seconds=after), SETTLE) is expected


@given(SEEN, SECONDS, SECONDS)
def test_time_alone_never_leads_back(seen: Seen, one: int, more: int) -> None:
    """What has come to a stage is at that stage or a later one whenever it is looked at again."""
    order = list(Stage)
    first, second = (stage_of(DRAIN, seen, NOW + timedelta(seconds=at), SETTLE) for at in (one, one + more))
    assert order.index(first) <= order.index(second)


@given(SEEN, SECONDS)
def test_it_is_out_exactly_where_nothing_lists_it(seen: Seen, after: int) -> None:
    """A drain that somebody looks at says nothing else than what is so."""
    found = stage_of(DRAIN, seen, NOW + timedelta(seconds=after), SETTLE)
    assert (found in (Stage.ENDING, Stage.DRAINED)) is not seen.listed


def laid(weight: int | None, spec: dict[str, str], metadata: dict[str, str]) -> Document:
    """A WorkloadEntry with this weight and these labels, at both places."""
    found = vm("vm1", "10.0.0.1")
    own = {name: one for name, one in found["spec"].items() if name not in ("labels", "weight")}
    own |= ({} if weight is None else {"weight": weight}) | ({"labels": spec} if spec else {})
    named = {name: one for name, one in found["metadata"].items() if name != "labels"}
    return {**found, "metadata": {**named, **({"labels": metadata} if metadata else {})}, "spec": own}


LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=2)
ENTRIES = st.builds(laid, st.none() | st.integers(0, 9), LABELS, LABELS)


@given(ENTRIES, st.sampled_from(Stage), st.frozensets(st.sampled_from("abc")))
def test_what_a_drain_takes_comes_back(document: Document, stage: Stage, labels: frozenset[str]) -> None:
    """Weight and labels exactly; laid on twice it is the same, so that no look has anything to write again."""
    one = Draining(Key.of(document), DRAIN, stage, Seen(1, None, listed=True), labels)
    out = one.laid_on(document)
    assert undrained(out) == document
    assert DRAINED_ANNOTATION in out["metadata"]["annotations"]
    assert WorkloadEntry.of(out).endpoint.weight == 1
    assert one.laid_on(undrained(out)) == out
    kept = WorkloadEntry.of(out).endpoint.labels
    assert not (one.unlabelled and labels & kept.keys())
    assert one.unlabelled or kept == WorkloadEntry.of(document).endpoint.labels


def test_without_its_labels_nothing_picks_it() -> None:
    """Weight 0 is 1, so that the labels are what counts."""
    document, picking = laid(5, {"app": "billing"}, {}), ServiceEntry.of(entry(app="billing"))
    assert picking.picks(WorkloadEntry.of(document).endpoint)
    out = Draining(Key.of(document), DRAIN, Stage.LEAVING, Seen(1, None, listed=True), frozenset({"app"})).laid_on(document)
    assert not picking.picks(WorkloadEntry.of(out).endpoint)
