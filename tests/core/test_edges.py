"""Questions to edges."""

from reconciler.core.edges import Edge, Edges
from reconciler.core.writes import writes_of
from tests.building import observed
from tests.core.meshes import creating, deleting, there, vm

CHAIN = Edges([Edge(0, 1, "a"), Edge(1, 2, "b"), Edge(1, 3, "c", strong=False)])


def test_what_is_held_takes_with_it_what_needs_it() -> None:
    """Along strong edges only, however far."""
    assert CHAIN.held_with([0]) == {0, 1, 2}
    assert CHAIN.held_with([3]) == {3}
    assert CHAIN.held_with([]) == set()


def test_circles_are_found_with_all_that_waits_for_them() -> None:
    """What comes before a circle, or beside it, is free."""
    assert CHAIN.in_circles(5) == set()
    circle = Edges([Edge(0, 1, ""), Edge(1, 2, ""), Edge(2, 1, ""), Edge(2, 3, "")])
    assert circle.in_circles(5) == {1, 2, 3}


def test_a_write_that_takes_away_is_of_the_second_phase_with_all_that_waits_for_it() -> None:
    """Deletions, whatever has to wait until something is no longer used, and what follows these."""
    writes = writes_of([creating(vm(f"vm{i}", "10.0.0.1")) for i in range(4)], observed())
    assert Edges([]).phases(writes) == [0, 0, 0, 0]
    assert Edges([Edge(0, 1, "", removal=True), Edge(1, 2, "")]).phases(writes) == [0, 1, 1, 0]
    gone = vm("vm1", "10.0.0.1")
    assert Edges([]).phases(writes_of([deleting(gone)], there(gone))) == [1]
