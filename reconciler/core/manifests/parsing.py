"""One file -> its manifests, or every problem of it with line, column and field."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from reconciler.core.kinds import Kind
from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.events import Spot
from reconciler.core.manifests.loader import NotJson, YamlDocument, load
from reconciler.core.manifests.parsed import ParsedFile
from reconciler.core.manifests.positions import DocumentMap, positions
from reconciler.core.manifests.recognise import recognise
from reconciler.core.manifests.rendered import split_origin
from reconciler.core.manifests.shape import shape_problems
from reconciler.core.resources import Document, Key, Manifest, Skipped
from reconciler.core.validation import validate
from reconciler.errors import Place, Problem, Severity

_AMBIGUOUS = (
    "is text to one YAML parser and a number, a boolean, a date or null to another: "
    "put it in quotes if it is text, else write it as JSON does"
)
#: Codes whose place is the key of the field rather than its value.
_AT_KEY = frozenset({Code.UNKNOWN_FIELD, Code.SERVER_FIELD, Code.LABEL})
#: Codes that say nothing new where the text of the value has been refused already.
_OF_VALUE = frozenset({Code.TYPE, Code.BOUND, Code.PATTERN, Code.AMBIGUOUS})
_PORT_KEY = re.compile(r'spec\.portLevelMtls\["[0-9]{1,5}"\]').fullmatch


def parse(path: str, blob: str, data: bytes, *, rendered: bool) -> ParsedFile:
    """Do what `manifests.parse_file` promises."""
    loaded = load(path, data)
    documents = [_read(path, document, rendered=rendered) for document in loaded.documents]
    of_text: list[Problem] = []
    of_documents: list[Problem] = []
    if loaded.problems or any(document.problems or document.not_json for document in documents):
        of_text = [problem for problem in _with_fields(data, loaded.problems) if not _is_port_key(problem)]
        of_documents = list(_placed(path, data, of_text, documents, rendered=rendered))
    # A file whose text is refused is refused whole: what could be read of it may be half of what it says.
    whole = not of_text
    return ParsedFile(
        path,
        blob,
        tuple(Manifest(one.key, one.content, one.start, blob) for one in documents if one.key and one.content and whole),
        tuple(Manifest(one.key, {}, one.start, blob) for one in documents if one.key and not (one.content and whole)),
        _skipped(documents),
        tuple(sorted((*of_text, *of_documents), key=lambda problem: problem.place or Place(path))),
    )


@dataclass(slots=True)
class _Read:
    """What became of one document: a kind to skip, or a manifest (`content` is empty where it has errors); and what was said.

    `spot` is where it starts in the file that was read, `start` where in Git (another file, for rendered ones).
    """

    spot: Spot
    start: Place
    key: Key | None = None
    content: Document = field(default_factory=dict)
    skipped: tuple[str, str] | None = None
    problems: list[Problem] = field(default_factory=list)
    not_json: tuple[NotJson, ...] = ()


def _read(path: str, source: YamlDocument, *, rendered: bool) -> _Read:
    read = _Read((source.line, source.column), Place(path, source.line, source.column))
    document = source.value
    if not isinstance(document, dict):
        read.problems.append(Problem(Code.NOT_OBJECT, "must be an object with apiVersion, kind and metadata"))
        return read
    if rendered:
        document, read.start = split_origin(document, path)
    api_version, kind_name = document.get("apiVersion"), document.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind_name, str) or not api_version or not kind_name:
        missing = "apiVersion" if not isinstance(api_version, str) or not api_version else "kind"
        read.problems.append(Problem(Code.NO_KIND, "is missing or no text: every document needs one", field=missing))
        return read
    kind = recognise(api_version, kind_name)
    if kind is None:
        read.skipped = (api_version, kind_name)
    elif isinstance(kind, Problem):
        read.problems.append(kind)
    else:
        read.key = _key(kind, document)
        read.not_json = source.not_json
        _judge(read, kind, document)
    return read


def _judge(read: _Read, kind: Kind, document: Document) -> None:
    """Hold a document of a kind that we read against its model and Istio's rules."""
    read.problems.extend(shape_problems(kind.name, document))
    if read.not_json or not all(_is_aside(problem) for problem in read.problems):
        return
    document = _without_nulls(document)
    document["apiVersion"] = kind.api_version
    if not kind.namespaced and "namespace" in document["metadata"]:
        message = f"a {kind.name} belongs to no namespace: remove it"
        read.problems.append(Problem(Code.NAMESPACE, message, field="metadata.namespace"))
    read.problems.extend(validate(document))
    if not any(problem.severity is Severity.ERROR for problem in read.problems):
        read.content = document


