"""What an object looks like after a write: server-side apply as far as the planner needs it."""

from functools import reduce

from reconciler.core.changes import Action, Change
from reconciler.core.documents import laid_over, without
from reconciler.core.health.conditions import conditions_of, laid_among
from reconciler.core.ownership import Path, declared
from reconciler.core.resources import Document


def outcome(live: Document | None, change: Change) -> Document | None:
    """Return the object after the change, None where it is gone.

    What we declared and no longer declare goes, what we declare is laid over the rest, all else stays: other managers' fields
    and the status.
    """
    if change.action is Action.DELETE:
        return None
    if change.action is Action.HAND_OVER:
        return live
    if change.action is Action.CONDITION:
        return _with_conditions(live, change.after)
    if live is None or change.after is None:
        return change.after
    if change.before is not None and _is_all_of(change.before, live):
        status = live.get("status")
        return {**change.after, "status": status} if status else change.after
    gone = declared(change.before) - declared(change.after) if change.before else frozenset()
    return laid_over(without(live, _whole(gone)) if gone else live, change.after)


def _with_conditions(live: Document | None, after: Document | None) -> Document | None:
    if live is None or after is None:
        return live
    conditions = reduce(laid_among, conditions_of(after), conditions_of(live))
    return {**live, "status": {**(live.get("status") or {}), "conditions": list(conditions)}}


def _is_all_of(before: Document, live: Document) -> bool:
    """Tell whether nobody but us says anything of the object, which is the usual case and the quick one."""
    return before.keys() >= live.keys() - {"status"} and all(before[name] == live[name] for name in live if name != "status")


def _whole(gone: frozenset[Path]) -> frozenset[Path]:
    """Let an item of a list-map go as a whole, not field by field: an item without its key would be none."""
    items = {path for path in gone if isinstance(path[-1], tuple)}
    return frozenset(path for path in gone if not any(path[:length] in items for length in range(1, len(path))))
