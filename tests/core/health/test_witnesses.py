"""Whom others than an agent are asked about, and what their answers make of a record."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.health.sources import Source
from reconciler.core.health.witnesses import Patient, laid_over, patients_of
from reconciler.core.machines import GROUP_ANNOTATION
from reconciler.core.records import Health, MachineStatus
from reconciler.core.resources import Document, Key, LiveObject
from tests.building import TARGET, document, live, machine, observed, workload_entry, written

SOURCE = "mesh-reconciler.io/health"
SERVICE = "mesh-reconciler.io/consul-service"
PROBE = {"tcpSocket": {"port": 22}}
DRAIN = {"by": "ann", "since": "2026-03-01T12:00:00Z", "until": "2026-03-01T12:10:00Z"}


def entry(name: str = "vm1", **annotations: str) -> Document:
    """A WorkloadEntry of the group billing."""
    found = workload_entry(name)
    return {**found, "metadata": {**found["metadata"], "annotations": {GROUP_ANNOTATION: "billing", **annotations}}}


def group(**annotations: str) -> Document:
    """The group."""
    return document("WorkloadGroup", "billing", annotations=annotations, spec={"template": {}})


def record(name: str = "vm1", **status: Any) -> LiveObject:
    """A record with the group's probe and what its VM has said."""
    return live({**machine(name, probe=PROBE), "status": status})


def patient(source: Source, service: str = "", *, held: bool = False) -> Patient:
    """What is asked about vm1."""
    return Patient(Key("VirtualMachine", "shop", "vm1"), "10.0.0.1", source, PROBE, service, held)


@pytest.mark.parametrize(
    ("own", "groups", "found"),
    [
        ({}, {}, []),
        ({}, {SOURCE: "probe"}, [patient(Source.PROBE)]),
        ({}, {SOURCE: "consul", SERVICE: "billing"}, [patient(Source.CONSUL, "billing")]),
        ({SERVICE: "own"}, {SOURCE: "consul", SERVICE: "billing"}, [patient(Source.CONSUL, "own")]),
        ({SOURCE: "agent"}, {SOURCE: "consul"}, []),
        ({SOURCE: "assumed"}, {}, []),
        ({SOURCE: "istiod"}, {}, []),
    ],
)
def test_the_entry_or_its_group_says_who_is_asked(own: dict[str, str], groups: dict[str, str], found: list[Patient]) -> None:
    """The entry's word goes first; who has no record, or another target's mark, is nobody's patient."""
    objects = [written(entry(**own)), written(group(**groups))]
    assert list(patients_of(observed(*objects, record()), TARGET)) == found
    assert patients_of(observed(*objects), TARGET) == ()
    assert patients_of(observed(*objects, record()), "other") == ()


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        ({"health": "healthy", "held": True}, True),
        ({"health": "unhealthy", "held": True}, False),
        ({"health": "healthy"}, False),
    ],
)
def test_whom_the_registrys_brake_holds_is_probed(status: dict[str, Any], *, asked: bool) -> None:
    """As long as its last word is that it is well; only where its agent has the word."""
    found = patients_of(observed(written(entry()), written(group()), record(**status)), TARGET)
    assert list(found) == [patient(Source.PROBE, held=True)] * asked


def test_an_answer_takes_the_place_of_the_report() -> None:
    """A person's drain and the verified address stay; no answer is no health."""
    kept: dict[str, Any] = {"address": "10.0.0.1", "draining": True, "drain": DRAIN}
    before = record(**kept, health="healthy", reason="its probe succeeds", lastSeen="2026-03-01T12:00:00Z", held=True)
    said = MachineStatus(health=Health.UNHEALTHY, reason="Consul's check disk is critical")
    assert laid_over(before, said).document["status"] == {**kept, "health": "unhealthy", "reason": said.reason}
    assert laid_over(before, None).document["status"] == {**kept, "health": "unknown"}
    assert laid_over(before, said).document["spec"] == before.document["spec"]


def test_of_whom_a_brake_holds_only_a_failure_counts() -> None:
    """A second witness against him; anything else leaves him as he is."""
    before = record(health="healthy", held=True)
    for said in (None, MachineStatus(reason="it cannot be probed"), MachineStatus(health=Health.HEALTHY)):
        assert laid_over(before, said, held=True) is before
    failed = laid_over(before, MachineStatus(health=Health.UNHEALTHY, reason="refused"), held=True)
    assert failed.document["status"] == {"health": "unhealthy", "reason": "refused", "unreachable": True}
