"""A source in memory: for demos, dry runs and tests. It keeps the promises of the Git one; commits are made by calling it."""

import hashlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from reconciler.core.resources import Relation, Revision
from reconciler.core.trees import is_manifest
from reconciler.errors import InvalidInput, ReconcilerError, Unavailable
from reconciler.ports import TreeFile


@dataclass(frozen=True, slots=True)
class _Commit:
    revision: Revision
    files: Mapping[str, bytes]
    parent: str


class MemorySource:
    """A repository with one branch, seen at one folder (relative, empty for all of it)."""

    def __init__(self, folder: str = "") -> None:
        self._folder = folder
        self._lock = threading.RLock()
        self._commits: dict[str, _Commit] = {}
        self._blobs: dict[str, bytes] = {}
        self._tip = ""
        self._failing: ReconcilerError | None = None

    def commit(
        self,
        files: Mapping[str, bytes],
        *,
        subject: str = "",
        author: str = "",
        time: datetime | None = None,
        root: bool = False,
    ) -> str:
        """Put a commit of exactly these files (path relative to the repository -> bytes) on the branch and return its id.

        `root` makes it the first of another history, as a force push may.
        """
        with self._lock:
            parent = "" if root else self._tip
            blobs = {path: blob_id(data) for path, data in files.items()}
            facts = "\n".join((parent, subject, author, str(time), *(f"{blob} {path}" for path, blob in sorted(blobs.items()))))
            commit = hashlib.sha1(facts.encode(), usedforsecurity=False).hexdigest()
            revision = Revision(commit, author=author, time=time, subject=subject)
            self._commits[commit] = _Commit(revision, MappingProxyType(dict(files)), parent)
            self._blobs |= {blobs[path]: data for path, data in files.items()}
            self._tip = commit
            return commit

    def reset(self, commit: str) -> None:
        """Put the branch on a commit that was there before; an empty id takes the branch away."""
        with self._lock:
            self._tip = self._commits[commit].revision.id if commit else ""

    def forget(self, commit: str) -> None:
        """Lose a commit, as a rebuilt mirror loses what no branch reaches."""
        with self._lock:
            del self._commits[commit]

    def fail(self, error: ReconcilerError | None) -> None:
        """Answer every poll with this error until told otherwise."""
        with self._lock:
            self._failing = error

    def poll(self) -> Revision:
        """Return the commit on the branch. Raises Unavailable where there is none."""
        with self._lock:
            if self._failing is not None:
                raise self._failing
            if not self._tip:
                raise Unavailable("the repository has no such branch")
            return self._commits[self._tip].revision

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:
        """Return the manifest files of a commit. Raises InvalidInput where it has none, Unavailable for one that is lost."""
        with self._lock:
            if revision.id not in self._commits:
                raise Unavailable(f"commit {revision.short} is not known any more")
            prefix = f"{self._folder}/" if self._folder else ""
            files = sorted(self._commits[revision.id].files.items())
            found = tuple(
                TreeFile(path, blob_id(data), len(data))
                for path, data in files
                if path.startswith(prefix) and is_manifest(path.removeprefix(prefix))
            )
            if not found:
                raise InvalidInput(f"{self._folder or 'the repository'} holds no manifest: nothing is deleted because of that")
            return found

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """Yield the bytes of files. Raises Unavailable for one that is not known."""
        for file in files:
            if file.id not in self._blobs:
                raise Unavailable(f"{file.path} cannot be read")
            yield file, self._blobs[file.id]

    def relation(self, earlier: str, later: str) -> Relation:
        """Walk from the later commit back to the earlier one."""
        with self._lock:
            if earlier == later:
                return Relation.SAME
            if earlier not in self._commits:
                return Relation.UNKNOWN
            if later not in self._commits:
                raise Unavailable(f"commit {later[:10]} is not known any more")
            seen = self._commits[later].parent
            while seen in self._commits:
                if seen == earlier:
                    return Relation.DESCENDANT
                seen = self._commits[seen].parent
            return Relation.DIVERGED

    def close(self) -> None:
        """Nothing is held."""


def blob_id(data: bytes) -> str:
    """Return the id that Git gives to these bytes, so that a parse cache serves both."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
