"""Records of the VM registry: what may stand in one, and the document that it makes.

Every door of every registry checks with this module, so that no record can hold what a report, a page or a database chokes on.
"""

import ipaddress
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from reconciler.core.drain import Drain
from reconciler.core.kinds import OURS, VIRTUAL_MACHINE
from reconciler.core.resources import Document, Key, LiveObject
from reconciler.errors import Conflict, Rejected

API_VERSION = f"{OURS}/v1alpha1"

#: Bytes of one spec as JSON, levels inside it, labels on one record. A WorkloadEntry has some hundred bytes and three levels.
MAX_BYTES, MAX_DEPTH, MAX_LABELS = 65_536, 16, 64
#: Characters of a reason.
MAX_REASON = 256
#: Characters of a drain as JSON: each character of whoever drains may be written as six.
MAX_DRAIN = 2048

# Names as Kubernetes has them: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAMESPACE = re.compile(_LABEL)
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_WORD = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL_VALUE = re.compile(f"({_WORD})?")
_LABEL_KEY = re.compile(rf"({_LABEL}(\.{_LABEL})*/)?{_WORD}")
# Control characters (NUL above all, which PostgreSQL cannot keep) and halves of surrogate pairs, which UTF-8 cannot.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Health(StrEnum):
    """What a VM's own probe says. UNKNOWN: it has not said anything yet."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MachineStatus:
    """What is known of a VM. `last_seen` is the registry's time of its last report, None before the first.

    `reason` says why it is not healthy, for people; `draining` that a person is taking it out of service, `drain` who and when,
    None where only the former is known. `held`: silent past its lease, and a brake keeps the health that it reported last.
    """

    address: str = ""
    health: Health = Health.UNKNOWN
    last_seen: datetime | None = None
    reason: str = ""
    draining: bool = False
    drain: Drain | None = None
    held: bool = False

    def same_content(self, other: "MachineStatus") -> bool:
        """Return whether only the time differs."""
        return self.content == other.content

    @property
    def content(self) -> tuple[str, Health, str, bool, Drain | None, bool]:
        """All but the time."""
        return self.address, self.health, self.reason, self.draining, self.drain, self.held

    @property
    def document(self) -> Document:
        document: Document = {"health": self.health.value}
        if self.address:
            document["address"] = self.address
        if self.reason:
            document["reason"] = self.reason
        if self.draining:
            document["draining"] = True
        if self.drain:
            document["drain"] = self.drain.document
        if self.held:
            document["held"] = True
        if self.last_seen is not None:
            document["lastSeen"] = self.last_seen.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return document


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """The side of a record that Git says: its labels and its spec."""

    key: Key
    labels: Mapping[str, str]
    spec: Document


def check_preconditions(
    key: Key, found: tuple[str, int] | None, uid: str, resource_version: str, *, deleting: bool = False
) -> None:
    """Hold what a writer decided on against the uid and epoch that are there now (None: no record).

    No precondition means "create it". Raises Conflict; Rejected for a deletion that does not say which record it means.
    """
    if deleting and not uid:
        raise Rejected(f"{key}: a deletion must name the uid of the record", status=422)
    if found is None:
        if uid or resource_version:
            raise Conflict(f"{key} is gone")
        return
    if not (uid or resource_version):
        raise Conflict(f"{key} exists already")
    if uid and uid != found[0]:
        raise Conflict(f"{key} is another record by now")
    if resource_version and resource_version != str(found[1]):
        raise Conflict(f"{key} has changed: it is at epoch {found[1]}, not {resource_version}")


def latest(*moments: datetime | None) -> datetime | None:
    """Return the latest of moments, of which some may not be known. Two reports may pass each other on their way."""
    return max(filter(None, moments), default=None)


def fit_text(text: str, longest: int = MAX_REASON) -> str:
    """Return a text that somebody else wrote as one that may be kept: no control characters, not too long."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)[:longest]


def record_document(wanted: MachineSpec, status: MachineStatus) -> Document:
    """Return a record as a document."""
    return {**asked_document(wanted), "status": status.document}


def asked_document(wanted: MachineSpec) -> Document:
    """Return the document by which a record is asked for."""
    metadata: Document = {"name": wanted.key.name, "namespace": wanted.key.namespace}
    if wanted.labels:
        metadata["labels"] = dict(wanted.labels)
    return {
        "apiVersion": API_VERSION,
        "kind": VIRTUAL_MACHINE,
        "metadata": metadata,
        "spec": wanted.spec,
    }


def record_object(wanted: MachineSpec, status: MachineStatus, *, uid: str, epoch: int, created: datetime) -> LiveObject:
    """Return a record as the ports speak of it; its epoch, which grows with each change of the spec, is its version."""
    document = record_document(wanted, status)
    return LiveObject(wanted.key, document, uid=uid, resource_version=str(epoch), generation=epoch, created=created)


