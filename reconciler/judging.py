"""What the user's own CRDs say of each file: asked once for each content, also across restarts."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.manifests import ParsedFile
from reconciler.core.resources import Manifest
from reconciler.errors import Problem, Severity
from reconciler.ports import ParseCache, Schemas

Finding = tuple[Manifest, Problem]

#: A file as a commit has it: its path and the id of its content.
_Name = tuple[str, str]


@dataclass(slots=True)
class Judge:
    """Remembers the findings of the files that it was last asked about, and keeps those of any content in the cache."""

    cache: ParseCache
    _judged: tuple[str, dict[_Name, tuple[Finding, ...]]] = field(default=("", {}), init=False)

    def findings(self, files: Iterable[ParsedFile], schemas: Schemas) -> list[Finding]:
        """Return what the CRDs say against each manifest of the files, nothing where there are none. Raises Unavailable."""
        if not schemas.origin:
            return []
        known = self._judged[1] if self._judged[0] == schemas.id else {}
        named = {(file.path, file.blob): file for file in files}
        new = [file for name, file in named.items() if name not in known]
        found = known | {(file.path, file.blob): said for file, said in self._kept_or_asked(new, schemas)}
        self._judged = (schemas.id, {name: found[name] for name in named})
        return [finding for of_file in self._judged[1].values() for finding in of_file]

    def _kept_or_asked(self, files: Sequence[ParsedFile], schemas: Schemas) -> Iterator[tuple[ParsedFile, tuple[Finding, ...]]]:
        names = {file.blob: f"{file.blob} {schemas.id}" for file in files}
        kept = self.cache.get(names.values()) if files else {}
        missing = [file for file in files if names[file.blob] not in kept]
        said = iter(schemas.judge([one.document for file in missing for one in file.manifests]))
        fresh = {names[file.blob]: _bytes([next(said) for _ in file.manifests]) for file in missing}
        self.cache.put(fresh)
        for file in files:
            yield file, tuple(_findings(file, (kept | fresh)[names[file.blob]]))


def _bytes(problems: Sequence[Sequence[Problem]]) -> bytes:
    return json.dumps([[[one.code, one.message, one.severity, one.field] for one in each] for each in problems]).encode()


def _findings(file: ParsedFile, kept: bytes) -> Iterator[Finding]:
    for manifest, problems in zip(file.manifests, json.loads(kept), strict=True):
        for code, message, severity, where in problems:
            problem = Problem(code, message, Severity(severity), field=where)
            yield manifest, replace(problem, place=manifest.place, object=str(manifest.key))
