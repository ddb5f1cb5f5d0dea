"""A plain folder as the source, for `reconciler check DIR`: no Git, no history, the files as they are now.

Files are known by the ids that Git would give them, so that a parse cache serves both. An index of what each file looked like
(size, times, inode) spares reading those that have not changed since. As in Git, an entry is trusted only when the file was at
rest for a while before the index was made: two writes within one tick of the clock look alike.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from reconciler.core import trees
from reconciler.core.resources import Relation, Revision
from reconciler.errors import InvalidInput, Place, Problem, SetupCode, Unavailable
from reconciler.ports import Clock, TreeFile

MAX_FILES = 50_000
MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 50
#: Longer than the tick of any file system's clock (2 s on FAT).
_REST_NS = 2_500_000_000
#: Bytes of one read: more than most manifests have, and little enough to set aside at no cost.
_PIECE = 64 * 1024
#: Bytes of freshly read files that are kept between being hashed and being asked for.
_KEPT_BYTES = 64 * 1024 * 1024


class Memory(Protocol):
    """Keeps small named values between runs, and may forget them at any time."""

    def recall(self, name: str) -> bytes | None: ...

    def remember(self, name: str, value: bytes) -> None: ...


@dataclass(slots=True)
class DirectorySource:
    """The manifest files below a folder; entries whose names begin with a dot are left alone, as Git hosts' own files are.

    The revision's id is a digest of all paths and contents: equal ids mean equal folders.
    """

    root: Path
    clock: Clock
    memory: Memory | None = None
    _seen: dict[str, list[Any]] = field(default_factory=dict, init=False)
    _kept: dict[str, bytes] = field(default_factory=dict, init=False)

    def poll(self) -> Revision:
        """Look at the folder. Raises InvalidInput with every entry that must not be there, Unavailable if it cannot be read."""
        at = int(self.clock.now().timestamp() * 1e9)
        scan = _Scan(self._index())
        try:
            scan.folder(str(self.root), "", 0)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise InvalidInput(f"{error.filename} is not a folder: name one with manifests", code=SetupCode.FOLDER) from error
        except OSError as error:
            raise Unavailable(f"{error.filename or self.root} cannot be read: {error.strerror}") from error
        if not scan.seen and not scan.problems:
            raise InvalidInput(f"{self.root} holds no manifests: name the folder that does", code=SetupCode.FOLDER)
        if scan.problems:
            raise InvalidInput(scan.problems)
        self._seen = dict(sorted(scan.seen.items()))
        self._kept = scan.kept
        if self.memory and scan.hashed:
            self.memory.remember(self._index_name, json.dumps({"at": at, "files": scan.seen}).encode())
        digest = hashlib.sha256("".join([f"{seen[-1]} {path}\n" for path, seen in self._seen.items()]).encode())
        return Revision(digest.hexdigest(), subject=f"files of {self.root}", moving=False)

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:  # noqa: ARG002 - the port asks for it
        """Return what the last look saw; a folder has no other revision."""
        return tuple(TreeFile(path, seen[-1], seen[0]) for path, seen in self._seen.items())

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        """Yield the bytes of files. Raises Unavailable for one that has changed since the last look."""
        for file in files:
            data = self._kept.pop(file.path, None)
            if data is None:
                try:
                    data = _read(str(self.root / file.path))
                except OSError as error:
                    raise Unavailable(f"{file.path} cannot be read: {error.strerror or error}") from error
                if blob_id(data) != file.id:
                    raise Unavailable(f"{file.path} was changed while it was read")
            yield file, data

    def relation(self, earlier: str, later: str) -> Relation:
        return Relation.SAME if earlier == later else Relation.UNKNOWN

    def close(self) -> None:
        self._kept.clear()

    @property
    def _index_name(self) -> str:
        return f"directory {self.root.resolve()}"

    def _index(self) -> dict[str, list[Any]]:
        """Return the entries of the last index that may be trusted."""
        data = self.memory.recall(self._index_name) if self.memory else None
        if data is None:
            return {}
        try:
            index = json.loads(data)
            rested = index["at"] - _REST_NS
            return {path: seen for path, seen in index["files"].items() if seen[1] < rested and seen[2] < rested}
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            return {}


@dataclass(slots=True)
class _Scan:
    """One look at the folder. `seen` holds size, mtime and ctime in ns, inode and blob id of each file, by path."""

    index: dict[str, list[Any]]
    seen: dict[str, list[Any]] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    hashed: int = 0
    kept_bytes: int = 0

    def folder(self, folder: str, prefix: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            self._refuse(prefix, f"is nested deeper than {MAX_DEPTH} folders: move it up")
            return
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    self._entry(entry, prefix + entry.name, depth)

    def _entry(self, entry: os.DirEntry[str], path: str, depth: int) -> None:
        if entry.is_symlink():
            self._refuse(path, "is a symlink: put the file or folder itself there")
        elif entry.is_dir(follow_symlinks=False):
            self.folder(entry.path, f"{path}/", depth + 1)
        elif entry.name in trees.KUSTOMIZATIONS:
            self._refuse(path, "kustomize folders are rendered from Git only: check what kubectl kustomize makes of it")
        elif entry.name.endswith(trees.SUFFIXES):
            if not path.isprintable():
                self._refuse(ascii(path), "has unprintable characters in its name: rename it")
            elif not entry.is_file(follow_symlinks=False):
                self._refuse(path, "is not a regular file: remove it")
            else:
                self._file(entry, path)

    def _file(self, entry: os.DirEntry[str], path: str) -> None:
        found = entry.stat(follow_symlinks=False)
        if found.st_size > MAX_BYTES:
            self._refuse(path, f"is larger than {MAX_BYTES >> 20} MiB: split it")
            return
        if len(self.seen) >= MAX_FILES:
            self._refuse(path, f"is one of more than {MAX_FILES} files: check a part of the folder")
            raise InvalidInput(self.problems)
        looks = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        known = self.index.get(path)
        self.seen[path] = known if known and known[:4] == looks else [*looks, self._hash(entry.path, path)]

    def _hash(self, full_path: str, path: str) -> str:
        data = _read(full_path)
        self.hashed += 1
        if self.kept_bytes < _KEPT_BYTES:
            self.kept_bytes += len(data)
            self.kept[path] = data
        return blob_id(data)

    def _refuse(self, path: str, message: str) -> None:
        self.problems.append(Problem(SetupCode.FOLDER_ENTRY, message, place=Place(path)))


def _read(path: str) -> bytes:
    """Read a regular file that is no symlink, not even since a moment ago; never more than is allowed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        data = piece = os.read(descriptor, _PIECE)
        while len(piece) == _PIECE and len(data) <= MAX_BYTES:
            data += (piece := os.read(descriptor, _PIECE))
        return data
    finally:
        os.close(descriptor)


def blob_id(data: bytes) -> str:
    """Return the id that Git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
