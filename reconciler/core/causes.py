"""Why a change is due, from what was last written: Git asks for something new, or somebody changed the live object.

Only of objects that differ: the store is asked for what it wrote of these, not for everything in every pass.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.core.changes import Action, Cause, Change, FieldDiff, ObjectDiff, State
from reconciler.core.documents import same
from reconciler.core.groups.marks import with_join_of
from reconciler.core.health.opting import opted_like
from reconciler.core.ownership import value_at
from reconciler.core.resources import Document, Key, StoreName
from reconciler.core.standing import Code, problem, spelled


def explain(
    differences: Iterable[ObjectDiff], written: Mapping[Key, Document], fights: Mapping[Key, tuple[str, ...]]
) -> tuple[ObjectDiff, ...]:
    """Return the differences with the column `written`, with the cause of each change, and with fights left alone.

    `written` are the documents last written of the keys that differ, `fights` the store's fights (``path manager``) that no
    person has decided. Where nothing is known of what we wrote, a field that another manager holds counts as drift, all else
    as Git's.
    """
    return tuple(_explained(one, written.get(one.key), fights.get(one.key, ())) for one in differences)


def flips(one: ObjectDiff) -> tuple[tuple[str, str], ...]:
    """Return (path, managers) of the fields that somebody flipped back since we wrote them, and that this would write again.

    Of explained differences. The store counts one flip each whenever the change is really written, never when it is only
    looked at. The managers are empty where nobody owns the field: it was deleted, or a webhook changes what we write.
    """
    return tuple((field.path, ",".join(field.managers)) for field in _to_write(one) if same(field.wanted, field.written))


def _explained(one: ObjectDiff, written: Document | None, fights: tuple[str, ...]) -> ObjectDiff:
    if written is not None:
        recalled = tuple(replace(change, fields=_with_written(change.fields, written)) for change in one.changes)
        one = replace(one, fields=_with_written(one.fields, written), changes=recalled)
    contested = [field for field in _to_write(one) if same(field.wanted, field.written) and _is_fought_over(field, fights)]
    if contested and one.state is State.UPDATE:
        found = problem(Code.FIGHT, _fight(one.key, contested), one.key, one.place, field=contested[0].path)
        return replace(one, state=State.FIGHT, changes=(), problems=(*one.problems, found))
    cause = _cause(one, written)
    if one.origin and cause is Cause.GIT and _is_by_join(one, written):
        cause = Cause.JOIN
    return replace(one, changes=tuple(_caused(change, cause) for change in one.changes))


def _with_written(fields: tuple[FieldDiff, ...], written: Document) -> tuple[FieldDiff, ...]:
    return tuple(replace(field, written=value_at(written, field.steps)) for field in fields)


def _caused(change: Change, cause: Cause) -> Change:
    stays = change.cause in (Cause.ADOPTION, cause) or change.action is Action.DELETE
    return change if stays else replace(change, cause=cause)


def _to_write(one: ObjectDiff) -> list[FieldDiff]:
    """Return the fields with another value than the live one that the object's changes write."""
    takes = any(change.action is Action.HAND_OVER for change in one.changes)
    in_cluster = one.key.store is StoreName.CLUSTER
    differing = [field for field in one.fields if not same(field.wanted, field.cluster if in_cluster else field.registry)]
    return [field for field in differing if takes or not field.managers] if one.changes else []


def _cause(one: ObjectDiff, written: Document | None) -> Cause:
    if one.state is State.CREATE:
        is_drift = written is not None and all(same(written, change.after) for change in one.changes)
    elif written is None:
        is_drift = any(field.managers for field in one.fields)
    else:
        is_drift = all(same(field.wanted, field.written) for field in _to_write(one))
    return Cause.DRIFT if is_drift else Cause.GIT


def _is_by_join(one: ObjectDiff, written: Document | None) -> bool:
    """Tell whether only a join decides what is to be written, and no other template of its group."""
    after = next((change.after for change in one.changes if change.after), None)
    return after is None or same(with_join_of(written and opted_like(written, after), after), after)


def _is_fought_over(field: FieldDiff, fights: tuple[str, ...]) -> bool:
    return any(fight == field.path or fight.startswith(f"{field.path} ") for fight in fights)


def _fight(key: Key, contested: list[FieldDiff]) -> str:
    paths = ", ".join(field.path for field in contested)
    managers = ", ".join(sorted({manager for field in contested for manager in field.managers}))
    other = f"the manager {managers}" if managers else "another writer (a webhook, or somebody who deletes it)"
    return (
        f"is left alone: {other} keeps changing {paths} back. Stop that writer and write once more with "
        f"`--adopt {spelled(key)}`, or commit the value that it wants; a commit that changes the field is tried again"
    )
