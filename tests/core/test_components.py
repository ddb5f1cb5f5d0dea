"""Connected components."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.components import Components
from reconciler.core.resources import Key

NUMBERS = st.integers(0, 12)


def key(number: int) -> Key:
    """A key."""
    return Key("WorkloadEntry", "shop", f"vm{number}")


@given(st.lists(st.tuples(NUMBERS, st.lists(NUMBERS, max_size=3)), max_size=15))
def test_joined_is_what_a_chain_of_joins_connects(joins: list[tuple[int, list[int]]]) -> None:
    """Two keys are in one component exactly when joins lead from one to the other, whatever their order."""
    found = Components()
    sets = {number: {number} for number in range(13)}
    for one, others in joins:
        found.join(key(one), map(key, others))
        for other in others:
            merged = sets[one] | sets[other]
            sets.update(dict.fromkeys(merged, merged))
    for one in range(13):
        for other in range(13):
            assert (found.number(key(one)) == found.number(key(other))) is (other in sets[one])
