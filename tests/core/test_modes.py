"""Which mode a unit is in: the stricter of target, namespace and unit wins."""

import pytest

from reconciler.core.changes import State
from reconciler.core.modes import UnitMode, unit_mode
from reconciler.core.plans import Mode
from reconciler.core.resources import Document, Key
from tests.building import document, live, observed

MODE = "mesh-reconciler.io/mode"
ENTRY = Key("ServiceEntry", "shop", "billing")
VM = Key("WorkloadEntry", "shop", "vm1")


def annotated(kind: str, name: str, mode: str | None, namespace: str = "shop") -> Document:
    """An object with or without the annotation."""
    return document(kind, name, namespace, **({"annotations": {MODE: mode}} if mode is not None else {}))


@pytest.mark.parametrize(
    ("setting", "namespace", "entry", "mode"),
    [
        (Mode.ENFORCE, None, None, Mode.ENFORCE),
        (Mode.ENFORCE, "enforce", "enforce", Mode.ENFORCE),
        (Mode.OBSERVE, "enforce", "enforce", Mode.OBSERVE),
        (Mode.ENFORCE, "observe", "enforce", Mode.OBSERVE),
        (Mode.ENFORCE, "enforce", "observe", Mode.OBSERVE),
        (Mode.ENFORCE, "enforced", None, Mode.OBSERVE),
        (Mode.ENFORCE, None, "", Mode.OBSERVE),
    ],
)
@pytest.mark.parametrize("where", ["git", "cluster"])
def test_the_stricter_wins(setting: Mode, namespace: str | None, entry: str | None, mode: Mode, where: str) -> None:
    """In Git or by hand on the live object; a misspelt brake still brakes."""
    documents = [annotated("Namespace", "shop", namespace, ""), annotated("ServiceEntry", "billing", entry)]
    wanted = {Key.of(one): one for one in documents} if where == "git" else {}
    there = observed(*(live(one) for one in documents)) if where == "cluster" else observed()
    found = unit_mode(setting, [VM, ENTRY], wanted, there, {})
    assert found.mode is mode
    assert bool(found.reasons) is (mode is Mode.OBSERVE)


@pytest.mark.case("T-14")
@pytest.mark.parametrize("state", [State.NOT_ADOPTED, State.FOREIGN_TOOL])
def test_a_unit_waits_until_all_of_it_is_adopted(state: State) -> None:
    """Its other half must not change alone; the reason names the object."""
    found = unit_mode(Mode.ENFORCE, [ENTRY, VM], {}, observed(), {VM: state, ENTRY: State.UPDATE})
    assert found == UnitMode(Mode.OBSERVE, ("WorkloadEntry shop/vm1 is not adopted",))


def test_an_adoption_that_is_declared_may_be_written() -> None:
    """The adoption itself is a write."""
    assert unit_mode(Mode.ENFORCE, [ENTRY], {}, observed(), {ENTRY: State.ADOPT}).mode is Mode.ENFORCE


def test_a_namespace_answers_for_itself() -> None:
    """An annotation on a Namespace holds the Namespace object too, and no other namespace."""
    namespace = annotated("Namespace", "shop", "observe", "")
    key = Key.of(namespace)
    assert unit_mode(Mode.ENFORCE, [key], {key: namespace}, observed(), {}).mode is Mode.OBSERVE
    other = Key("ServiceEntry", "web", "billing")
    assert unit_mode(Mode.ENFORCE, [other], {key: namespace}, observed(), {}).mode is Mode.ENFORCE


def test_every_reason_is_given() -> None:
    """Who takes one brake off must know of the next."""
    there = observed(live(annotated("Namespace", "shop", "observe", "")), live(annotated("ServiceEntry", "billing", "observe")))
    assert len(unit_mode(Mode.OBSERVE, [ENTRY], {}, there, {ENTRY: State.NOT_ADOPTED}).reasons) == 4
