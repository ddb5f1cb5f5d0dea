"""A tree -> the files to read from it: judged as a whole, with kustomize folders in place of their files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from posixpath import dirname

from reconciler.adapters.tree import entries as judged
from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.entries import Entry, Find, Read
from reconciler.adapters.tree.kustomize import kustomizations_in, read_all, unreadable
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.adapters.tree.overlays import Rendering, below_kustomization, renderings
from reconciler.adapters.tree.rendering import Kustomize
from reconciler.adapters.tree.words import shown
from reconciler.core.trees import is_hidden, is_kustomization
from reconciler.errors import InvalidInput, Place, Problem
from reconciler.ports import BadTree, TreeFile


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a tree in path order; `renderings` says, by id, what the rendered ones are made of."""

    files: tuple[TreeFile, ...]
    renderings: dict[str, Rendering] = field(default_factory=dict)


@dataclass(slots=True)
class Lister:
    """Lists trees of one repository. Remembers which small files are no LFS pointers, so that each is looked at once.

    `folder` is the manifest folder, empty for the whole repository; `read` reads entries; `kustomize` is None where there is
    no kubectl.
    """

    folder: str
    limits: TreeLimits
    read: Read
    kustomize: Kustomize | None = None
    _no_pointers: frozenset[str] = frozenset()

    def listing(self, entries: Sequence[Entry], repository: Callable[[], Find]) -> Listing:
        """Return what to read, of the entries of the manifest folder. Raises BadTree with every problem.

        `repository` is called where kustomizations refer to what may lie outside of the folder.
        """
        if len(entries) > self.limits.entries:
            raise too_many(self.limits)
        problems = list(judged.problems(entries, self.folder, self.limits))
        start = len(self.folder) + 1 if self.folder else 0
        starts = [entry for entry in entries if is_kustomization(entry.path) and not is_hidden(entry.path[start:])]
        taken = below_kustomization(entries, starts)
        plain = [entry for entry in judged.manifests_of(entries, self.folder) if entry.path not in taken]
        problems += judged.over_caps([*plain, *starts], self.limits)
        problems += self._pointers(plain)
        found: list[Rendering] = []
        if starts:
            found, more = self._kustomized(starts, repository())
            problems += more
        if problems:
            wrong = {problem.place.path for problem in problems if problem.place}
            others = [entry for entry in plain if entry.path not in wrong]
            raise BadTree(problems, self._put_together(others, ()).files)
        return self._put_together(plain, found)

    def _pointers(self, manifests: Sequence[Entry]) -> list[Problem]:
        suspects = [entry for entry in manifests if judged.may_be_pointer(entry)]
        fresh = [entry for entry in suspects if entry.id not in self._no_pointers]
        problems = [
            problem
            for entry, data in zip(fresh, self.read(fresh), strict=True)
            if (problem := judged.pointer_problem(entry, data))
        ]
        if not problems:
            self._no_pointers = frozenset(entry.id for entry in suspects)
        return problems

    def _kustomized(self, starts: Sequence[Entry], find: Find) -> tuple[list[Rendering], list[Problem]]:
        """Follow what kustomizations refer to, over the whole repository."""
        problems = [] if self.kustomize else [_no_kubectl(entry) for entry in starts]
        several = {entry.path for entry in starts if len(kustomizations_in(dirname(entry.path), find)) > 1}
        problems += [_several(path) for path in sorted(several)]
        usable = [entry for entry in starts if not unreadable(entry, self.limits) and entry.path not in several]
        known, more = read_all(usable, find, self.limits, self.read)
        found, circles = renderings(known, usable, self.limits)
        return found, [*problems, *more, *circles]

    def _put_together(self, plain: Sequence[Entry], found: Sequence[Rendering]) -> Listing:
        version = self.kustomize.version if self.kustomize and found else ""
        rendered = {rendering.id(version): rendering for rendering in found}
        files = [TreeFile(entry.path, entry.id, entry.size) for entry in plain]
        files += [TreeFile(one.root.entry.path, name, one.size, rendered=True) for name, one in rendered.items()]
        return Listing(tuple(sorted(files, key=lambda file: file.path)), rendered)


def too_many(limits: TreeLimits) -> InvalidInput:
    """Return what is said of a folder with more entries than are looked at."""
    return InvalidInput(f"the folder holds more than {limits.entries} files: give a narrower path", code=Code.CAP)


def _no_kubectl(entry: Entry) -> Problem:
    return Problem(Code.KUBECTL, "needs kubectl, which renders it: install it, or set git.kubectl", place=entry.place)


def _several(path: str) -> Problem:
    return Problem(
        Code.KUSTOMIZATION, "is one of several kustomization files of its folder: keep one", place=Place(shown(path))
    )
