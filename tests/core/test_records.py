"""Records of VMs: what passes the door comes out as it went in. What is refused stands in the registry's contract."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import (
    API_VERSION,
    Health,
    MachineStatus,
    check_preconditions,
    checked_record,
    checked_status,
    record_document,
)
from reconciler.core.resources import Document, Key
from reconciler.errors import Conflict, Rejected

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = Key(VIRTUAL_MACHINE, "shop", "vm-1")

NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(-1e18, 1e18) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)
DOCUMENTS = st.builds(
    lambda name, namespace, labels, spec: {
        "apiVersion": API_VERSION,
        "kind": VIRTUAL_MACHINE,
        "metadata": {"name": name, "namespace": namespace, **({"labels": labels} if labels else {})},
        "spec": spec,
    },
    NAMES,
    NAMES,
    st.dictionaries(NAMES, NAMES, max_size=3),
    st.dictionaries(TEXTS, VALUES, max_size=4),
)


def refusal(check: Callable[[], object]) -> str:
    """Return the words of a refusal, empty where there is none."""
    try:
        check()
    except Rejected as rejected:
        return str(rejected)
    return ""


@given(DOCUMENTS)
def test_what_passes_comes_out_as_it_went_in(document: Document) -> None:
    """Through the check and through JSON and UTF-8, as every registry keeps it."""
    wanted = checked_record(document)
    assert wanted.key == Key.of(document)
    assert record_document(wanted, MachineStatus()) == {**document, "status": {"health": "unknown"}}
    assert json.loads(json.dumps(wanted.spec).encode()) == document["spec"]


@given(st.recursive(VALUES | st.binary(max_size=3), st.lists, max_leaves=3), st.sampled_from(["metadata", "spec", "kind", "x"]))
def test_nothing_else_crashes_the_door(value: object, field: str) -> None:
    """Whatever stands in a field, the answer is a record or a short no."""
    document = {"apiVersion": API_VERSION, "kind": VIRTUAL_MACHINE, "metadata": {"name": "a", "namespace": "b"}, "spec": {}}
    assert len(refusal(lambda: checked_record({**document, field: value}))) < 200


@given(st.recursive(VALUES | st.binary(max_size=3), st.lists, max_leaves=3), st.sampled_from(["address", "health", "x"]))
def test_no_report_crashes_the_door(value: object, field: str) -> None:
    """As for records."""
    assert len(refusal(lambda: checked_status({"health": "healthy", field: value}, NOON))) < 200


def test_times_are_written_in_utc() -> None:
    """To the millisecond, with a Z."""
    seen = datetime(2026, 3, 1, 14, 0, 0, 1999, tzinfo=timezone(timedelta(hours=2)))
    assert MachineStatus("", Health.HEALTHY, seen).document == {"health": "healthy", "lastSeen": "2026-03-01T12:00:00.001Z"}


def test_time_alone_is_no_content() -> None:
    """Address and health are."""
    status = MachineStatus("10.0.0.1", Health.HEALTHY, NOON)
    assert status.same_content(MachineStatus("10.0.0.1", Health.HEALTHY))
    assert not status.same_content(MachineStatus("10.0.0.2", Health.HEALTHY, NOON))
    assert not status.same_content(MachineStatus("10.0.0.1", Health.UNKNOWN, NOON))


@pytest.mark.parametrize(
    ("found", "uid", "epoch", "conflict"),
    [
        (None, "", "", ""),
        (None, "u", "", "is gone"),
        (None, "", "7", "is gone"),
        (("u", 7), "", "", "exists already"),
        (("u", 7), "u", "", ""),
        (("u", 7), "", "7", ""),
        (("u", 7), "u", "7", ""),
        (("u", 7), "v", "7", "another record"),
        (("u", 7), "u", "6", "at epoch 7, not 6"),
    ],
)
def test_preconditions(found: tuple[str, int] | None, uid: str, epoch: str, conflict: str) -> None:
    """None means create; each one that is given must hold."""
    if not conflict:
        check_preconditions(KEY, found, uid, epoch)
        return
    with pytest.raises(Conflict, match=conflict):
        check_preconditions(KEY, found, uid, epoch)
