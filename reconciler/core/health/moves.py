"""The writes of WorkloadEntries by which drained VMs go and come back, told apart from those that Git wants."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from reconciler.core.changes import Action, Cause, Change, ObjectDiff
from reconciler.core.health.drains import Draining
from reconciler.core.resources import Document, Key, LiveObject, ObservedState
from reconciler.core.wanted import DRAINED_ANNOTATION

#: The fields that a drain changes.
_OWN = (("spec", "weight"), ("spec", "labels"), ("metadata", "labels"))
_NOTE = ("metadata", "annotations", DRAINED_ANNOTATION)


def with_cause(
    differences: Sequence[ObjectDiff], drains: Mapping[Key, Draining], observed: ObservedState
) -> tuple[ObjectDiff, ...]:
    """Return the differences with the cause of those changes that a drain, or its end, makes and nothing else does."""
    return tuple(_with_cause(one) if one.key in drains or _is_noted(one.key, observed) else one for one in differences)


def _with_cause(one: ObjectDiff) -> ObjectDiff:
    own = all(field.steps[:2] in _OWN or field.steps == _NOTE for change in one.changes for field in change.fields)
    if not own:
        return one
    return replace(
        one,
        changes=tuple(
            replace(change, cause=Cause.DRAIN) if change.action is Action.UPDATE and change.cause is Cause.GIT else change
            for change in one.changes
        ),
    )


def _is_noted(key: Key, observed: ObservedState) -> bool:
    live = observed.objects.get(key)
    return live is not None and DRAINED_ANNOTATION in live.annotations


def apart(
    differences: Sequence[ObjectDiff], drains: Mapping[Key, Draining], observed: ObservedState
) -> tuple[tuple[ObjectDiff, ...], dict[Key, Change]]:
    """Return the differences without those by which VMs leave for want of labels or come back, and the writes of these.

    They are a part of what becomes of the health of VMs: the same law holds them, and no plan of Git's waits for them.
    """
    moved = {one.key: one.changes[0] for one in differences if _moves(one, drains, observed)}
    return tuple(one for one in differences if one.key not in moved), moved


def _moves(one: ObjectDiff, drains: Mapping[Key, Draining], observed: ObservedState) -> bool:
    if one.key.kind != "WorkloadEntry" or [change.action for change in one.changes] != [Action.UPDATE]:
        return False
    draining = drains.get(one.key)
    return draining.unlabelled if draining else _is_noted(one.key, observed)


def leaving(drains: Mapping[Key, Draining], git: Mapping[Key, Document], observed: ObservedState) -> dict[Key, Change]:
    """Return the writes by which VMs are to leave for want of labels, for whoever has not compared anything."""
    due = [one for one in drains.values() if one.unlabelled and not one.is_out and one.key in git]
    return {one.key: _change(observed.objects[one.key], one.laid_on(git[one.key])) for one in due}


def _change(live: LiveObject, after: Document) -> Change:
    return Change(live.key, Action.UPDATE, live.document, after, uid=live.uid, resource_version=live.resource_version)
