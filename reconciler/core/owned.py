"""Objects that we write and Git wants: what of a difference is written, and what is left to another manager.

A field that another manager owns with another value is lost to it: a write that names the field is answered with 409. A field
that Git no longer holds and that a co-owner keeps cannot be removed either: the write would only end our share in it. Both are
`contested`. Where the policy yields, the write leaves them as they are (what we still share stays shared, so that it goes on
being reported); where a person or the policy takes them, a hand-over of exactly these fields comes first.
"""

from dataclasses import dataclass
from enum import StrEnum

from reconciler.core.adoption import NOTHING, Adoption, hand_over
from reconciler.core.changes import Action, Cause, Change, FieldDiff, ObjectDiff, State
from reconciler.core.columns import rows
from reconciler.core.comparison import Comparison, Subject, compare, managers_of
from reconciler.core.documents import laid_over, limited, without
from reconciler.core.ownership import Path, declared, show
from reconciler.core.resources import Document
from reconciler.core.standing import Code, problem, spelled
from reconciler.errors import Problem


class Conflicts(StrEnum):
    """What happens to a field that another manager holds: leave and report it, or take it over."""

    YIELD = "yield"
    TAKE = "take"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a comparison goes by: the target's name, the policy on conflicts, what this run adopts."""

    target: str
    conflicts: Conflicts = Conflicts.YIELD
    adoption: Adoption = NOTHING


def judge_owned(subject: Subject, rules: Rules) -> ObjectDiff | None:
    """Return where an object of ours stands, None where it is in sync."""
    comparison = compare(subject.wanted, subject.live)
    if comparison.in_sync:
        return None
    contested = tuple(path for path in (*comparison.differing, *comparison.removed) if managers_of(subject.live, path))
    fields = rows(subject, (*comparison.differing, *comparison.unowned, *comparison.removed))
    if not contested:
        return _updated(subject, comparison, fields, subject.wanted)
    if rules.conflicts is Conflicts.TAKE or subject.key in rules.adoption.keys:
        taken = hand_over(subject, _inside(contested, declared(subject.live.document)), Cause.GIT)
        return _updated(subject, comparison, fields, subject.wanted, (taken,))
    problems = tuple(_yielded(subject, path) for path in contested)
    if set(contested) >= {*comparison.differing, *comparison.unowned, *comparison.removed}:
        return ObjectDiff(subject.key, State.CO_OWNED, fields, problems=problems, place=subject.place)
    return _updated(subject, comparison, fields, _without_contested(subject, comparison, contested), problems=problems)


def _updated(
    subject: Subject,
    comparison: Comparison,
    fields: tuple[FieldDiff, ...],
    after: Document,
    first: tuple[Change, ...] = (),
    problems: tuple[Problem, ...] = (),
) -> ObjectDiff:
    # What the write leaves to another manager is not part of it, neither before nor after.
    left = comparison.declared - declared(after) if after is not subject.wanted else frozenset()
    update = Change(
        subject.key,
        Action.UPDATE,
        before=limited(subject.live.document, (comparison.declared | comparison.ours) - left),
        after=after,
        fields=fields,
        uid=subject.live.uid,
        resource_version=subject.live.resource_version,
        place=subject.place,
    )
    return ObjectDiff(subject.key, State.UPDATE, fields, (*first, update), problems, subject.place)


def _without_contested(subject: Subject, comparison: Comparison, contested: tuple[Path, ...]) -> Document:
    shared = _inside(tuple(path for path in contested if path in comparison.removed), comparison.ours)
    return laid_over(limited(subject.live.document, shared), without(subject.wanted, contested))


def _inside(outer: tuple[Path, ...], paths: frozenset[Path]) -> frozenset[Path]:
    return frozenset(path for path in paths if any(path[: len(one)] == one for one in outer))


def _yielded(subject: Subject, path: Path) -> Problem:
    managers = ", ".join(managers_of(subject.live, path))
    message = (
        f"is owned by {managers} and is not written: settle it there, drop the field from Git, or take it over with "
        f"`--adopt {spelled(subject.key)}` (or for all objects with the setting conflicts: take)"
    )
    return problem(Code.CO_OWNED, message, subject.key, subject.place, field=show(path))
