"""Records <-> what Consul's catalog holds: one node each, and one check with what the VM has reported.

Node meta takes 64 pairs, keys of 128 and values of 512 bytes, so the record's JSON is cut into pieces
(https://developer.hashicorp.com/consul/docs/reference/agent/configuration-file/node#node_meta).

Health is what the VM reports and what Consul knows, whichever is worse: the checks on the record's node, and all checks on the
nodes of agents at the same address, since Consul does not know which of a VM's services a record is about. A warning counts as
healthy, as it does for Consul's own DNS; maintenance mode is a critical check.
"""

import ipaddress
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.core.kinds import VIRTUAL_MACHINE
from reconciler.core.records import (
    API_VERSION,
    Health,
    MachineSpec,
    MachineStatus,
    checked_record,
    checked_status,
    fit_text,
    record_object,
)
from reconciler.core.resources import Document, Key, LiveObject
from reconciler.errors import Rejected

OWNER = "mesh-reconciler"
#: Keys of a node's meta. The first one is the mark: its value is the target that wrote the node.
TARGET, UID, CREATED, PIECE = f"{OWNER}-target", f"{OWNER}-uid", f"{OWNER}-created", f"{OWNER}-record-"
#: Bytes of one value, and how many values are left for the record.
VALUE, PIECES = 512, 60
#: The check that carries a VM's report.
REPORT = OWNER

_NEVER = datetime.min.replace(tzinfo=UTC)
_WORDS = {Health.HEALTHY: "passing", Health.UNHEALTHY: "critical", Health.UNKNOWN: "warning"}


@dataclass(frozen=True, slots=True)
class Record:
    """A record with its epoch, which is 0 as long as Consul does not hold it."""

    wanted: MachineSpec
    uid: str
    created: datetime
    epoch: int = 0
    status: MachineStatus = field(default_factory=MachineStatus)

    @property
    def live(self) -> LiveObject:
        return record_object(self.wanted, self.status, uid=self.uid, epoch=self.epoch, created=self.created)

    def same_content(self, other: "Record") -> bool:
        """Return whether only the time of the last report differs."""
        return self.status.same_content(other.status) and replace(self, status=other.status) == other


@dataclass(frozen=True, slots=True)
class Reported:
    """What the VM has said, and the ModifyIndex of the check that says so: 0 before the first report."""

    status: MachineStatus = field(default_factory=MachineStatus)
    index: int = 0


def node_name(target: str, key: Key) -> str:
    """Return the name of a record's node. Neither target nor namespace can hold a dot, so it means one record only."""
    return f"{OWNER}.{target}.{key.namespace}.{key.name}"


def node_of(target: str, record: Record) -> Document:
    """Return a record as a node. Raises Rejected for one that Consul cannot hold: without an IP address, or too long."""
    wanted = record.wanted
    address = canonical(wanted.spec.get("address"))
    if not address:
        raise Rejected("VM record: spec.address must be an IP address, since a node of Consul has one", status=422)
    text = json.dumps({"labels": dict(wanted.labels), "spec": wanted.spec}, sort_keys=True, separators=(",", ":"))
    if len(text) > VALUE * PIECES:
        raise Rejected(f"VM record: spec and labels must be at most {VALUE * PIECES} bytes long in Consul", status=422)
    pieces = {f"{PIECE}{at // VALUE}": text[at : at + VALUE] for at in range(0, len(text), VALUE)}
    meta = {TARGET: target, UID: record.uid, CREATED: record.created.isoformat(), **pieces}
    return {"Node": node_name(target, wanted.key), "Address": address, "Meta": meta, "ModifyIndex": record.epoch}


def record_of(target: str, node: Mapping[str, Any]) -> Record | None:
    """Return the record that a node is, before anything is known of its health; None where it is none of this target's."""
    meta = node.get("Meta") or {}
    if meta.get(TARGET) != target:
        return None
    try:
        _, _, namespace, name = node["Node"].split(".", 3)
        text = "".join(meta[f"{PIECE}{number}"] for number in range(sum(one.startswith(PIECE) for one in meta)))
        metadata = {"name": name, "namespace": namespace, "labels": (said := json.loads(text))["labels"]}
        document = {"apiVersion": API_VERSION, "kind": VIRTUAL_MACHINE, "metadata": metadata, "spec": said["spec"]}
        created = datetime.fromisoformat(meta[CREATED])
        record = Record(checked_record(document), meta[UID], created, int(node["ModifyIndex"]))
    except (KeyError, TypeError, ValueError, RecursionError, Rejected):
        return None
    return record if node_name(target, record.wanted.key) == node["Node"] and created.tzinfo else None


