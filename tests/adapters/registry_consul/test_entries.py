"""Records as nodes and checks of Consul, and back: values in, values out."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.registry_consul.entries import (
    PIECES,
    VALUE,
    Record,
    Reported,
    check_of,
    node_name,
    node_of,
    record_of,
    records_of,
    reported_by,
)
from reconciler.core.records import Health, MachineSpec, MachineStatus
from reconciler.core.resources import Document, Key
from reconciler.errors import Rejected

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = Key("VirtualMachine", "shop", "vm-1.rack-2")
TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=400)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e15, 1e15) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
SPECS = st.fixed_dictionaries({"address": st.ip_addresses().map(str)}, optional={"network": TEXTS, "more": VALUES})
STATUSES = st.builds(
    MachineStatus,
    st.just("") | st.ip_addresses().map(str),
    st.sampled_from(Health),
    st.none()
    | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - hypothesis adds it
        lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    ),
    TEXTS.map(lambda text: text[:256]),
    st.booleans(),
)


def a_record(**spec: Any) -> Record:
    """Return a record as it stands in Consul."""
    wanted = MachineSpec(KEY, {"app": "billing"}, {"address": "10.0.0.1", **spec})
    return Record(wanted, "8a0d", NOON, 7)


def agent(name: str, address: str) -> Document:
    """Return the node of an agent."""
    return {"Node": name, "Address": address, "Meta": None, "ModifyIndex": 3}


def check(node: str, status: str, name: str = "serfHealth") -> Document:
    """Return a check that is not ours."""
    return {"Node": node, "CheckID": name, "Status": status, "Output": "", "ModifyIndex": 4}


def health(*others: Document, reported: Health | None = None, nodes: tuple[Document, ...] = ()) -> Health:
    """Return the health that a record has with these checks and nodes beside it."""
    node = node_of("production", a_record())
    said = [check_of(node["Node"], Reported(MachineStatus("", reported, NOON)))] if reported else []
    return records_of("production", [node, *nodes], [*said, *others])[KEY].status.health


OWN = node_name("production", KEY)


@given(SPECS)
def test_a_record_survives_the_way_through_a_node(spec: Document) -> None:
    """Whatever a record may hold comes back as it was, in meta that Consul takes."""
    record = a_record(**spec)
    node = node_of("production", record)
    assert record_of("production", json.loads(json.dumps(node))) == record
    assert len(node["Meta"]) <= 64
    assert all(len(name) <= 128 and len(value.encode()) <= VALUE for name, value in node["Meta"].items())


@given(STATUSES, st.integers(0, 2**53))
def test_a_report_survives_the_way_through_a_check(status: MachineStatus, index: int) -> None:
    """With its time to the millisecond, which is what a record shows."""
    reported = Reported(status, index)
    assert reported_by([check(OWN, "passing"), json.loads(json.dumps(check_of(OWN, reported)))]) == reported


def test_the_longest_record_fits_and_a_longer_one_is_refused() -> None:
    """What Consul's meta cannot hold is refused, with its length and not its value."""
    around = len(json.dumps({"labels": {"app": "billing"}, "spec": {"address": "10.0.0.1", "a": ""}}, separators=(",", ":")))
    longest = a_record(a="x" * (VALUE * PIECES - around))
    assert record_of("production", node_of("production", longest)) == longest
    with pytest.raises(Rejected, match="at most 30720 bytes") as rejected:
        node_of("production", a_record(a="x" * (VALUE * PIECES - around + 1)))
    assert rejected.value.status == 422


@pytest.mark.parametrize("address", [None, "", "vm-1.internal", 5])
def test_a_record_without_an_address_is_refused(address: object) -> None:
    """A node of Consul has an IP address."""
    with pytest.raises(Rejected, match=r"spec\.address must be an IP address"):
        node_of("production", a_record(address=address))


NOT_OURS: dict[str, dict[str, Any]] = {
    "no meta": {"Meta": None},
    "another target's": {"Meta": {"mesh-reconciler-target": "staging"}},
    "a mark and no more": {"Meta": {"mesh-reconciler-target": "production"}},
    "a mark under a name that a person chose": {"Node": "vm-1"},
    "a copy under the name of another target": {"Node": "mesh-reconciler.staging.shop.vm-1.rack-2"},
    "a record under a name that is none": {"Node": "mesh-reconciler.production.shop.VM_1"},
}
BROKEN_META: dict[str, str | None] = {
    "a piece that is missing": None,
    "a piece of something else": "{",
    "another thing than an object": "[]",
    "too deep": "[" * 500,
}


