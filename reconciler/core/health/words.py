"""What the VM registry knows of one VM."""

from dataclasses import dataclass
from ipaddress import ip_address

from reconciler.core.health.conditions import Reason
from reconciler.core.records import Health
from reconciler.core.resources import EMPTY, Document

#: Characters of what a VM says of itself that go on into a condition.
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Word:
    """Whether a VM is to get requests, and why; `healthy` is None where nobody knows, `message` then says why not."""

    healthy: bool | None
    reason: Reason | None = None
    message: str = ""


SILENCE = Word(None)


def word_of(address: str, record: Document | None) -> Word:
    """Return what a record says for an endpoint at this address. Who is being drained is on the way out, however well."""
    if ((record or EMPTY).get("status") or EMPTY).get("draining"):
        return Word(healthy=False, reason=Reason.DRAINING, message="a person takes it out of service")
    return reported(address, record)


def reported(address: str, record: Document | None) -> Word:
    """Return what the VM itself says: a report counts for the address that it came from, and against any other one."""
    status = (record or EMPTY).get("status") or EMPTY
    health, seen, said = status.get("health"), status.get("address"), (status.get("reason") or "")[:LONGEST]
    if seen and seen != address and not _same_ip(seen, address):
        return Word(healthy=False, reason=Reason.ADDRESS_DIFFERS, message=f"its reports come from {seen}")
    if health in (None, Health.UNKNOWN):
        return Word(healthy=None, message=said) if said else SILENCE
    if status.get("unreachable"):
        return Word(healthy=False, reason=Reason.UNREACHABLE, message=f"silent past its lease, and {said}")
    if health == Health.HEALTHY:
        return Word(healthy=True, reason=Reason.REPORTED_HEALTHY, message=said or "its probe succeeds")
    return Word(healthy=False, reason=Reason.REPORTED_UNHEALTHY, message=said or "its probe fails")


def _same_ip(one: str, other: str) -> bool:
    """Tell whether two texts write one IP address (``::1`` and ``0:0:0:0:0:0:0:1``)."""
    try:
        return ip_address(one) == ip_address(other)
    except ValueError:
        return False
