"""What the user's own CRDs say of each file: asked once for each content, also across restarts."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from reconciler.core.manifests import ParsedFile
from reconciler.core.resources import Manifest
from reconciler.errors import Problem, Severity
from reconciler.ports import ParseCache, Schemas

Finding = tuple[Manifest, Problem]

#: What is said of the manifests of one content, one after the other: code, message, severity and field; empty where nothing is.
_Said = Sequence[Sequence[Sequence[str]]]

#: Contents beyond those of a commit that are remembered: those of other branches, and of commits that may come back.
_OTHERS = 20_000


@dataclass(slots=True)
class Judge:
    """Remembers what is said of contents under the CRDs that it was last asked with, and keeps it in the cache."""

    cache: ParseCache
    _id: str = field(default="", init=False)
    _known: dict[str, _Said] = field(default_factory=dict, init=False)

    def findings(self, files: Sequence[ParsedFile], schemas: Schemas) -> list[Finding]:
        """Return what the CRDs say against each manifest of the files, nothing where there are none. Raises Unavailable."""
        if not schemas.origin:
            return []
        name = f"judged {schemas.id}"
        if self._id != schemas.id:
            self._id, self._known = schemas.id, json.loads(self.cache.get([name]).get(name, b"{}"))
        if new := [file for file in files if file.blob not in self._known]:
            self._learn(files, dict(_judged(new, schemas)))
            self.cache.put({name: json.dumps(self._known, separators=(",", ":")).encode()})
        return [finding for file in files if self._known[file.blob] for finding in _findings(file, self._known[file.blob])]

    def _learn(self, files: Sequence[ParsedFile], fresh: dict[str, _Said]) -> None:
        self._known |= fresh
        if len(self._known) > len(files) + _OTHERS:
            self._known = {file.blob: self._known[file.blob] for file in files}


def _judged(files: Sequence[ParsedFile], schemas: Schemas) -> Iterator[tuple[str, _Said]]:
    judged = iter(schemas.judge([one.document for file in files for one in file.manifests]))
    for file in files:
        said = [next(judged) for _ in file.manifests]
        yield file.blob, [list(map(_plain, problems)) for problems in said] if any(said) else []


def _plain(problem: Problem) -> tuple[str, str, str, str]:
    return problem.code, problem.message, problem.severity, problem.field


def _findings(file: ParsedFile, said: _Said) -> Iterable[Finding]:
    for manifest, problems in zip(file.manifests, said, strict=True):
        for code, message, severity, where in problems:
            yield manifest, Problem(code, message, Severity(severity), manifest.place, where, str(manifest.key))
