"""`check`: a folder of manifests held against every rule that needs no cluster.

What a folder says is remembered as a whole, under a name made of everything that it depends on: while nothing has changed, a
check looks at the files' sizes and times and reads nothing.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from posixpath import join, normpath, relpath
from typing import TYPE_CHECKING

from reconciler.core.manifests import ParsedFile
from reconciler.core.plans import Mode
from reconciler.core.report import Report, Verdict
from reconciler.core.resources import Document, Relation, Revision, Skipped
from reconciler.desired.reader import DesiredReader, in_order
from reconciler.errors import InvalidInput, Place, Problem, Severity
from reconciler.ports import BadTree, Clock, ParseCache, Schemas, Source, TreeFile

if TYPE_CHECKING:
    from reconciler.core.gates.reading import Library

#: Begins a part of the work, of so many pieces; what it returns is called for each piece that is done.
Stage = Callable[[str, int], Callable[[], None]]


def quiet(name: str, pieces: int) -> Callable[[], None]:  # noqa: ARG001 - as a Stage
    """Tell nobody how far the work is."""
    return lambda: None


class NoCrds:
    """The schemas of somebody who gave no CRDs."""

    origin = id = ""

    def judge(self, documents: Sequence[Document]) -> list[tuple[Problem, ...]]:
        return [()] * len(documents)


@dataclass(frozen=True, slots=True)
class Checker:
    """What a check needs.

    `inside` is the checked folder as the source knows it. `crds` makes the schemas of the user's own CRDs, and `crds_id` tells
    these from others. `strict_kinds` and `namespaces` are as in the settings; `library` is what these offer to gates, None
    where no settings are known.
    """

    source: Source
    cache: ParseCache
    clock: Clock
    crds: Callable[[], Schemas]
    crds_id: str = ""
    strict_kinds: bool = False
    namespaces: frozenset[str] | None = None
    inside: str = ""
    library: "Library | None" = None

    def check(self, folder: str, stage: Stage = quiet) -> Report:
        """Return the report of a check; places in it begin with `folder`. Raises Unavailable, InvalidInput for bad CRDs."""
        started = self.clock.now()
        prefix = f"{folder.rstrip('/')}/" if folder not in ("", ".") else ""
        source = _Shown(self.source, f"{self.inside}/" if self.inside else "", prefix, stage)
        try:
            revision = source.poll()
        except InvalidInput as error:
            found = _Found(problems=error.problems)
        else:
            found = self._kept_or_new(source, revision)
        failed = any(problem.severity is Severity.ERROR for problem in found.problems)
        return Report(
            command="check",
            target=folder,
            mode=Mode.OBSERVE,
            started=started,
            ended=self.clock.now(),
            verdict=Verdict.INVALID if failed else Verdict.VALID,
            files=found.files,
            objects=found.objects,
            problems=found.problems,
            skipped=found.skipped,
            notes=(found.note,) if found.note else (),
        )

    def _kept_or_new(self, source: "_Shown", revision: Revision) -> "_Found":
        rules = [revision.id, source.prefix, self.strict_kinds, sorted(self.namespaces or ()), self.crds_id, repr(self.library)]
        name = f"check {hashlib.sha256(json.dumps(rules).encode()).hexdigest()}"
        if kept := self.cache.get([name]).get(name):
            with suppress(ValueError, TypeError):
                return _Found.from_bytes(kept)
        schemas = self.crds()
        # What is said of the folder itself is not remembered: it may lie with the tools of this machine.
        try:
            found = self._look(source, revision, source.files(revision), schemas)
        except BadTree as error:
            found = self._look(source, revision, error.others, schemas) if error.others else _Found()
            return replace(found, problems=in_order((*error.problems, *found.problems)))
        except InvalidInput as error:
            return _Found(problems=error.problems)
        self.cache.put({name: found.to_bytes()})
        return found

    def _look(self, source: "_Shown", revision: Revision, files: Sequence[TreeFile], schemas: Schemas) -> "_Found":
        reader = DesiredReader(source, self.cache, self.strict_kinds, self.namespaces)
        parsed = reader.parsed(files)
        objects = sum(len(file.manifests) + len(file.broken) for file in parsed)
        counting = _Counting(schemas, source.stage("checking against the CRDs", objects)) if schemas.origin else schemas
        if self.library:
            counting = _Settings(counting, self.library)
        try:
            problems = reader.put_together(revision, files, parsed, counting).warnings
        except InvalidInput as error:
            problems = error.problems
        if schemas.origin:
            note = f"checked against the built-in rules and the CRDs of {schemas.origin}"
        else:
            note = "checked against the built-in rules; not against your Istio's CRDs: give --crds FILE"
        return _Found(len(files), objects, tuple(_skipped(parsed)), problems, note)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a check has found, as it is remembered."""

    files: int = 0
    objects: int = 0
    skipped: tuple[Skipped, ...] = ()
    problems: tuple[Problem, ...] = ()
    note: str = ""

    def to_bytes(self) -> bytes:
        kinds = [[one.api_version, one.kind, one.count, *_spot(one.place)] for one in self.skipped]
        problems = [
            [one.code, one.message, one.severity, one.field, one.object, *(_spot(one.place) if one.place else ())]
            for one in self.problems
        ]
        return json.dumps([self.files, self.objects, kinds, problems, self.note]).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "_Found":
        """Return what `to_bytes` made. Raises ValueError or TypeError for anything else."""
        files, objects, kinds, problems, note = json.loads(data)
        return cls(
            files,
            objects,
            tuple(Skipped(version, kind, count, Place(*place)) for version, kind, count, *place in kinds),
            tuple(
                Problem(code, message, Severity(severity), Place(*place) if place else None, field, about)
                for code, message, severity, field, about, *place in problems
            ),
            note,
        )


