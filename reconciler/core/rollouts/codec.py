"""Rollouts as JSON values and back, exactly: fractions stay fractions, lengths of time whole microseconds, moments UTC.

NaN and infinite numbers, which JSON does not have, are texts.
The fields are read off the classes themselves, so that none can be forgotten. A field that has come later takes its default
when an older record is read; a record that a newer program wrote is refused, since what is not understood would be lost.
Documents stand once each, however many places of a rollout they have.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cache
from math import isfinite
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from reconciler.core.resources import Document, Key
from reconciler.core.rollouts.rollout import Rollout
from reconciler.errors import InvalidInput, SetupCode

VERSION = 1

T = TypeVar("T")

_MICROSECOND = timedelta(microseconds=1)


def to_json(rollout: Rollout) -> Document:
    """Return a rollout as a JSON object."""
    writer = _Writer()
    written = writer.written(rollout)
    return {"version": VERSION, "documents": writer.documents, "rollout": written}


def from_json(record: Mapping[str, Any]) -> Rollout:
    """Return the rollout that `to_json` wrote. Raises InvalidInput where a newer program has written it."""
    if record["version"] > VERSION:
        raise InvalidInput(
            f"a rollout is stored in form {record['version']}, this program knows {VERSION}: upgrade it",
            code=SetupCode.DATABASE_NEWER,
        )
    rollout: Rollout = _Reader(record["documents"]).read(Rollout, record["rollout"])
    return rollout


def plain(value: object) -> Any:
    """Return a value of rollouts without documents as JSON."""
    return _Writer().written(value)


def read(kind: type[T], value: Any) -> T:
    """Return the value of a kind that `plain` wrote."""
    found: T = _Reader([]).read(kind, value)
    return found


@dataclass(slots=True)
class _Writer:
    documents: list[Document] = field(default_factory=list)
    _places: dict[str, int] = field(default_factory=dict)

    def written(self, value: object) -> Any:
        match value:
            case StrEnum():
                return value.value
            case Fraction() | Key():
                return str(value)
            case timedelta():
                return value // _MICROSECOND
            case float() if not isfinite(value):
                return str(value)
            case datetime():
                return value.astimezone(UTC).isoformat()
            case tuple():
                return [self.written(one) for one in value]
            case frozenset():
                return sorted(self.written(one) for one in value)
            case Mapping():
                return {str(key): self._place(one) if isinstance(key, Key) else one for key, one in value.items()}
            case _ if is_dataclass(value):
                return {one.name: self.written(getattr(value, one.name)) for one in fields(value)}
            case _:
                return value

    def _place(self, document: Document | None) -> int | None:
        if document is None:
            return None
        place = self._places.setdefault(json.dumps(document), len(self.documents))
        if place == len(self.documents):
            self.documents.append(document)
        return place


@dataclass(frozen=True, slots=True)
class _Reader:
    documents: list[Document]

    def read(self, kind: Any, value: Any) -> Any:
        """Return a JSON value as a value of a type; mappings are of documents by key, or JSON as they are."""
        origin, inner = get_origin(kind) or kind, get_args(kind)
        if value is None or kind is Any:
            return value
        if NoneType in inner:
            return self.read(next(one for one in inner if one is not NoneType), value)
        if origin is tuple:
            kinds = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
            return tuple(self.read(one, each) for one, each in zip(kinds, value, strict=True))
        if origin is frozenset:
            return frozenset(self.read(inner[0], one) for one in value)
        if origin is Mapping:
            return self._documents(value) if inner[0] is Key else value
        if origin is not Key and is_dataclass(origin):
            return self._object(origin, value)
        return _atom(origin, value)

    def _object(self, kind: Any, value: Mapping[str, Any]) -> Any:
        hints = _hints(kind)
        if unknown := value.keys() - hints.keys():
            raise InvalidInput(
                f"a rollout is stored with {min(unknown)}, which this program does not know: upgrade it",
                code=SetupCode.DATABASE_NEWER,
            )
        return kind(**{name: self.read(hints[name], one) for name, one in value.items()})

    def _documents(self, value: Mapping[str, int | None]) -> Mapping[Key, Document | None]:
        return {Key.parse(key): None if place is None else self.documents[place] for key, place in value.items()}


def _atom(kind: type, value: Any) -> Any:
    if kind is Key:
        return Key.parse(value)
    if kind is timedelta:
        return value * _MICROSECOND
    if kind is datetime:
        return datetime.fromisoformat(value)
    return kind(value) if issubclass(kind, Fraction | StrEnum | float) else value


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)
