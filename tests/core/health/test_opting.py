"""When the annotation of Git may reach an entry."""

from __future__ import annotations

import pytest

from reconciler.core.health.conditions import Condition
from reconciler.core.health.opting import opted_like, withheld
from reconciler.core.istio import HEALTH_CHECKED
from reconciler.core.resources import Document, Key
from tests.building import document, observed, wanted, workload_entry, written

PLAIN = workload_entry("vm1")
KEY = Key.of(PLAIN)


def asking(**annotations: str) -> Document:
    """The entry with the annotation, and others."""
    return {**PLAIN, "metadata": {**PLAIN["metadata"], "annotations": {HEALTH_CHECKED: "true", **annotations}}}


def standing(of: Document, *, healthy: bool) -> Document:
    """The entry with a condition."""
    return {**of, "status": {"conditions": [Condition(healthy, "x").document]}}


@pytest.mark.parametrize(
    ("live", "waits"),
    [
        (None, True),
        (PLAIN, True),
        (standing(PLAIN, healthy=False), True),
        (standing(PLAIN, healthy=True), False),
        (asking(), False),
        (standing(asking(), healthy=False), False),
    ],
)
def test_the_annotation_waits_for_a_good_condition(live: Document | None, *, waits: bool) -> None:
    """Once it is there it stays, whatever the condition becomes."""
    entry = wanted(asking(other="kept"))
    objects = []
    if live is not None:
        found = written({name: part for name, part in live.items() if name != "status"})
        found.document.update({"status": live["status"]} if "status" in live else {})
        objects.append(found)
    found_later = withheld({KEY: entry}, observed(*objects))
    assert (KEY in found_later) is waits
    if waits:
        assert found_later[KEY]["metadata"]["annotations"] == {"other": "kept"}


def test_istiod_needs_the_annotation_first() -> None:
    """It sets the condition only where the annotation is; the entry's group may say so, too."""
    group = document("WorkloadGroup", "g", annotations={"mesh-reconciler.io/health": "istiod"}, spec={})
    by_entry = wanted(asking(**{"mesh-reconciler.io/health": "istiod"}))
    by_group = wanted(asking(**{"mesh-reconciler.io/group": "g"}))
    assert withheld({KEY: by_entry}, observed()) == {}
    assert withheld({KEY: by_group, Key.of(group): wanted(group)}, observed()) == {}
    assert KEY in withheld({KEY: by_group}, observed())


def test_the_opt_in_is_no_change_that_is_rolled_out() -> None:
    """All else that differs is; and so is the end of it, which may bring an ill VM back."""
    assert opted_like(PLAIN, asking()) == asking()
    assert opted_like(asking(), PLAIN) == asking()
    assert opted_like(PLAIN, None) == PLAIN
    heavier = {**asking(), "spec": {**PLAIN["spec"], "weight": 7}}
    assert opted_like(PLAIN, heavier) == asking()
