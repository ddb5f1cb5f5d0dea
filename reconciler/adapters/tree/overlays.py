"""Which kustomize folders are rendered, and what each of them needs. Pure.

A folder with a kustomization is rendered unless another one below the manifest folder refers to it. Whatever lies in or below
such a folder is kustomize's, and never read as a plain manifest too.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname

from reconciler.adapters.tree.codes import Code
from reconciler.adapters.tree.entries import Entry
from reconciler.adapters.tree.kustomize import Kustomization
from reconciler.adapters.tree.limits import TreeLimits
from reconciler.errors import Problem


@dataclass(frozen=True, slots=True)
class Rendering:
    """A kustomize folder to render: its kustomization, those below it, and the other files that all of them need.

    `yaml` are those files that must be strict YAML.
    """

    root: Kustomization
    kustomizations: tuple[Kustomization, ...]
    files: tuple[Entry, ...]
    yaml: frozenset[str]

    def id(self, version: str) -> str:
        """Return an id of what will come out: all that goes in, and the version of kustomize."""
        entries = (*(one.entry for one in self.kustomizations), *self.files)
        facts = [version, self.root.entry.path, *sorted(f"{entry.id} {entry.path}" for entry in entries)]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    @property
    def size(self) -> int:
        """Bytes of all that goes in."""
        return sum(entry.size for entry in (*(one.entry for one in self.kustomizations), *self.files))


def renderings(
    known: Mapping[Entry, Kustomization], within: Iterable[Entry], limits: TreeLimits
) -> tuple[list[Rendering], list[Problem]]:
    """Return what to render: kustomizations below the manifest folder that no other one there refers to.

    A component is rendered only by those who refer to it. A circle would have no such beginning, and is a problem.
    """
    inside = [known[entry] for entry in within]
    referred = {entry for one in inside for entry in one.folders}
    found = [_closure(one, known) for one in inside if one.entry not in referred and not one.is_component]
    reached = {one.entry for rendering in found for one in rendering.kustomizations}
    circle = [one for one in inside if one.entry in referred - reached and not one.is_component]
    message = "is part of a circle of kustomizations that refer to each other: take one reference out"
    problems = [Problem(Code.REFERENCE, message, place=one.entry.place) for one in circle]
    problems += [
        Problem(Code.CAP, "needs more files or bytes than the caps allow", place=rendering.root.entry.place)
        for rendering in found
        if rendering.size > limits.total_bytes or len(rendering.files) > limits.files
    ]
    return found, problems


def _closure(root: Kustomization, known: Mapping[Entry, Kustomization]) -> Rendering:
    reached: dict[Entry, Kustomization] = {}
    open_ends = [root]
    while open_ends:
        one = open_ends.pop()
        if one.entry not in reached:
            reached[one.entry] = one
            open_ends += [known[entry] for entry in one.folders]
    files = {entry: yaml for one in reached.values() for entry, yaml in one.files.items()}
    strict = frozenset(entry.path for entry, yaml in files.items() if yaml)
    return Rendering(root, tuple(reached[entry] for entry in sorted(reached)), tuple(sorted(files)), strict)


def below_kustomization(entries: Iterable[Entry], within: Iterable[Entry]) -> set[str]:
    """Return the paths that lie in, or below, a folder with a kustomization: those are kustomize's, never plain manifests."""
    folders = {dirname(entry.path) for entry in within}
    if "" in folders:
        return {entry.path for entry in entries}
    return {entry.path for entry in entries if any(parent in folders for parent in _parents(entry.path))}


def _parents(path: str) -> Iterator[str]:
    while path := dirname(path):
        yield path
