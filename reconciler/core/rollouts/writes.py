"""What rollouts keep of the writes that they caused: which object, with which weights, why, and what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.records import Evidence, EvidenceKind
from reconciler.core.rollouts.rollout import Phase, Rollout


@dataclass(frozen=True, slots=True)
class Sent:
    """One write that is over, as the journal tells: `outcome` is ``done`` or ``failed``, `after` None for a deletion."""

    at: datetime
    key: Key
    action: str
    after: Document | None
    outcome: str
    message: str


def write_evidence(rollout: Rollout, sent: Sent) -> Evidence:
    """Return what is kept of a write. `rollout` is as it was stored when the write was decided on."""
    return written(sent, cause_of(rollout), rollout.step)


def written(sent: Sent, cause: str, step: int = 0) -> Evidence:
    """Return a write as evidence, whatever has caused it."""
    data: dict[str, Any] = {"action": sent.action, "outcome": sent.outcome, "weights": dict(weights_of(sent.after))}
    says = f"{cause}: {sent.message}" if sent.message else cause
    return Evidence(sent.at, EvidenceKind.WRITE, step, str(sent.key), says, data)


def cause_of(rollout: Rollout) -> str:
    """Say why a rollout writes, by where it is."""
    if rollout.phase is Phase.IDLE or not rollout.on.steps:
        return f"keeps up what stands ({rollout.outcome or 'not begun'})"
    place = f"step {rollout.step + 1} of {len(rollout.on.steps)}"
    way = f"{place} of the way back" if rollout.back else place
    if rollout.phase in (Phase.APPLYING, Phase.UNDOING):
        return f"{way}, {rollout.current.stages[rollout.stage]}"
    return f"keeps up {way}"


def weights_of(document: Document | None) -> Iterator[tuple[str, int]]:
    """Yield the weights that a document gives, by endpoint, or by destination of a route; none where it gives none."""
    spec: Mapping[str, Any] = (document or {}).get("spec") or {}
    if document and document["kind"] == "WorkloadEntry":
        yield str(spec.get("address") or document["metadata"]["name"]), spec.get("weight") or 1
    for end in spec.get("endpoints") or ():
        yield str(end.get("address", "")), end.get("weight") or 1
    for protocol in ("http", "tls", "tcp"):
        for number, route in enumerate(spec.get(protocol) or ()):
            for one in route.get("route") or ():
                to = one["destination"]
                yield f"{protocol}[{number}] {to['host']} {to.get('subset', '')}".strip(), one.get("weight", 0)
