"""The problems that a comparison reports about where an object stands, each with its stable code and what it means.

A code is never given to something else, and never changes. Codes of this package begin with MR4; the second digit says what
they are about: 0 whose an object or a field is, 1 what keeps an object from being compared or written.
"""

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.resources import Key, LiveObject, ObservedState
from reconciler.errors import Place, Problem, ProblemCode, Severity


class Code(ProblemCode):
    """What is found, by code."""

    NOT_ADOPTED = "MR4001", "an object is there already, made by somebody else, and was not adopted"
    FOREIGN_TOOL = "MR4002", "an object carries the marks of another tool"
    OTHER_TARGET = "MR4003", "an object belongs to another target"
    REGISTERED_BY_ISTIOD = "MR4004", "a WorkloadEntry was registered by istiod, which also deletes it"
    TAKEN_OVER = "MR4005", "an adoption takes fields over from other managers"
    CO_OWNED = "MR4006", "another manager owns a field that Git declares or drops"
    FIGHT = "MR4007", "another writer keeps changing a field back"
    LEFT = "MR4008", "an object is no longer in Git and stays, since it is not surely ours"

    TERMINATING = "MR4101", "an object is being deleted"
    UNREADABLE = "MR4102", "a namespace or kind may not be read"
    UNSERVED = "MR4103", "the cluster does not know a kind"
    REFUSED_BY_SERVER = "MR4104", "the API server refuses a write when asked by dry-run"


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
