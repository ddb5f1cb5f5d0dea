"""What a rollout holds back: the fields in which its objects are not yet what Git says, and are not meant to be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.core.changes import ObjectDiff, State
from reconciler.core.columns import rows
from reconciler.core.comparison import Subject
from reconciler.core.documents import same
from reconciler.core.ownership import Path, declared, show, value_at
from reconciler.core.resources import EMPTY, Document, Key, LiveObject
from reconciler.core.rollouts.effective import effective
from reconciler.core.rollouts.mesh import Mesh
from reconciler.core.rollouts.rollout import Rollout
from reconciler.core.rollouts.values import Documents


@dataclass(frozen=True, slots=True)
class Awaited:
    """An object that a commit wants to be otherwise, and that is none of the rollout that has to make way for it.

    `before` stands until then, `after` is what the commit says.
    """

    rollout: str
    commit: str
    before: Document | None
    after: Document | None

    def __str__(self) -> str:
        return f"waits until rollout {self.rollout} has made way for commit {self.commit[:10]}"


def held_back(
    rollout: Rollout, mesh: Mesh, newer: Documents = EMPTY, awaited: Mapping[Key, Awaited] = EMPTY
) -> tuple[ObjectDiff, ...]:
    """Return the objects that are to become something else, without a change: none of it is due now.

    `newer` is what a newer commit says of the rollout's objects, `awaited` are those that it wants beside them. CREATE is one
    that is not let in yet, DELETE one that is not let go yet; the fields of an UPDATE have Git's value, the one that is wanted
    now, and the live one.
    """
    said = {**rollout.way.after, **newer, **{key: one.after for key, one in awaited.items()}}
    stands = {key: one.before for key, one in awaited.items()}
    return tuple(_held(said, {**stands, **effective(rollout, mesh)}, mesh))


def _held(said: Documents, wanted: Documents, mesh: Mesh) -> Iterator[ObjectDiff]:
    for key, git in said.items():
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
