"""From changes to numbered writes."""

from reconciler.core.changes import Action, Change
from reconciler.core.resources import Key
from reconciler.core.writes import in_order, writes_of
from tests.building import observed
from tests.core.meshes import creating, entry, route, rule, there, updating, vm

HOST = "billing.internal"
OLD, NEW = rule(subsets={"v1": {"v": "1"}, "keep": {}}), rule(subsets={"v2": {"v": "2"}, "keep": {}})
TO_V1, TO_V2 = route(to=[(HOST, "v1", 100)]), route(to=[(HOST, "v2", 100)])


def names(change: Change) -> list[str]:
    """The subsets that a change leaves."""
    return [one["name"] for one in (change.after or {})["spec"]["subsets"]]


def test_a_write_knows_the_object_before_and_after_it() -> None:
    """Several writes to one object build on each other."""
    one = entry(app="billing")
    handed = Change(Key.of(one), Action.HAND_OVER, one, one, managers=("helm",))
    labelled = entry(app="billing", labels={"a": "b"})
    first, then = writes_of([handed, updating(one, labelled)], there(one))
    assert (first.number, then.number) == (0, 1)
    assert first.after == then.before
    assert (then.after or {})["metadata"]["labels"]["a"] == "b"
    (made,) = writes_of([creating(vm("vm1", "10.0.0.1"))], observed())
    assert (made.before, made.after) == (None, vm("vm1", "10.0.0.1"))


def test_a_rule_is_widened_before_the_route_moves_and_narrowed_after() -> None:
    """Both writes are whole documents; the first holds the subsets of both."""
    writes, edges = in_order([updating(OLD, NEW), updating(TO_V1, TO_V2)], there(OLD, TO_V1), "istio-system")
    wide, narrow, moved = writes
    assert names(wide.change) == ["v2", "keep", "v1"]
    assert names(narrow.change) == ["v2", "keep"]
    assert narrow.change.before == wide.change.after
    assert edges.in_circles(3) == set()
    assert edges.waits[moved.number] == {wide.number}
    assert edges.waits[narrow.number] == {wide.number, moved.number}


def test_a_rule_that_only_adds_or_only_drops_is_one_write() -> None:
    """And so is one whose route does not change with it."""
    both = rule(subsets={"v1": {"v": "1"}, "v2": {"v": "2"}, "keep": {}})
    for old, new in ((OLD, both), (both, NEW)):
        assert len(in_order([updating(old, new), updating(TO_V1, TO_V2)], there(old, TO_V1), "istio-system")[0]) == 2
    assert len(in_order([updating(OLD, NEW)], there(OLD, TO_V1), "istio-system")[0]) == 1