def checked_record(document: Document) -> MachineSpec:
    """Return what a document asks a registry to keep. Raises Rejected, naming the field but never its value."""
    _only(document, {"apiVersion", "kind", "metadata", "spec"}, "")
    if document.get("apiVersion") != API_VERSION or document.get("kind") != VIRTUAL_MACHINE:
        raise _rejected("kind", f"must be {VIRTUAL_MACHINE} of {API_VERSION}")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        raise _rejected("metadata", "must be an object")
    _only(metadata, {"name", "namespace", "labels"}, "metadata.")
    key = checked_key(metadata.get("namespace"), metadata.get("name"))
    return MachineSpec(key, _labels(metadata.get("labels")), _spec(document.get("spec")))


def checked_key(namespace: Any, name: Any) -> Key:
    """Return the key of the record of a VM. Raises Rejected as above."""
    _matching(name, _NAME, 253, "metadata.name")
    return Key(VIRTUAL_MACHINE, _matching(namespace, _NAMESPACE, 63, "metadata.namespace"), name)


def checked_status(status: Document, now: datetime) -> MachineStatus:
    """Return what a VM's report says, seen now; a time that it carries is not used. Raises Rejected as above."""
    _only(status, {"address", "health", "lastSeen", "reason", "draining", "drain", "held"}, "status.")
    health = status.get("health", Health.UNKNOWN)
    if health not in tuple(Health):
        raise _rejected("status.health", f"must be one of {', '.join(Health)}")
    reason, draining = status.get("reason", ""), status.get("draining", False)
    if not isinstance(reason, str) or len(reason) > MAX_REASON or _UNFIT.search(reason):
        raise _rejected("status.reason", f"must be a text of at most {MAX_REASON} characters")
    held = status.get("held", False)
    for name, flag in (("draining", draining), ("held", held)):
        if not isinstance(flag, bool):
            raise _rejected(f"status.{name}", "must be true or false")
    return MachineStatus(
        _address(status.get("address", "")), Health(health), now, reason, draining, _drain(status.get("drain")), held
    )


def _drain(said: Any) -> Drain | None:
    if said is None:
        return None
    try:
        found = Drain.read(said)
    except ValueError as error:
        raise _rejected("status.drain", "must have by, since and until, times with a zone") from error
    if len(found.by) > MAX_REASON or _UNFIT.search(found.by):
        raise _rejected("status.drain.by", f"must be a text of at most {MAX_REASON} characters")
    return found


def _address(address: Any) -> str:
    if address == "":
        return ""
    # Only text: a number would be read as an address too. A zone (fe80::1%eth0) means something on one machine only.
    if isinstance(address, str) and "%" not in address:
        with suppress(ValueError):
            return str(ipaddress.ip_address(address))
    raise _rejected("status.address", "must be an IP address")


def _labels(labels: Any) -> Mapping[str, str]:
    if labels is None:
        return {}
    if not isinstance(labels, dict) or len(labels) > MAX_LABELS:
        raise _rejected("metadata.labels", f"must be an object of at most {MAX_LABELS} labels")
    for key, value in labels.items():
        _matching(key, _LABEL_KEY, 317, "metadata.labels")
        _matching(value, _LABEL_VALUE, 63, "metadata.labels")
    return labels


def _spec(spec: Any) -> Document:
    if not isinstance(spec, dict):
        raise _rejected("spec", "must be an object")
    _check_value(spec, MAX_DEPTH)
    if len(json.dumps(spec)) > MAX_BYTES:
        raise _rejected("spec", f"must be at most {MAX_BYTES} bytes long")
    return spec


def _check_value(value: Any, depth: int) -> None:
    """Let through what JSON, UTF-8 and both databases keep as it is."""
    if depth == 0:
        raise _rejected("spec", f"must be at most {MAX_DEPTH} levels deep")
    match value:
        case dict():
            for key, one in value.items():
                _check_text(key)
                _check_value(one, depth - 1)
        case list():
            for one in value:
                _check_value(one, depth - 1)
        case str():
            _check_text(value)
        # Not-a-number compares false with everything.
        case int() | float() if not abs(value) < 2**63:
            raise _rejected("spec", "holds a number out of range")
        case None | bool() | int() | float():
            return
        case _:
            raise _rejected("spec", "holds a value that JSON does not know")


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise _rejected("spec", "holds a key that is not a text")
    if _UNFIT.search(text):
        raise _rejected("spec", "holds a text with control characters")


def _only(document: Any, known: set[str], prefix: str) -> None:
    if not isinstance(document, dict) or not document.keys() <= known:
        raise _rejected(prefix.rstrip(".") or "the document", f"may have {', '.join(sorted(known))} and nothing else")


def _matching(value: Any, pattern: re.Pattern[str], longest: int, field: str) -> str:
    if not isinstance(value, str) or len(value) > longest or not pattern.fullmatch(value):
        raise _rejected(field, "is not a valid name")
    return value


def _rejected(field: str, message: str) -> Rejected:
    return Rejected(f"VM record: {field} {message}", status=422)
