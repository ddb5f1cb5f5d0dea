"""Git's side of a cycle: from a revision to a `DesiredState`, reading and parsing only what was not seen before."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.manifests import ParsedFile, load, parse_file
from reconciler.core.resources import DesiredState, Revision
from reconciler.errors import InvalidInput, Problem, Severity
from reconciler.ports import ParseCache, Schemas, Source, TreeFile


@dataclass(slots=True)
class DesiredReader:
    """Reads revisions; remembers the last one, so that an unchanged commit costs nothing.

    `namespaces` are the only ones that manifests may be in, where given.
    """

    source: Source
    cache: ParseCache
    strict_kinds: bool = False
    namespaces: frozenset[str] | None = None
    _last: tuple[DesiredState, Schemas] | None = field(default=None, init=False)

    def read(self, revision: Revision, schemas: Schemas) -> DesiredState:
        """Return what a commit says. Raises InvalidInput with every problem of every file, Unavailable."""
        if self._last is None or self._last[0].revision != revision or self._last[1] is not schemas:
            files = self.source.files(revision)
            desired = load(
                revision,
                self._parsed(files),
                strict_kinds=self.strict_kinds,
                namespaces=self.namespaces,
                read=lambda blob: self._blob(files, blob),
            )
            self._last = (held_against(desired, schemas), schemas)
        return self._last[0]

    def _parsed(self, files: Sequence[TreeFile]) -> list[ParsedFile]:
        kept = self.cache.get([file.id for file in files])
        try:
            return self._with_fresh(files, kept)
        except ValueError:
            return self._with_fresh(files, {})

    def _with_fresh(self, files: Sequence[TreeFile], kept: dict[str, bytes]) -> list[ParsedFile]:
        """Parse what is not kept. Raises ValueError where something kept is not what was put there."""
        fresh = {
            file.id: parse_file(file.path, file.id, data, rendered=file.rendered).to_bytes()
            for file, data in self.source.contents([file for file in files if file.id not in kept])
        }
        self.cache.put(fresh)
        kept = kept | fresh
        return ParsedFile.many((kept[file.id], file.path, file.id) for file in files)

    def _blob(self, files: Iterable[TreeFile], blob: str) -> bytes | None:
        found = [file for file in files if file.id == blob]
        return next((data for _, data in self.source.contents(found[:1])), None)


def held_against(desired: DesiredState, schemas: Schemas) -> DesiredState:
    """Return the state with the warnings of the user's own CRDs. Raises InvalidInput where these find errors."""
    found = [
        replace(problem, place=manifest.place, object=str(manifest.key))
        for manifest in desired.manifests.values()
        for problem in schemas.problems(manifest.document)
    ]
    problems: tuple[Problem, ...] = (*desired.warnings, *found)
    if any(problem.severity is Severity.ERROR for problem in found):
        raise InvalidInput(problems)
    return replace(desired, warnings=problems)
