"""The codes of what a report says about where an object stands; a code never changes its meaning."""

from enum import StrEnum

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.resources import Key, LiveObject, ObservedState
from reconciler.errors import Place, Problem, Severity


class Code(StrEnum):
    """Problems that a comparison finds. Those of Git's content have other codes."""

    NOT_ADOPTED = "MR4001"
    FOREIGN_TOOL = "MR4002"
    OTHER_TARGET = "MR4003"
    REGISTERED_BY_ISTIOD = "MR4004"
    TAKEN_OVER = "MR4005"
    CO_OWNED = "MR4006"
    FIGHT = "MR4007"
    LEFT = "MR4008"
    TERMINATING = "MR4009"
    UNREADABLE = "MR4010"
    REFUSED_BY_SERVER = "MR4011"
    UNSERVED = "MR4012"


def spelled(key: Key) -> str:
    """Return a key as options take it."""
    return "/".join(part for part in (key.kind, key.namespace, key.name) if part)


def problem(
    code: Code, message: str, key: Key, place: Place | None, *, severity: Severity = Severity.WARNING, field: str = ""
) -> Problem:
    """Return a problem of one object, with its place in Git where it has one."""
    return Problem(code, message, severity, place, field, str(key))


def terminating(live: LiveObject, place: Place | None) -> ObjectDiff:
    """Return that an object is on its way out, and what holds it."""
    finalizers = ", ".join(live.document["metadata"].get("finalizers") or ())
    held = f", held by the finalizers {finalizers}" if finalizers else ""
    found = problem(Code.TERMINATING, f"is being deleted{held}; it is left alone until it is gone", live.key, place)
    return ObjectDiff(live.key, State.TERMINATING, problems=(found,), place=place)


def unreadable(key: Key, place: Place | None, observed: ObservedState) -> ObjectDiff:
    """Return that nothing is known of an object, and why."""
    if key.kind in observed.unserved:
        message = f"cannot be written: the cluster does not know the kind {key.kind}; install Istio's CRDs"
        found = problem(Code.UNSERVED, message, key, place)
    else:
        scope = f"the namespace {key.namespace}" if key.namespace else f"the kind {key.kind}"
        message = f"cannot be compared: {scope} may not be read with the credentials given"
        found = problem(Code.UNREADABLE, message, key, place)
    return ObjectDiff(key, State.UNREADABLE, problems=(found,), place=place)
