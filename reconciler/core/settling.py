"""What the API server makes of an update, by dry-run: differences that it would make vanish are none.

The server defaults, prunes and converts, and webhooks change what is written. Where the local comparison leaves an update, the
cycle asks by a dry-run of `dry_run_of(...)`, once: the judgement on the answer is a small JSON document that the store
remembers under `question(...)`, so a pass in which nothing changed asks nothing.
"""

import hashlib
import json
from dataclasses import replace

from reconciler.core.changes import Action, FieldDiff, ObjectDiff, State
from reconciler.core.comparison import our_paths
from reconciler.core.documents import same
from reconciler.core.ownership import value_at
from reconciler.core.resources import Document, LiveObject, StoreName
from reconciler.core.standing import Code, problem
from reconciler.errors import Conflict, Rejected, Severity

#: Forbidden: an observer's token may not even ask. Then the local comparison is the last word.
_FORBIDDEN = 403
_NO_DRY_RUN = "does not support dry run"


def dry_run_of(one: ObjectDiff) -> Document | None:
    """Return the document to ask the server about, None where it cannot help.

    It cannot for objects that are not there yet (their Namespace may be part of the plan) and before a hand-over (the server
    would refuse what it accepts afterwards).
    """
    if one.key.store is StoreName.CLUSTER and [change.action for change in one.changes] == [Action.UPDATE]:
        return one.changes[0].after
    return None


def question(asked: Document, live: LiveObject, crd_generation: int | str) -> str:
    """Return the name under which a judgement is remembered: what is asked, on which object, under which schema.

    Of the live object its status, versions and times do not count; who owns what does.
    """
    content = {name: part for name, part in live.document.items() if name != "status"}
    owners = sorted([owner.manager, owner.operation, owner.fields] for owner in live.owners if not owner.subresource)
    text = json.dumps([asked, content, owners, str(crd_generation)], sort_keys=True, separators=(",", ":"))
    return f"dry-run/{hashlib.sha256(text.encode()).hexdigest()}"


def judgement(one: ObjectDiff, live: LiveObject, answer: LiveObject | Conflict) -> Document:
    """Return what a dry-run's answer means for the update of an object, as a document to remember."""
    if isinstance(answer, Conflict):
        return {"managers": list(answer.managers)}
    gone = [field.path for field in one.fields if _unmoved(field, live, answer)]
    return {"vanished": gone, "owned": our_paths(answer) == our_paths(live)}


def _unmoved(field: FieldDiff, live: LiveObject, answer: LiveObject) -> bool:
    return same(value_at(live.document, field.steps), value_at(answer.document, field.steps))


def settle(one: ObjectDiff, judged: Document) -> ObjectDiff | None:
    """Return the object's difference as the server leaves it, None where it is in sync after all."""
    if "managers" in judged:
        managers = ", ".join(judged["managers"]) or "another manager"
        found = problem(Code.CO_OWNED, f"is co-owned by {managers}, whose fields Git wants to change", one.key, one.place)
        return replace(one, state=State.CO_OWNED, changes=(), problems=(*one.problems, found))
    fields = tuple(field for field in one.fields if field.path not in judged["vanished"])
    if not fields and judged["owned"]:
        # Fields left to another manager do not move either; they are the reason for the problems, and stay.
        return replace(one, state=State.CO_OWNED, changes=()) if one.problems else None
    if not fields or one.problems:
        return one
    return replace(one, fields=fields, changes=tuple(replace(change, fields=fields) for change in one.changes))


def refused(one: ObjectDiff, answer: Rejected) -> ObjectDiff:
    """Return the difference of an object whose dry-run was refused (never remembered: the reason may be cured elsewhere).

    The update stays due, and carries an error: whoever plans must not begin a unit with a write that the server refuses.
    """
    if answer.status == _FORBIDDEN or _NO_DRY_RUN in str(answer):
        return one
    owners = sorted({manager for field in one.fields for manager in field.managers})
    hint = f" (co-owned by {', '.join(owners)})" if owners else ""
    found = problem(
        Code.REFUSED_BY_SERVER, f"is refused by the server{hint}: {answer}", one.key, one.place, severity=Severity.ERROR
    )
    return replace(one, problems=(*one.problems, found))