@pytest.mark.parametrize("change", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_a_node_is_a_record_only_by_mark_and_name(change: Document) -> None:
    """Everything else in the catalog is somebody else's."""
    assert record_of("production", {**node_of("production", a_record()), **change}) is None


@pytest.mark.parametrize("text", BROKEN_META.values(), ids=BROKEN_META.keys())
def test_a_record_that_somebody_broke_is_none(text: str | None) -> None:
    """It holds nothing that could be believed, and it does not hide its neighbours."""
    node = node_of("production", a_record(network="x" * VALUE))
    meta = {name: value for name, value in node["Meta"].items() if name != "mesh-reconciler-record-0"}
    if text is not None:
        meta["mesh-reconciler-record-0"] = text
    other = replace(a_record(), wanted=replace(a_record().wanted, key=Key("VirtualMachine", "shop", "vm-2")))
    found = records_of("production", [{**node, "Meta": meta}, node_of("production", other)], [])
    assert found.keys() == {other.wanted.key}


OUTPUTS = ("", "{", "[]", '{"health": "healthy", "lastSeen": "noon"}', '{"health": "fine", "lastSeen": "2026-03-01T12:00:00Z"}')


@pytest.mark.parametrize("output", OUTPUTS)
def test_a_report_that_makes_no_sense_says_nothing(output: str) -> None:
    """Somebody else has written it; the next report overwrites it, by its index."""
    said = {**check_of(OWN, Reported(MachineStatus("", Health.HEALTHY, NOON), 9)), "Output": output}
    assert reported_by([said]) == Reported(index=9)


def test_the_worst_word_counts() -> None:
    """A report and every check on the record's own node; a warning is no illness."""
    assert health() is Health.UNKNOWN
    assert health(check(OWN, "passing")) is Health.HEALTHY
    assert health(check(OWN, "warning")) is Health.HEALTHY
    assert health(check(OWN, "passing"), check(OWN, "critical", "disk")) is Health.UNHEALTHY
    assert health(check(OWN, "passing"), reported=Health.UNKNOWN) is Health.HEALTHY
    assert health(check(OWN, "passing"), reported=Health.UNHEALTHY) is Health.UNHEALTHY
    assert health(check(OWN, "critical"), reported=Health.HEALTHY) is Health.UNHEALTHY
    assert health(reported=Health.UNKNOWN) is Health.UNKNOWN


def test_a_reason_names_the_check() -> None:
    """The first of them by name, so that it stands still; a VM that knows itself what it lacks is believed."""
    node = node_of("production", a_record())
    checks = [check(OWN, "critical", "disk"), check(OWN, "critical", "cpu")]

    def status(reported: MachineStatus) -> MachineStatus:
        return records_of("production", [node], [*checks, check_of(OWN, Reported(reported))])[KEY].status

    assert status(MachineStatus()).reason == f"Consul's check cpu on {OWN} is critical"
    own = MachineStatus("10.0.0.1", Health.UNHEALTHY, NOON, "no answer", draining=True)
    assert status(own) == own


def test_the_checks_of_an_agent_at_the_address_count() -> None:
    """In any spelling of the address; an agent elsewhere and the record of another target say nothing of this VM."""
    ill = check("web-1", "critical")
    assert health(ill, nodes=(agent("web-1", "10.0.0.1"),)) is Health.UNHEALTHY
    assert health(ill, nodes=(agent("web-1", "10.0.0.2"),)) is Health.UNKNOWN
    assert health(ill, nodes=(agent("web-1", "vm-1.internal"),)) is Health.UNKNOWN
    staging = node_of("staging", a_record())
    assert health(check(staging["Node"], "critical"), nodes=(staging,)) is Health.UNKNOWN
    node = node_of("production", a_record(address="FD00:0:0::1"))
    found = records_of("production", [node, agent("web-1", "fd00::1")], [ill])
    assert node["Address"] == "fd00::1"
    assert found[KEY].status.health is Health.UNHEALTHY
