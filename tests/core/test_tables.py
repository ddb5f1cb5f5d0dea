"""An immutable mapping against a plain one."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.tables import Table

KEYS = st.integers(0, 300)


@given(start=st.dictionaries(KEYS, st.integers()), steps=st.lists(st.tuples(KEYS, st.none() | st.integers()), max_size=200))
def test_a_table_is_a_mapping_through_every_change(start: dict[int, int], steps: list[tuple[int, int | None]]) -> None:
    """After each change it holds what a dictionary would, and the tables before it hold what they held."""
    table, plain = Table(start), dict(start)
    history = [(table, dict(plain))]
    for key, value in steps:
        table = table.put(key, value)
        plain = {**plain, key: value} if value is not None else {one: plain[one] for one in plain if one != key}
        history.append((table, plain))
    for past, expected in history:
        assert dict(past) == expected
        assert len(past) == len(expected)
        assert all(past.get(key) == expected.get(key) and (key in past) == (key in expected) for key in range(300))


def test_a_table_grows_with_its_content() -> None:
    """Thousands of entries added one by one are all found again."""
    table: Table[str, int] = Table()
    for number in range(3000):
        table = table.put(f"key{number}", number)
    assert len(table) == 3000
    assert sorted(table.values()) == list(range(3000))
    assert table["key2999"] == 2999
