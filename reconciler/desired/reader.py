"""Git's side of a cycle: from a revision to a `DesiredState`, reading and parsing only what was not seen before."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from reconciler.core.manifests import ParsedFile, load, parse_file
from reconciler.core.manifests.places import ReadBlobs, placed
from reconciler.core.resources import DesiredState, Revision
from reconciler.desired.judging import Judge
from reconciler.errors import InvalidInput, Place, Problem, Severity
from reconciler.ports import ParseCache, Schemas, Source, TreeFile


@dataclass(slots=True)
class DesiredReader:
    """Reads revisions; remembers the last one: an unchanged commit costs nothing, and of another one only its new files do.

    `namespaces` are the only ones that manifests may be in, where given. Without `records` no VM shall have one: there is no
    registry to hold it.
    """

    source: Source
    cache: ParseCache
    strict_kinds: bool = False
    namespaces: frozenset[str] | None = None
    records: bool = True
    _last: tuple[DesiredState, Schemas] | None = field(default=None, init=False)
    _parsed: dict[tuple[str, str], ParsedFile] = field(default_factory=dict, init=False)
    _judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        self._judge = Judge(self.cache)

    def read(self, revision: Revision, schemas: Schemas) -> DesiredState:
        """Return what a commit says. Raises InvalidInput with every problem of every file, Unavailable."""
        if self._last is None or self._last[0].revision != revision or self._last[1] is not schemas:
            files = self.source.files(revision)
            self._last = (self.put_together(revision, files, self.parsed(files), schemas), schemas)
        return self._last[0]

    def parsed(self, files: Sequence[TreeFile]) -> list[ParsedFile]:
        """Return what each file says by itself. Raises Unavailable."""
        new = [file for file in files if (file.path, file.id) not in self._parsed]
        kept = self.cache.get([file.id for file in new])
        try:
            found = self._kept_or_fresh(new, kept)
        except ValueError:
            found = self._kept_or_fresh(new, {})
        known = self._parsed | {(one.path, one.blob): one for one in found}
        self._parsed = {(file.path, file.id): known[file.path, file.id] for file in files}
        return list(self._parsed.values())

    def put_together(
        self, revision: Revision, files: Sequence[TreeFile], parsed: Sequence[ParsedFile], schemas: Schemas
    ) -> DesiredState:
        """Hold the files of a commit against each other and against the user's CRDs. Raises as `read` does."""
        read, last = self._blobs(files), self._last[0] if self._last else None
        with ThreadPoolExecutor(1) as beside:
            judged = beside.submit(self._judge.findings, parsed, schemas)
            try:
                desired = load(
                    revision, parsed, strict_kinds=self.strict_kinds, namespaces=self.namespaces, read=read, last=last
                )
            except InvalidInput as error:
                raise InvalidInput(in_order((*error.problems, *placed(judged.result(), read)))) from None
        found = placed(judged.result(), read)
        problems = in_order((*desired.warnings, *found))
        if any(problem.severity is Severity.ERROR for problem in found):
            raise InvalidInput(problems)
        return replace(desired, warnings=problems, machines=desired.machines if self.records else {})

    def _kept_or_fresh(self, files: Sequence[TreeFile], kept: dict[str, bytes]) -> list[ParsedFile]:
        """Parse what is not kept. Raises ValueError where something kept is not what was put there."""
        fresh = [
            parse_file(file.path, file.id, data, rendered=file.rendered)
            for file, data in self.source.contents([file for file in files if file.id not in kept])
        ]
        self.cache.put({parsed.blob: parsed.to_bytes() for parsed in fresh})
        return fresh + [ParsedFile.from_bytes(kept[file.id], file.path, file.id) for file in files if file.id in kept]

    def _blobs(self, files: Iterable[TreeFile]) -> ReadBlobs:
        """Return what reads blobs of these files again, for the places of problems."""
        by_id = {file.id: file for file in files}
        return lambda blobs: ((file.id, data) for file, data in self.source.contents([by_id[blob] for blob in blobs]))


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return problems in the order of their places."""
    return tuple(sorted(problems, key=lambda problem: problem.place or Place("")))