def check_of(node: str, reported: Reported) -> Document:
    """Return a report as the check on a record's node."""
    return {
        "Node": node,
        "CheckID": REPORT,
        "Name": "health that the VM reports",
        "Status": _WORDS[reported.status.health],
        "Output": json.dumps(reported.status.document, sort_keys=True),
        "ModifyIndex": reported.index,
    }


def reported_by(checks: Iterable[Mapping[str, Any]]) -> Reported:
    """Return the report among the checks of one record's node; one that makes no sense says nothing."""
    for check in checks:
        if check["CheckID"] == REPORT:
            index = int(check["ModifyIndex"])
            with suppress(TypeError, ValueError, OverflowError, RecursionError, Rejected):
                return Reported(_status(json.loads(check["Output"])), index)
            return Reported(index=index)
    return Reported()


def _status(said: Any) -> MachineStatus:
    status = checked_status(said, _NEVER)
    seen = said.get("lastSeen")
    return replace(status, last_seen=datetime.fromisoformat(seen).astimezone(UTC) if seen else None)


def judged(checks: Iterable[Mapping[str, Any]]) -> MachineStatus | None:
    """Return what checks say together, None where there is none: the worst counts, and a warning is no illness."""
    seen = tuple(checks)
    ill = sorted((check["Node"], check["CheckID"]) for check in seen if check["Status"] == "critical")
    if ill:
        node, check = ill[0]
        return MachineStatus(health=Health.UNHEALTHY, reason=fit_text(f"Consul's check {check} on {node} is critical"))
    return MachineStatus(health=Health.HEALTHY, reason="Consul's checks pass") if seen else None


def about(service: str, checks: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return those checks that are about a service or the node that it runs on; none where none is about that service."""
    found = [check for check in checks if check["ServiceName"] in ("", service)]
    return found if any(check["ServiceName"] for check in found) else ()


def checks_by_address(
    nodes: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]]
) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Return the checks on nodes of agents, by address."""
    where = {node["Node"]: canonical(node["Address"]) for node in nodes if is_foreign(node)}
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for check in checks:
        if address := where.get(check["Node"]):
            found[address].append(check)
    return found


def with_health(record: Record, own: Iterable[Mapping[str, Any]], others: Iterable[Mapping[str, Any]]) -> Record:
    """Return a record with what the checks on its node, and on those of agents at its address, say of it."""
    own = tuple(own)
    said = reported_by(own).status
    seen = judged((*(check for check in own if check["CheckID"] != REPORT), *others))
    if seen and (said.health is Health.UNKNOWN or (seen.health is Health.UNHEALTHY and said.health is Health.HEALTHY)):
        said = replace(said, health=seen.health, reason=seen.reason)
    return replace(record, status=said)


def records_of(target: str, nodes: Iterable[Mapping[str, Any]], checks: Iterable[Mapping[str, Any]]) -> dict[Key, Record]:
    """Return the records of a target among all nodes of a catalog, with their health."""
    nodes, checks = tuple(nodes), tuple(checks)
    on: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for check in checks:
        on[check["Node"]].append(check)
    at = checks_by_address(nodes, checks)
    records = [record for node in nodes if (record := record_of(target, node)) is not None]
    return {
        one.wanted.key: with_health(one, on.get(node_name(target, one.wanted.key), ()), at.get(address_of(one), ()))
        for one in records
    }


def is_foreign(node: Mapping[str, Any]) -> bool:
    """Return whether a node is no record, whoever wrote it: an agent's, as a rule."""
    return TARGET not in (node.get("Meta") or {})


def address_of(record: Record) -> str:
    """Return the address of a record's node."""
    return canonical(record.wanted.spec.get("address"))


def canonical(address: object) -> str:
    """Return an IP address in its one spelling, "" for what is none."""
    with suppress(ValueError):
        return str(ipaddress.ip_address(address)) if isinstance(address, str) else ""
    return ""
