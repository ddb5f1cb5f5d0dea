"""The codes of what a comparison reports, and how keys are spelled for options."""

import pytest

from reconciler.core.adoption import Adoption
from reconciler.core.resources import Key
from reconciler.core.standing import Code, problem, spelled, terminating, unreadable
from reconciler.errors import Place, Severity
from tests.building import document, live, observed


def test_every_code_has_its_prefix_and_a_meaning() -> None:
    """Codes are unique, and each is one line of the documentation."""
    assert all(code.value.startswith("MR4") and code.meaning and not code.meaning.endswith(".") for code in Code)
    assert len({code.value for code in Code}) == len(Code)


@pytest.mark.parametrize("key", [Key("ServiceEntry", "shop", "billing"), Key("Namespace", "", "shop")])
def test_a_key_is_spelled_as_the_option_reads_it(key: Key) -> None:
    """What a report tells people to type works."""
    assert Adoption.parse([spelled(key)]).keys == {key}


def test_a_problem_names_object_field_and_place() -> None:
    """A warning unless it is said otherwise."""
    key, place = Key("ServiceEntry", "shop", "billing"), Place("a.yaml", 3)
    found = problem(Code.CO_OWNED, "text", key, place, field="spec.hosts")
    assert str(found) == "a.yaml:3:0: warning: ServiceEntry shop/billing spec.hosts: text [MR4006]"
    assert found.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("key", "unread", "unserved", "words"),
    [
        (Key("ServiceEntry", "shop", "a"), {"shop"}, set(), "the namespace shop may not be read"),
        (Key("Namespace", "", "a"), {""}, set(), "the kind Namespace may not be read"),
        (Key("ServiceEntry", "shop", "a"), set(), {"ServiceEntry"}, "does not know the kind ServiceEntry"),
    ],
)
def test_what_cannot_be_read_says_why(key: Key, unread: set[str], unserved: set[str], words: str) -> None:
    """A missing permission and a missing CRD have different cures."""
    found = unreadable(key, None, observed(unread=unread, unserved=unserved))
    assert words in found.problems[0].message


def test_an_object_on_its_way_out_without_finalizers_is_just_that() -> None:
    """Nothing holds it."""
    found = terminating(live(document("ServiceEntry", "a", spec={})), Place("a.yaml", 1))
    assert found.problems[0].message == "is being deleted; it is left alone until it is gone"
    assert found.place == Place("a.yaml", 1)
