"""Where each field of a YAML document stands: a second pass over the events, made only when there is something to point at."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from reconciler.core.manifests.events import MAX_DEPTH, NextEvent, Spot, open_events, spot
from reconciler.core.manifests.paths import ancestors, child
from reconciler.core.manifests.text import without_bom

#: A field by the line on which its document begins, and its path.
Field = tuple[int, str]


@dataclass(slots=True)
class DocumentMap:
    """The positions of one document: where it starts, where each field's key and value start, which field starts where.

    The value of an object or list counts as standing at its key, because in block style it begins on the next line.
    """

    start: Spot
    keys: dict[str, Spot] = field(default_factory=dict)
    values: dict[str, Spot] = field(default_factory=dict)
    fields: dict[Spot, str] = field(default_factory=dict)

    def spot(self, path: str, *, of_key: bool = False) -> Spot:
        """Return where a field stands, or what it would lie in when it is not there."""
        spots = self.keys if of_key else self.values
        return next((spots[one] for one in ancestors(path) if one in spots), self.start)


def positions(data: bytes) -> Iterator[DocumentMap]:
    """Yield a map per document that is not empty, in order; ends early, with what it has, where the text cannot be parsed."""
    next_event = open_events(without_bom(data))
    current: DocumentMap | None = None
    try:
        next_event()
        while type(next_event()) is not StreamEndEvent:
            root = next_event()
            current = DocumentMap(spot(root))
            _walk(next_event, root, "", current, 1)
            next_event()
            yield current
            current = None
    except (yaml.YAMLError, _TooDeepError):
        if current is not None:
            yield current


def locate(data: bytes, fields: Iterable[Field]) -> dict[Field, Spot]:
    """Return where fields stand (their nearest ancestors if they are absent), all of them found in one pass.

    Left out are those of a line on which no document begins.
    """
    wanted: dict[int, set[str]] = {}
    for line, path in fields:
        wanted.setdefault(line, set()).add(path)
    return {
        (document.start[0], path): document.spot(path)
        for document in positions(data)
        for path in wanted.get(document.start[0], ())
    }


class _TooDeepError(Exception):
    pass


def _walk(next_event: NextEvent, event: Any, path: str, document: DocumentMap, depth: int) -> None:
    """Record what an event's node holds, then where it stands: a place belongs to the innermost field that starts there."""
    if depth > MAX_DEPTH:
        raise _TooDeepError
    if type(event) is SequenceStartEvent:
        index = 0
        while type(item := next_event()) is not SequenceEndEvent:
            item_path = child(path, index)
            document.keys.setdefault(item_path, spot(item))
            document.values.setdefault(item_path, spot(item))
            _walk(next_event, item, item_path, document, depth + 1)
            index += 1
    elif type(event) is MappingStartEvent:
        while type(key := next_event()) is not MappingEndEvent:
            if type(key) is ScalarEvent:
                field_path, value = child(path, key.value), next_event()
                document.keys.setdefault(field_path, spot(key))
                document.values.setdefault(field_path, spot(value if type(value) is ScalarEvent else key))
                document.fields.setdefault(spot(key), field_path)
                _walk(next_event, value, field_path, document, depth + 1)
            else:
                _walk(next_event, key, path, document, depth + 1)
                _walk(next_event, next_event(), path, document, depth + 1)
    document.fields.setdefault(spot(event), path)