def _is_aside(problem: Problem) -> bool:
    """Tell whether Istio's rules can still be asked in spite of a problem: no value that they would look at is wrong."""
    return problem.code in _AT_KEY or problem.field.startswith("metadata.")


def _without_nulls(value: Any) -> Any:
    """Return a copy without fields that are null: to Kubernetes they are absent."""
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nulls(one) for one in value]
    return value


def _key(kind: Kind, document: Document) -> Key | None:
    """Return the key, as far as the document says it."""
    metadata = document.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(name := metadata.get("name"), str) or not name:
        return None
    namespace = metadata.get("namespace")
    return Key(kind.name, namespace if isinstance(namespace, str) else "", name)


def _skipped(documents: list[_Read]) -> tuple[Skipped, ...]:
    found: dict[tuple[str, str], list[Place]] = {}
    for one in documents:
        if one.skipped:
            found.setdefault(one.skipped, []).append(one.start)
    return tuple(Skipped(version, kind, len(places), places[0]) for (version, kind), places in found.items())


def _is_port_key(problem: Problem) -> bool:
    """Tell whether it is about a port as a key, as Istio's own examples write it: all parsers make the same text of it."""
    return problem.code == Code.KEY_TYPE and _PORT_KEY(problem.field) is not None


def _with_fields(data: bytes, of_text: Iterable[Problem]) -> list[Problem]:
    """Return the problems of the text, each with the field that stands at its place."""
    found = {(one.place.line, one.place.column) if one.place else (0, 0): "" for one in of_text}
    for document in positions(data) if found else ():
        found.update((spot, document.fields[spot]) for spot in found.keys() & document.fields.keys())
    return [replace(one, field=found[one.place.line, one.place.column]) if one.place else one for one in of_text]


def _placed(
    path: str, data: bytes, of_text: Iterable[Problem], documents: Iterable[_Read], *, rendered: bool
) -> Iterator[Problem]:
    """Yield the problems of documents with their places, but for what the text has been refused for already.

    One document's map is made at a time: those of a file of ten thousand would take more memory than all else. Should one
    document have none, its problems stand at its start.
    """
    said = {(problem.place.line, problem.place.column) for problem in of_text if problem.place}
    waiting = {document.spot: document for document in documents if document.problems or document.not_json}
    for fields_of in chain(positions(data), map(DocumentMap, list(waiting))):
        if (document := waiting.pop(fields_of.start, None)) is not None:
            for problem, spot in _with_spots(document, fields_of):
                if spot not in said or problem.code not in _OF_VALUE:
                    place = document.start if rendered else Place(path, *spot)
                    yield replace(problem, place=place, object=str(document.key or ""))


def _with_spots(document: _Read, fields_of: DocumentMap) -> Iterator[tuple[Problem, Spot]]:
    """Yield the problems of a document, then the odd scalars of which none of them speaks."""
    spots = set()
    for problem in document.problems:
        spot = fields_of.spot(problem.field, of_key=problem.code in _AT_KEY)
        spots.add(spot)
        yield problem, spot
    for odd in document.not_json:
        if (spot := (odd.line, odd.column)) not in spots:
            yield Problem(Code.AMBIGUOUS, _AMBIGUOUS, field=fields_of.fields.get(spot, "")), spot
