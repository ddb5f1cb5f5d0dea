"""Problems of whole documents -> problems that point at the field in its file."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from reconciler.core.resources import Manifest
from reconciler.errors import Place, Problem

#: Gives the bytes of blobs that were parsed, by their ids, as far as it can.
ReadBlobs = Callable[[Iterable[str]], Iterable[tuple[str, bytes]]]


def placed(found: Sequence[tuple[Manifest, Problem]], read: ReadBlobs | None) -> list[Problem]:
    """Return the problems, each pointing at its field where the blob can be read, else at what it points at now.

    A blob is asked for and walked once, however many problems it has. A rendered document has no lines in Git.
    """
    fields: dict[str, set[tuple[int, str]]] = {}
    for manifest, problem in found:
        if manifest.place.line:
            fields.setdefault(manifest.blob, set()).add((manifest.place.line, problem.field))
    spots = _spots(fields, read) if fields and read else {}
    return [
        replace(problem, place=Place(manifest.place.path, *spot))
        if (spot := spots.get((manifest.blob, manifest.place.line, problem.field)))
        else problem
        for manifest, problem in found
    ]


def _spots(fields: Mapping[str, Collection[tuple[int, str]]], read: ReadBlobs) -> dict[tuple[str, int, str], tuple[int, int]]:
    from reconciler.core.manifests.positions import locate

    return {(blob, *field): spot for blob, data in read(fields) for field, spot in locate(data, fields[blob]).items()}
