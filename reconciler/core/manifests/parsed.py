"""What one file says, as a value that a cache can keep: plain JSON, no paths in it, so that a moved file is still known."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import dirname, join, normpath, relpath
from typing import Any, Self

from reconciler.core.documents import shared
from reconciler.core.resources import Document, Key, Manifest, Skipped
from reconciler.errors import Place, Problem, Severity

#: Changes whenever the same bytes would now be read differently, or are kept differently.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """The manifests of a file (without a namespace where the author wrote none), kinds skipped, problems.

    `broken` are manifests with errors, as far as they say who they are; their documents are empty.
    """

    path: str
    blob: str
    manifests: tuple[Manifest, ...] = ()
    broken: tuple[Manifest, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    problems: tuple[Problem, ...] = ()

    def to_bytes(self) -> bytes:
        """Return everything but path and blob id as JSON."""
        return json.dumps(
            [
                [[self._place(one.place), one.document] for one in self.manifests],
                [[self._place(one.place), one.key.kind, one.key.namespace, one.key.name] for one in self.broken],
                [[self._place(one.place), one.api_version, one.kind, one.count] for one in self.skipped],
                [[self._place(one.place), one.code, one.message, one.severity, one.field, one.object] for one in self.problems],
            ],
            separators=(",", ":"),
        ).encode()

    @classmethod
    def from_bytes(cls, data: bytes, path: str, blob: str) -> Self:
        """Return what `to_bytes` made, as the content of the file at this path. Raises ValueError for anything else."""
        try:
            return cls._of(json.loads(data), path, blob)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("not a parsed file") from error

    @classmethod
    def _of(cls, content: Sequence[Any], path: str, blob: str) -> Self:
        manifests, broken, skipped, problems = content
        return cls(
            path,
            blob,
            tuple(_manifest(shared(document), _placed(place, path), blob) for place, document in manifests),
            tuple(Manifest(Key(*key), {}, _placed(place, path), blob) for place, *key in broken),
            tuple(Skipped(version, kind, count, _placed(place, path)) for place, version, kind, count in skipped),
            tuple(
                Problem(code, message, Severity(severity), _placed(place, path), field, about)
                for place, code, message, severity, field, about in problems
            ),
        )

    def _place(self, place: Place | None) -> list[Any]:
        """Return line and column; for a rendered document also the path of its origin, relative to the file's folder."""
        if place is None:
            return []
        if place.path == self.path:
            return [place.line, place.column]
        return [place.line, place.column, relpath(f"/{place.path}", f"/{dirname(self.path)}")]


def _manifest(document: Document, place: Place, blob: str) -> Manifest:
    return Manifest(Key.of(document), document, place, blob)


def _placed(place: Sequence[Any], path: str) -> Place:
    line, column, *other = place or (0, 0)
    return Place(normpath(join(dirname(path), other[0])) if other else path, line, column)
