"""One look at a folder, file by file: entries as Git would list them, known by the ids that Git would give them.

An index of what each file looked like (size, times, inode) spares reading those that have not changed since. As in Git, an
entry is trusted only when the file was at rest for a while before the index was made: two writes within one tick of the clock
look alike.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Any

from reconciler.adapters.tree.entries import REGULAR, SUBMODULE, SYMLINK, Entry
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.adapters.tree.words import shown
from reconciler.core.trees import KUSTOMIZATIONS, SUFFIXES
from reconciler.errors import Place, Problem, SetupCode

#: Bytes of one read: more than most manifests have, and little enough to set aside at no cost.
_PIECE = 64 * 1024
#: Bytes of freshly read files that are kept between being hashed and being asked for.
_KEPT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class Scan:
    """One look at a folder of a repository.

    Paths are relative to the repository. `seen` holds size, mtime and ctime in ns, inode and blob id of each file that may be
    read, by path (no id for one that is too large); `others` are the remaining entries, by path with their mode; `kept` are
    contents read on the way.
    """

    limits: TreeLimits
    index: dict[str, list[Any]]
    seen: dict[str, list[Any]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    hashed: int = 0
    kept_bytes: int = 0

    def folder(self, folder: str, prefix: str, depth: int = 0) -> None:
        """Look at a folder and all below; names that begin with a dot are left alone, as Git hosts' own files are."""
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    self._entry(entry, prefix + entry.name, depth)

    def entries(self) -> list[Entry]:
        """Return what was found, as a listing of a commit would have it."""
        found = [Entry(path, REGULAR, seen[-1], seen[0]) for path, seen in self.seen.items()]
        found += [Entry(path, mode, "") for path, mode in self.others.items()]
        return sorted(found, key=attrgetter("path"))

    def digest(self, more: Iterable[str]) -> str:
        """Return a digest of all paths and contents, and of `more` ids: equal digests mean equal folders."""
        lines = [f"{seen[-1] or seen} {path}\n" for path, seen in sorted(self.seen.items())]
        lines += [f"{mode} {path}\n" for path, mode in sorted(self.others.items())]
        return hashlib.sha256("".join([*lines, *more]).encode(errors="surrogateescape")).hexdigest()

    def _entry(self, entry: os.DirEntry[str], path: str, depth: int) -> None:
        if len(self.seen) + len(self.others) > self.limits.entries:
            return
        if entry.is_symlink():
            self.others[path] = SYMLINK
        elif entry.is_dir(follow_symlinks=False):
            self._folder(entry.path, path, depth)
        elif not entry.name.endswith(SUFFIXES) and entry.name not in KUSTOMIZATIONS:
            self.others[path] = REGULAR
        elif entry.is_file(follow_symlinks=False):
            self._file(entry, path)
        else:
            message = "is not a regular file: remove it"
            self.problems.append(Problem(SetupCode.FOLDER_ENTRY, message, place=Place(shown(path))))

    def _folder(self, full_path: str, path: str, depth: int) -> None:
        if os.path.lexists(f"{full_path}/.git"):
            self.others[path] = SUBMODULE
        elif depth < self.limits.depth:
            self.folder(full_path, f"{path}/", depth + 1)
        else:
            # What lies deeper than is allowed is not looked at: its folder stands for it.
            self.others[path] = REGULAR

    def _file(self, entry: os.DirEntry[str], path: str) -> None:
        found = entry.stat(follow_symlinks=False)
        looks = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        known = self.index.get(path)
        if found.st_size > self.limits.file_bytes:
            self.seen[path] = [*looks, ""]
        elif known and known[:4] == looks and known[4]:
            self.seen[path] = known
        else:
            self.seen[path] = [*looks, self._hash(entry.path, path)]

    def _hash(self, full_path: str, path: str) -> str:
        data = read(full_path, self.limits.file_bytes)
        self.hashed += 1
        if self.kept_bytes < _KEPT_BYTES:
            self.kept_bytes += len(data)
            self.kept[path] = data
        return blob_id(data)


def find(root: Path, path: str, *, limits: TreeLimits) -> Entry | None:
    """Return the file or link at a path of a repository; behind a link there is nothing, as in a commit."""
    place = root / path
    if any(parent.is_symlink() for parent in list(place.parents)[: path.count("/")]):
        return None
    if place.is_symlink():
        return Entry(path, SYMLINK, "")
    try:
        size = place.stat().st_size if place.is_file() else None
        small = size is not None and size <= limits.file_bytes
        identity = blob_id(read(str(place), limits.file_bytes)) if small else ""
    except OSError:
        return None
    return Entry(path, REGULAR, identity, size) if size is not None else None


def read(path: str, most: int) -> bytes:
    """Read a regular file that is no symlink, not even since a moment ago; not much more than `most` bytes."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        data = piece = os.read(descriptor, _PIECE)
        while len(piece) == _PIECE and len(data) <= most:
            data += (piece := os.read(descriptor, _PIECE))
        return data
    finally:
        os.close(descriptor)


def blob_id(data: bytes) -> str:
    """Return the id that Git gives to these bytes."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
