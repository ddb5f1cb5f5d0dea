"""Git's side: files of a commit, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from reconciler.core.resources import (
    Document,
    Relation,
    Revision,
)
from reconciler.errors import InvalidInput, Problem

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A manifest file of a commit: path relative to the repository, content id, size in bytes.

    For a rendered kustomize folder `path` is its kustomization file and `id` names tree and kustomize version.
    """

    path: str
    id: str
    size: int
    rendered: bool = False


class BadTree(InvalidInput):
    """Some files must not be there. `others` may be read all the same, by whoever wants to say all that is wrong at once."""

    def __init__(self, problems: Iterable[Problem], others: Iterable[TreeFile] = ()) -> None:
        self.others = tuple(others)
        super().__init__(problems)


class Source(Protocol):
    """A Git repository at one ref and one folder."""

    def poll(self) -> Revision:
        """Return the commit that the ref names now; one ls-remote, and a fetch only when it is new.

        Raises InvalidInput for a ref, URL, signature or commit that policy refuses, Unavailable where Git cannot be reached
        or holds no such ref (never "desired is nothing").
        """

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:
        """Return the manifest files of the folder at a commit, in path order.

        Raises BadTree with every file that must not be there (symlink, submodule, LFS pointer, over a cap, odd name).
        """

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """Yield the bytes of files, in the order given. Raises Unavailable when the store is damaged (it is rebuilt then)."""

    def relation(self, earlier: str, later: str) -> Relation:
        """Return how commit `later` relates to commit `earlier` (UNKNOWN where the earlier one no longer exists)."""

    def close(self) -> None: ...


class ParseCache(Protocol):
    """What parsing made of blobs, kept across restarts. A cache: it may forget anything, and never fails."""

    def get(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return what is kept of these blobs."""

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep what parsing made of blobs, by blob id."""

    def close(self) -> None: ...


class Schemas(Protocol):
    """Structural schemas and CEL rules of the user's own CRDs."""

    @property
    def origin(self) -> str:
        """Where the CRDs came from, for the report; empty where there are none."""

    @property
    def id(self) -> str:
        """What tells these CRDs from others: two of the same id say the same of any document, today or another day."""

    def judge(self, documents: Sequence[Document]) -> Iterable[tuple[Problem, ...]]:
        """Return for each document what the CRD of its kind says against it (`field` set, `place` not).

        Raises Unavailable where the judgement cannot be made now.
        """
