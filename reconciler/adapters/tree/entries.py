"""Entries of a tree -> the files that may be read, or every reason why not.

Nothing of it ever reaches a file system, so names can do no harm there; but they are shown, compared and sorted, people review
them on systems that fold case, and a symlink's content is a path rather than a manifest.
"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from posixpath import dirname

from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.adapters.tree.words import shown
from reconciler.core.trees import is_hidden, is_manifest
from reconciler.errors import Place, Problem

REGULAR, SYMLINK, SUBMODULE = "100644", "120000", "160000"
#: An LFS pointer has 127 to 145 bytes unless extensions add lines.
_LFS_SIZES = range(100, 400)
_LFS_BEGINS = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One entry of a listing: path relative to the repository, mode, object id, size in bytes (0 for what is no blob)."""

    path: str
    mode: str
    id: str
    size: int = 0

    @property
    def regular(self) -> bool:
        return self.mode in (REGULAR, "100755", "100664")

    @property
    def place(self) -> Place:
        """Where to look, on one line whatever the name holds."""
        return Place(shown(self.path))


#: Looks an entry of the tree up by its path (relative to the repository).
Find = Callable[[str], Entry | None]
#: Reads the bytes of entries, in their order.
Read = Callable[[Sequence[Entry]], list[bytes]]


def problems(entries: Iterable[Entry], folder: str, limits: TreeLimits) -> Iterator[Problem]:
    """Say what must not be in the manifest folder. What is hidden, from that folder down, is never read and may be anything."""
    start = len(folder) + 1 if folder else 0
    seen: dict[str, tuple[str, bool]] = {}
    for entry in entries:
        if is_hidden(entry.path[start:]):
            if not {".", "..", ".git"}.isdisjoint(_folded(entry.path).split("/")):
                yield Problem(Code.NAME, "has '.', '..' or '.git' in its path: no version of Git makes this", place=entry.place)
            continue
        if entry.mode == SYMLINK:
            yield Problem(Code.SYMLINK, "is a symlink, which is never followed: put the file itself there", place=entry.place)
        elif entry.mode == SUBMODULE:
            yield Problem(Code.SUBMODULE, "is a submodule, which is never fetched: put its files there", place=entry.place)
        if why := odd_name(entry.path, limits):
            yield Problem(Code.NAME, why, place=entry.place)
        elif twin := _twin(entry.path, seen):
            message = f"cannot be told apart from {shown(twin)} where case or spelling of letters is folded: rename one"
            yield Problem(Code.TWINS, message, place=entry.place)


def over_caps(manifests: Iterable[Entry], limits: TreeLimits) -> Iterator[Problem]:
    """Say which caps the manifest files are over. Sizes come from the listing: nothing has been read yet."""
    count = total = 0
    for entry in manifests:
        count += 1
        total += entry.size
        if entry.size > limits.file_bytes:
            message = f"has {entry.size} bytes, more than the cap of {limits.file_bytes} (git.max_file_bytes): split it"
            yield Problem(Code.CAP, message, place=entry.place)
    if count > limits.files:
        yield Problem(Code.CAP, f"the commit has {count} manifest files, more than the cap of {limits.files} (git.max_files)")
    if total > limits.total_bytes:
        message = f"the commit's manifests have {total} bytes, more than the cap of {limits.total_bytes} (git.max_total_bytes)"
        yield Problem(Code.CAP, message)


def may_be_pointer(entry: Entry) -> bool:
    """Say whether a file has the size of a Git LFS pointer, so that a look at its beginning is due."""
    return entry.regular and entry.size in _LFS_SIZES


def pointer_problem(entry: Entry, data: bytes) -> Problem | None:
    """Say that a file is a Git LFS pointer, if it is one."""
    if not data.startswith(_LFS_BEGINS):
        return None
    message = "is a Git LFS pointer, not a manifest: keep manifests out of LFS (see .gitattributes)"
    return Problem(Code.LFS, message, place=entry.place)


def manifests_of(entries: Iterable[Entry], folder: str = "") -> list[Entry]:
    """Return the entries that are manifest files by name; hidden is judged from the manifest folder down."""
    start = len(folder) + 1 if folder else 0
    return [entry for entry in entries if entry.regular and is_manifest(entry.path[start:])]


def odd_name(path: str, limits: TreeLimits) -> str:
    """Say what is wrong with a path, nothing where it is plain."""
    steps = path.split("/")
    try:
        length = len(path.encode())
    except UnicodeEncodeError:
        return "has a name that is no UTF-8: rename it"
    if length > limits.path_bytes:
        return f"has a path of more than {limits.path_bytes} bytes: shorten it"
    if not path.isprintable() or "\\" in path:
        return "has a backslash, a control or an invisible character in its path: rename it"
    if "" in steps:
        return "has an empty step in its path: no version of Git makes this"
    return "" if len(steps) <= limits.depth else f"is nested in more than {limits.depth - 1} folders: move it up"


def _twin(path: str, seen: dict[str, tuple[str, bool]]) -> str:
    """Return an earlier path that this one, or a folder on its way, cannot be told apart from; remember both.

    `seen` holds, by folded path, the path as it is and whether it is a file's.
    """
    known = seen.get(_folded(path))
    if known is not None:
        return known[0]
    seen[_folded(path)] = (path, True)
    while path := dirname(path):
        known = seen.setdefault(_folded(path), (path, False))
        if known != (path, False):
            return known[0]
    return ""


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", path).casefold() if not path.isascii() else path.lower()
