"""A commit -> the files to read from it: one listing, judged as a whole, with kustomize folders in place of their files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from posixpath import dirname

from reconciler.adapters.source_git import tree
from reconciler.adapters.source_git.answers import DamagedStore, LostCommit
from reconciler.adapters.source_git.blobs import read_blobs
from reconciler.adapters.source_git.codes import Code
from reconciler.adapters.source_git.kustomize import kustomizations_in, read_all, unreadable
from reconciler.adapters.source_git.mirror import Mirror
from reconciler.adapters.source_git.overlays import Rendering, below_kustomization, renderings
from reconciler.adapters.source_git.process import Stop
from reconciler.adapters.source_git.rendering import Kustomize
from reconciler.adapters.source_git.settings import GitSettings
from reconciler.adapters.source_git.tree import Entry
from reconciler.core.trees import is_hidden, is_kustomization
from reconciler.errors import InvalidInput, Place, Problem, Unavailable
from reconciler.ports import TreeFile

#: Bytes of a listing per entry that is allowed: mode, id, size and a path of some length.
_LINE = 320


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a commit in path order; `renderings` says, by id, what the rendered ones are made of."""

    files: tuple[TreeFile, ...]
    renderings: dict[str, Rendering] = field(default_factory=dict)


@dataclass(slots=True)
class Lister:
    """Lists commits of one mirror. Remembers which small blobs are no LFS pointers, so that each is looked at once.

    `kustomize` is None where there is no kubectl.
    """

    mirror: Mirror
    settings: GitSettings
    folder: str
    kustomize: Kustomize | None = None
    _no_pointers: frozenset[str] = frozenset()

    def listing(self, commit: str) -> Listing:
        """Return what to read. Raises InvalidInput with every problem, DamagedStore, Unavailable."""
        entries = self._entries(commit, self.folder)
        limits = self.settings.limits
        if len(entries) > limits.entries:
            raise _too_many(limits.entries)
        problems = list(tree.problems(entries, self.folder, limits))
        start = len(self.folder) + 1 if self.folder else 0
        starts = [entry for entry in entries if is_kustomization(entry.path) and not is_hidden(entry.path[start:])]
        taken = below_kustomization(entries, starts)
        plain = [entry for entry in tree.manifests_of(entries, self.folder) if entry.path not in taken]
        problems += tree.over_caps([*plain, *starts], limits)
        if not plain and not starts and not problems:
            raise self._nothing("holds no manifest (*.yaml, *.yml, *.json)")
        problems += self._pointers(plain)
        found: list[Rendering] = []
        if starts:
            found, more = self._kustomized(commit, entries, starts)
            problems += more
        if problems:
            raise InvalidInput(problems)
        return self._put_together(plain, found)

    def _entries(self, commit: str, folder: str) -> list[Entry]:
        """List a folder of a commit, whole depth."""
        what = f"{commit}:{folder}" if folder else commit
        cap = self.settings.limits.entries * _LINE
        finished = self.mirror.ask("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", what, output=cap)
        if finished.stopped is Stop.OUTPUT:
            raise _too_many(self.settings.limits.entries)
        if finished.stopped:
            raise Unavailable(f"listing commit {commit[:10]}: {finished.stopped}, so it was ended")
        if finished.ok:
            try:
                return tree.parse_listing(finished.output, folder)
            except ValueError as error:
                raise DamagedStore(
                    f"commit {commit[:10]} holds objects that cannot be found: the mirror is fetched anew"
                ) from error
        if not self.mirror.has(commit):
            raise LostCommit(f"commit {commit[:10]} is not in the mirror any more")
        there = self.mirror.ask("ls-tree", "-z", "--full-tree", "--end-of-options", commit, folder)
        if folder and there.ok and b" tree " not in there.output:
            raise self._nothing("does not exist in it")
        raise DamagedStore(f"commit {commit[:10]} cannot be listed: the mirror is damaged and is fetched anew")

    def _pointers(self, manifests: Sequence[Entry]) -> list[Problem]:
        suspects = [entry for entry in manifests if tree.may_be_pointer(entry)]
        fresh = [entry for entry in suspects if entry.id not in self._no_pointers]
        problems = [
            problem
            for entry, data in zip(fresh, self._read(fresh), strict=True)
            if (problem := tree.pointer_problem(entry, data))
        ]
        if not problems:
            self._no_pointers = frozenset(entry.id for entry in suspects)
        return problems

    def _kustomized(
        self, commit: str, entries: Sequence[Entry], starts: Sequence[Entry]
    ) -> tuple[list[Rendering], list[Problem]]:
        """Follow what kustomizations refer to, over the whole repository."""
        limits = self.settings.limits
        whole = {entry.path: entry for entry in (self._entries(commit, "") if self.folder else entries)}
        problems = [] if self.kustomize else [_no_kubectl(entry) for entry in starts]
        several = {entry.path for entry in starts if len(kustomizations_in(dirname(entry.path), whole)) > 1}
        problems += [_several(path) for path in sorted(several)]
        usable = [entry for entry in starts if not unreadable(entry, limits) and entry.path not in several]
        known, more = read_all(usable, whole, limits, self._read)
        found, circles = renderings(known, usable, whole, limits)
        return found, [*problems, *more, *circles]

    def _put_together(self, plain: Sequence[Entry], found: Sequence[Rendering]) -> Listing:
        version = self.kustomize.version if self.kustomize and found else ""
        rendered = {rendering.id(version): rendering for rendering in found}
        files = [TreeFile(entry.path, entry.id, entry.size) for entry in plain]
        files += [TreeFile(one.root.entry.path, name, one.size, rendered=True) for name, one in rendered.items()]
        return Listing(tuple(sorted(files, key=lambda file: file.path)), rendered)

    def _read(self, entries: Sequence[Entry]) -> list[bytes]:
        return list(read_blobs(self.mirror, [(entry.id, entry.size) for entry in entries]))

    def _nothing(self, why: str) -> InvalidInput:
        """Nothing to read is never the wish to have nothing: a wrong path or a moved folder looks just like it."""
        folder = self.folder or "the repository"
        return InvalidInput(
            f"{folder} {why}: nothing is deleted because of that; correct the path, or the commit", code=Code.NO_FOLDER
        )


def _too_many(cap: int) -> InvalidInput:
    return InvalidInput(f"the folder holds more than {cap} files: give a narrower path", code=Code.CAP)


def _no_kubectl(entry: Entry) -> Problem:
    return Problem(Code.KUBECTL, "needs kubectl, which renders it: install it, or set git.kubectl", place=entry.place)


def _several(path: str) -> Problem:
    return Problem(
        Code.KUSTOMIZATION, "is one of several kustomization files of its folder: keep one", place=Place(tree.shown(path))
    )