def _spot(place: Place) -> tuple[str, int, int]:
    return place.path, place.line, place.column


def _skipped(parsed: Iterable[ParsedFile]) -> Iterable[Skipped]:
    kinds: dict[tuple[str, str], Skipped] = {}
    for file in parsed:
        for one in file.skipped:
            first = kinds.get((one.api_version, one.kind))
            kinds[one.api_version, one.kind] = replace(first, count=first.count + one.count) if first else one
    return kinds.values()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A source whose paths are as the person who asks knows them, and which tells how far it is read.

    `inside` is how paths in the checked folder begin for the source, `prefix` how they begin for the person. A kustomization's
    base may lie outside of it.
    """

    inner: Source
    inside: str
    prefix: str
    stage: Stage

    def poll(self) -> Revision:
        with self._placing():
            return self.inner.poll()

    def files(self, revision: Revision) -> tuple[TreeFile, ...]:
        try:
            with self._placing():
                return self._all_shown(self.inner.files(revision))
        except BadTree as error:
            raise BadTree(map(self._placed, error.problems), self._all_shown(error.others)) from None

    def contents(self, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
        known: Sequence[TreeFile] = list(files)
        done = self.stage("reading", len(known))
        inner = self.inner.contents(replace(file, path=f"{self.inside}{file.path.removeprefix(self.prefix)}") for file in known)
        with self._placing():
            for file, (_, data) in zip(known, inner, strict=True):
                yield file, data
                done()

    def relation(self, earlier: str, later: str) -> Relation:
        return self.inner.relation(earlier, later)

    def close(self) -> None:
        self.inner.close()

    def _all_shown(self, files: Iterable[TreeFile]) -> tuple[TreeFile, ...]:
        return tuple(replace(file, path=self._shown(file.path)) for file in files)

    def _shown(self, path: str) -> str:
        if path.startswith(self.inside):
            return f"{self.prefix}{path[len(self.inside) :]}"
        return normpath(join(self.prefix, relpath(path, self.inside or ".")))

    @contextmanager
    def _placing(self) -> Iterator[None]:
        try:
            yield
        except BadTree:
            raise
        except InvalidInput as error:
            raise InvalidInput(self._placed(problem) for problem in error.problems) from None

    def _placed(self, problem: Problem) -> Problem:
        if problem.place is None:
            return problem
        return replace(problem, place=replace(problem.place, path=self._shown(problem.place.path)))


@dataclass(frozen=True, slots=True)
class _Settings:
    """Schemas, and what the operator's settings say against the gates of a document."""

    inner: Schemas
    library: "Library"

    @property
    def origin(self) -> str:
        return self.inner.origin or "the operator's settings"  # without an origin nobody would ask

    @property
    def id(self) -> str:
        return f"{self.inner.id} {self.library!r}"

    def judge(self, documents: Sequence[Document]) -> Iterator[tuple[Problem, ...]]:
        from reconciler.core.analysis.policies import hopeless_gates

        for document, problems in zip(documents, self.inner.judge(documents), strict=True):
            yield (*problems, *hopeless_gates(document, self.library))


@dataclass(frozen=True, slots=True)
class _Counting:
    """Schemas that tell how many documents they have judged."""

    inner: Schemas
    done: Callable[[], None]

    @property
    def origin(self) -> str:
        return self.inner.origin

    @property
    def id(self) -> str:
        return self.inner.id

    def judge(self, documents: Sequence[Document]) -> Iterator[tuple[Problem, ...]]:
        for problems in self.inner.judge(documents):
            self.done()
            yield problems
