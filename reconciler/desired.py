"""Git's side of a cycle: from a revision to a `DesiredState`, reading and parsing only what was not seen before."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from reconciler.core.manifests import ParsedFile, load, parse_file
from reconciler.core.manifests.places import ReadBlobs, placed
from reconciler.core.resources import DesiredState, Manifest, Revision
from reconciler.errors import InvalidInput, Place, Problem, Severity
from reconciler.ports import ParseCache, Schemas, Source, TreeFile


@dataclass(slots=True)
class DesiredReader:
    """Reads revisions; remembers the last one, so that an unchanged commit costs nothing.

    `namespaces` are the only ones that manifests may be in, where given. Without `records` no VM shall have one: there is no
    registry to hold it.
    """

    source: Source
    cache: ParseCache
    strict_kinds: bool = False
    namespaces: frozenset[str] | None = None
    records: bool = True
    _last: tuple[DesiredState, Schemas] | None = field(default=None, init=False)

    def read(self, revision: Revision, schemas: Schemas) -> DesiredState:
        """Return what a commit says. Raises InvalidInput with every problem of every file, Unavailable."""
        if self._last is None or self._last[0].revision != revision or self._last[1] is not schemas:
            files = self.source.files(revision)
            self._last = (self.put_together(revision, files, self.parsed(files), schemas), schemas)
        return self._last[0]

    def parsed(self, files: Sequence[TreeFile]) -> list[ParsedFile]:
        """Return what each file says by itself. Raises Unavailable."""
        kept = self.cache.get([file.id for file in files])
        try:
            return self._with_fresh(files, kept)
        except ValueError:
            return self._with_fresh(files, {})

    def put_together(
        self, revision: Revision, files: Sequence[TreeFile], parsed: Sequence[ParsedFile], schemas: Schemas
    ) -> DesiredState:
        """Hold the files of a commit against each other and against the user's CRDs. Raises InvalidInput as `read` does."""
        read = self._blobs(files)
        found = placed(list(_judged(parsed, schemas)), read)
        try:
            desired = load(revision, parsed, strict_kinds=self.strict_kinds, namespaces=self.namespaces, read=read)
        except InvalidInput as error:
            raise InvalidInput(_in_order((*error.problems, *found))) from None
        problems = _in_order((*desired.warnings, *found))
        if any(problem.severity is Severity.ERROR for problem in found):
            raise InvalidInput(problems)
        return replace(desired, warnings=problems, machines=desired.machines if self.records else {})

    def _with_fresh(self, files: Sequence[TreeFile], kept: dict[str, bytes]) -> list[ParsedFile]:
        """Parse what is not kept. Raises ValueError where something kept is not what was put there."""
        fresh = {
            file.path: parse_file(file.path, file.id, data, rendered=file.rendered)
            for file, data in self.source.contents([file for file in files if file.id not in kept])
        }
        self.cache.put({parsed.blob: parsed.to_bytes() for parsed in fresh.values()})
        known = [file for file in files if file.path not in fresh]
        old = ParsedFile.many((kept[file.id], file.path, file.id) for file in known)
        by_path = fresh | {parsed.path: parsed for parsed in old}
        return [by_path[file.path] for file in files]

    def _blobs(self, files: Iterable[TreeFile]) -> ReadBlobs:
        """Return what reads blobs of these files again, for the places of problems."""
        by_id = {file.id: file for file in files}
        return lambda blobs: ((file.id, data) for file, data in self.source.contents([by_id[blob] for blob in blobs]))


def _judged(parsed: Iterable[ParsedFile], schemas: Schemas) -> Iterator[tuple[Manifest, Problem]]:
    """Yield what the user's own CRDs say against each manifest."""
    for file in parsed:
        for manifest in file.manifests:
            for problem in schemas.problems(manifest.document):
                yield manifest, replace(problem, place=manifest.place, object=str(manifest.key))


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.place or Place("")))
