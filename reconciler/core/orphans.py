"""Objects that Git does not want: which of them are deleted.

Only what is in the inventory or carries our mark is looked at, and only what carries our mark *and* our ownership is deleted.
An object that somebody stripped of either is reported and left. What istiod registers, it deletes itself. While the registry's
server doubts its records, nothing that a join has made is deleted.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from reconciler.core.changes import Action, Cause, Change, ObjectDiff, State
from reconciler.core.comparison import our_entry, our_paths
from reconciler.core.documents import limited
from reconciler.core.groups.marks import group_of, origin_of
from reconciler.core.resources import Document, Key, LiveObject, ObservedState, StoreName
from reconciler.core.standing import Code, problem, terminating
from reconciler.core.tools import controller_of, is_registered_by_istiod
from reconciler.core.wanted import marked_for


def orphans(
    wanted: Mapping[Key, Document], observed: ObservedState, target: str, inventory: Collection[Key]
) -> Iterator[ObjectDiff]:
    """Yield where each object stands that Git does not want and that is or may be ours, by key."""
    candidates = [
        live
        for store in (observed.objects, observed.machines)
        for key, live in store.items()
        if key not in wanted and (marked_for(live.labels) == target or key in inventory)
    ]
    for live in sorted(candidates, key=lambda one: one.key):
        doubted = observed.recovering and origin_of(live.document)
        if is_readable(live.key, observed) and not is_registered_by_istiod(live) and not doubted:
            yield _by_join(judge_orphan(live, target), live, wanted)


def is_readable(key: Key, observed: ObservedState) -> bool:
    """Tell whether what was read says anything about this object: only then does its absence mean something."""
    return key.store is StoreName.REGISTRY or (key.namespace not in observed.unread and key.kind not in observed.unserved)


def judge_orphan(live: LiveObject, target: str) -> ObjectDiff:
    """Return where an object stands that Git does not want and that is in the inventory or carries our mark."""
    if live.deleting:
        return terminating(live, None)
    reason = _reason_to_stay(live, target)
    if reason:
        message = f"is not in Git any more and stays: {reason}. Delete it by hand, or release it, if it is not needed"
        return ObjectDiff(live.key, State.LEFT, problems=(problem(Code.LEFT, message, live.key, None),))
    change = Change(
        live.key,
        Action.DELETE,
        before=limited(live.document, our_paths(live)),
        after=None,
        uid=live.uid,
        resource_version=live.resource_version,
    )
    return ObjectDiff(live.key, State.DELETE, changes=(change,))


def _by_join(one: ObjectDiff, live: LiveObject, wanted: Mapping[Key, Document]) -> ObjectDiff:
    """Say of what a join has made that it is its VM that has gone, unless Git has dropped the whole group."""
    origin = origin_of(live.document)
    if not origin:
        return one
    group = Key("WorkloadGroup", live.key.namespace, group_of(live.document))
    cause = Cause.JOIN if group in wanted else Cause.GIT
    return replace(one, origin=origin, changes=tuple(replace(change, cause=cause) for change in one.changes))


def _reason_to_stay(live: LiveObject, target: str) -> str:
    if live.key.store is StoreName.REGISTRY:
        return ""  # whoever may write to the registry at all is us
    mark = marked_for(live.labels)
    if mark != target:
        return f"it carries the mark of the target {mark}" if mark else "somebody took our mark away from it"
    if our_entry(live) is None:
        return "it carries our mark, but no field of it is ours (it was copied, restored, or taken over)"
    controller = controller_of(live)
    return f"it belongs to {controller}, which manages its life" if controller else ""
