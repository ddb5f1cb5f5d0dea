"""An index by labels against looking at everything."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.istio import selects
from reconciler.core.selection import LabelIndex

LABELS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
THINGS = st.lists(st.tuples(st.sampled_from(["shop", "pay"]), LABELS), max_size=20)


@given(things=THINGS, selector=LABELS, names=st.none() | st.just(frozenset("abc")))
def test_the_index_picks_what_the_selector_matches(
    things: list[tuple[str, dict[str, str]]], selector: dict[str, str], names: frozenset[str] | None
) -> None:
    """In the namespace asked for, each as often as it is there; an empty selector picks nothing."""
    index = LabelIndex(((space, labels, number) for number, (space, labels) in enumerate(things)), names)
    expected = [number for number, (space, labels) in enumerate(things) if space == "shop" and selects(selector, labels)]
    assert sorted(index.picked("shop", selector)) == expected
    assert index.picked("shop", None) == []


def test_a_namespace_can_be_asked_for_whole() -> None:
    """Everything of a namespace, and which namespaces there are."""
    index = LabelIndex([("shop", {}, 1), ("shop", {"a": "1"}, 2), ("pay", {}, 3)])
    assert index.of("shop") == [1, 2]
    assert index.of("nowhere") == []
    assert sorted(index.namespaces()) == ["pay", "shop"]
