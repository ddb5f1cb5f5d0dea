"""The package's one function: it knows every kind, speaks in sentences, and never raises."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.kinds import MANAGED
from reconciler.core.validation import Code, validate
from reconciler.errors import Severity
from tests.core.validation.samples import SPECS, document, said

TEXTS = st.text(st.characters(), max_size=20) | st.sampled_from(
    ["*", "", ".", "unix://", "1s", "%", "/", "a/b", "mesh", "[", "::1"]
)
NUMBERS = (
    st.integers() | st.floats() | st.sampled_from([0, -1, 65536, 2**63]) | st.integers(20, 5000).map(lambda digits: 10**digits)
)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container with each of its keys or indices, at any depth."""
    items: Any = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, inner in items:
        yield value, key
        yield from places(inner)


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_a_valid_document_has_no_problems(kind: str) -> None:
    """The samples, one of each kind, are fine."""
    assert said(kind, SPECS[kind]) == []


def test_every_managed_kind_of_istio_is_validated() -> None:
    """A kind that is added to those we manage gets its rules too."""
    assert set(SPECS) == {kind.name for kind in MANAGED.values() if kind.group}


@pytest.mark.parametrize("made_up", [{}, {"kind": None}, {"kind": ["ServiceEntry"]}, {"kind": "Namespace", "spec": 1}])
def test_other_documents_are_nobodys_business(made_up: dict[str, Any]) -> None:
    """Documents of other kinds, or of none, have no problems here."""
    assert validate(made_up) == ()


@pytest.mark.case("M-04", "M-05")
@given(data=st.data())
def test_any_value_anywhere_ends_in_problems_not_in_an_exception(data: st.DataObject) -> None:
    """Whatever JSON stands in a document, or in one place of a valid one, validation returns."""
    kind = data.draw(st.sampled_from(sorted(SPECS)))
    whole = document(kind, SPECS[kind])
    if data.draw(st.booleans()):
        container, key = data.draw(st.sampled_from(list(places(whole["spec"])) or [(whole, "spec")]))
        container[key] = data.draw(JSON)
    else:
        whole[data.draw(st.sampled_from(["spec", "metadata"]))] = data.draw(JSON)
    for problem in validate(whole):
        assert problem.code in set(Code)
        assert problem.field.startswith(("spec", "metadata"))


@pytest.mark.parametrize("kind", sorted(SPECS))
def test_documents_are_only_read(kind: str) -> None:
    """Validation changes nothing in what it is given."""
    given_document = document(kind, SPECS[kind])
    before = copy.deepcopy(given_document)
    validate(given_document)
    assert given_document == before


@pytest.mark.case("M-02")
def test_nesting_beyond_reason_is_a_problem() -> None:
    """A value nested deeper than the interpreter can follow is refused, where it has to be compared at all."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    spec = {"hosts": ["a.example.com"], "http": [{"match": [{"uri": {"exact": deep}}, {"uri": {"exact": deep}}]}]}
    problems = validate({"kind": "VirtualService", "metadata": {"namespace": "shop"}, "spec": spec})
    assert Code.TOO_DEEP in {problem.code for problem in problems}


def test_messages_are_sentences_that_say_what_to_do() -> None:
    """A message begins with what is wrong, goes on after a colon with what to do, and ends without a full stop."""
    spec = {"hosts": ["*"], "ports": [{"number": 0, "name": "x_y", "protocol": "smtp"}], "endpoints": []}
    problems = validate(document("ServiceEntry", spec))
    assert len(problems) == 5
    for problem in problems:
        wrong, colon, advice = problem.message.partition(": ")
        assert wrong
        assert colon
        assert advice
        assert not problem.message.endswith(".")
        assert "\n" not in problem.message


def test_values_are_shown_quoted_and_cut() -> None:
    """A message shows a value so that neither its length nor its characters can do harm."""
    (problem,) = validate(document("WorkloadEntry", {"address": "\x1b[31m\u202e" + "x" * 1000}))
    assert problem.message.isascii()
    assert problem.message.isprintable()
    assert len(problem.message) < 250


@pytest.mark.case("M-15")
def test_header_values_are_never_shown() -> None:
    """Values that may be secrets stay out of messages."""
    route = {"headers": {"request": {"set": {"authorization": "Basic hunter2%"}}}, "directResponse": {"status": 200}}
    (problem,) = validate(document("VirtualService", {"hosts": ["a.example.com"], "http": [route]}))
    assert (problem.code, problem.severity) == (Code.HEADER_VALUE, Severity.ERROR)
    assert "hunter2" not in problem.message
