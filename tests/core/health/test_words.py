"""What a record of the registry says of a VM, and the condition that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.health.conditions import Condition, Reason, laid_among
from reconciler.core.health.words import SILENCE, word_of
from tests.building import machine
from tests.core.meshes import NOW


@pytest.mark.parametrize(
    ("status", "healthy", "reason"),
    [
        ({}, None, None),
        ({"health": "unknown", "address": "10.0.0.1"}, None, None),
        ({"health": "healthy", "address": "10.0.0.1"}, True, Reason.REPORTED_HEALTHY),
        ({"health": "unhealthy", "address": "10.0.0.1"}, False, Reason.REPORTED_UNHEALTHY),
        ({"health": "unhealthy", "address": "10.0.0.1", "unreachable": True}, False, Reason.UNREACHABLE),
        ({"health": "unhealthy", "address": "10.0.0.9", "unreachable": True}, False, Reason.ADDRESS_DIFFERS),
        ({"health": "healthy", "address": "10.0.0.9"}, False, Reason.ADDRESS_DIFFERS),
        ({"health": "unknown", "address": "10.0.0.9"}, False, Reason.ADDRESS_DIFFERS),
        ({"health": "healthy", "address": "10.0.0.1", "draining": True}, False, Reason.DRAINING),
        ({"health": "unknown", "draining": True}, False, Reason.DRAINING),
    ],
)
def test_a_word_is_what_counts_of_a_status(status: dict[str, Any], healthy: bool | None, reason: Reason | None) -> None:  # noqa: FBT001 - expected
    """A drain goes before an address, an address before a report, and silence says nothing."""
    word = word_of("10.0.0.1", {**machine(), "status": status})
    assert (word.healthy, word.reason) == (healthy, reason)
    assert word_of("10.0.0.1", None) == SILENCE


def test_two_spellings_of_one_address_are_one() -> None:
    """As IPv6 has many."""
    record = {**machine(), "status": {"health": "healthy", "address": "fd00::1"}}
    assert word_of("fd00:0:0:0:0:0:0:1", record).healthy


def test_what_a_vm_says_of_itself_is_cut() -> None:
    """It goes into an object of the cluster."""
    record = {**machine(), "status": {"health": "unhealthy", "reason": "x" * 10_000}}
    assert len(word_of("10.0.0.1", record).message) == 200


def test_a_condition_is_read_as_it_was_written() -> None:
    """To the second, which is what Kubernetes keeps."""
    condition = Condition(healthy=False, reason=Reason.DRAINING, message="m", since=NOW)
    assert Condition.of({"status": {"conditions": [{"type": "Other"}, condition.document]}}) == condition
    assert Condition.of({"status": {}}) is None
    strange = Condition.of(
        {"status": {"conditions": [{"type": "Healthy", "status": "Unknown", "lastTransitionTime": "today"}]}}
    )
    assert strange == Condition(healthy=False)


def test_a_condition_takes_the_place_of_the_one_of_its_type() -> None:
    """And of no other."""
    other, old, new = {"type": "Other"}, {"type": "Healthy", "status": "True"}, {"type": "Healthy", "status": "False"}
    assert laid_among([old, other], new) == [other, new]
    assert laid_among([], new) == [new]
