"""What a rollout holds back: the fields in which its objects are not yet what Git says, and are not meant to be."""

from collections.abc import Iterator

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.columns import rows
from reconciler.core.comparison import Subject
from reconciler.core.documents import same
from reconciler.core.ownership import Path, declared, show, value_at
from reconciler.core.resources import Document, Key, LiveObject
from reconciler.core.rollouts.effective import effective
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Rollout


def held_back(rollout: Rollout, mesh: Mesh) -> tuple[ObjectDiff, ...]:
    """Return the objects that are to become something else, without a change: none of it is due now.

    CREATE is one that is not let in yet, DELETE one that is not let go yet; the fields of an UPDATE have Git's value, the one
    that is wanted now, and the live one.
    """
    return tuple(_held(rollout, effective(rollout, mesh), mesh))


def _held(rollout: Rollout, wanted: dict[Key, Document | None], mesh: Mesh) -> Iterator[ObjectDiff]:
    for key, git in rollout.way.after.items():
        now = wanted.get(key)
        if git is None or now is None:
            if git is not now:
                yield ObjectDiff(key, State.CREATE if now is None else State.DELETE)
            continue
        if paths := _paths(git, now):
            live = mesh.observed.get(key) or LiveObject(key, {})
            yield ObjectDiff(key, State.UPDATE, rows(Subject(key, git, now, live), paths))


def _paths(git: Document, now: Document) -> list[Path]:
    """Return where they differ, in the order in which people read them."""
    both = declared(git) | declared(now)
    return sorted((path for path in both if not same(value_at(git, path), value_at(now, path))), key=show)
