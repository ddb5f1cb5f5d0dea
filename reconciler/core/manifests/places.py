"""Problems of whole documents -> problems that point at the field in its file."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.core.resources import Manifest
from reconciler.errors import Place, Problem

#: Gives the bytes of a blob that was parsed, by its id; None where it cannot.
ReadBlob = Callable[[str], bytes | None]


def placed(found: Sequence[tuple[Manifest, Problem]], read: ReadBlob | None) -> list[Problem]:
    """Return the problems, each pointing at its field where the blob can be read, else at what it points at now.

    A blob is read and walked once, however many problems it has. A rendered document has no lines in Git.
    """
    fields: dict[str, set[tuple[int, str]]] = {}
    for manifest, problem in found:
        if manifest.place.line:
            fields.setdefault(manifest.blob, set()).add((manifest.place.line, problem.field))
    spots = {(blob, *field): spot for blob in fields for field, spot in _spots(blob, fields[blob], read).items()}
    return [
        replace(problem, place=Place(manifest.place.path, *spot))
        if (spot := spots.get((manifest.blob, manifest.place.line, problem.field)))
        else problem
        for manifest, problem in found
    ]


def _spots(blob: str, fields: set[tuple[int, str]], read: ReadBlob | None) -> dict[tuple[int, str], tuple[int, int]]:
    data = read(blob) if read else None
    if data is None:
        return {}
    from reconciler.core.manifests.positions import locate

    return locate(data, fields)
