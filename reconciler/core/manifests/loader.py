"""Strict YAML (and JSON, which is YAML) on the event stream of libyaml.

A manifest needs objects, lists and the scalars of JSON; whatever YAML has beyond that is refused, because parsers disagree
about it or because it is a weapon: anchors, aliases, merge keys, tags, duplicate keys. Events are read rather than composed
nodes, because libyaml's composer recurses without bound.

Loading keeps no positions: problems get line and column from the event at hand; whoever needs field paths or the position of a
field takes a second pass (`positions`).
"""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from math import isfinite
from typing import Any, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.events import MAX_DEPTH, open_events, spot
from reconciler.core.manifests.text import text_problems, value_problem, without_bom
from reconciler.errors import Place, Problem

MAX_BYTES = 8 * 1024 * 1024
MAX_DOCUMENTS = 20_000
#: Fields or items of one object or list; the longest list that Istio allows has 4096.
MAX_ITEMS = 20_000
#: Fields and items of one file; ten thousand rendered documents have about 400,000.
MAX_NODES = 1_000_000
#: Characters of one text (all annotations of an object may have 256 KiB together) and of one key.
MAX_TEXT = 256 * 1024
MAX_KEY = 1024
#: Problems of one file after which no more are looked for.
MAX_PROBLEMS = 100
#: Digits of a whole number; 64 bits need 20.
MAX_DIGITS = 20


@dataclass(frozen=True, slots=True)
class NotJson:
    """Stands in a document for a plain scalar that JSON does not have; never leaves this package.

    Parsers read it differently (``no``, ``010``, ``0x50``, ``1:30``, ``1_0``, ``2024-01-01``, ``~``), so it has no value; nor
    has a number that is too large.
    """

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A document that is not empty: its content (of any JSON type), 1-based line and column of its start, its odd scalars."""

    value: Any
    line: int
    column: int
    not_json: tuple[NotJson, ...] = ()


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file holds. Where there are problems, `documents` is what could be read of it, good only for finding more."""

    documents: tuple[YamlDocument, ...]
    problems: tuple[Problem, ...]


def load(path: str, data: bytes) -> Loaded:
    """Load all documents of a file. Any bytes whatever end in documents or problems, never in an exception."""
    if len(data) > MAX_BYTES:
        return Loaded((), (Problem(Code.CAP, f"is larger than {MAX_BYTES >> 20} MiB: split the file", place=Place(path)),))
    problems = list(islice(text_problems(path, data), MAX_PROBLEMS))
    if problems and problems[0].code == Code.NOT_UTF8:
        return Loaded((), tuple(problems))
    builder = _Builder(path, without_bom(data))
    try:
        builder.read()
    except _StopError:
        pass
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(path, mark.line + 1, mark.column + 1) if mark else Place(path)
        what = " ".join(part for part in (error.context, error.problem) if part)
        builder.problems.append(Problem(Code.SYNTAX, f"is not valid YAML ({what}): correct the syntax", place=place))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if not problems:
            builder.problems.append(Problem(Code.SYNTAX, f"cannot be read as YAML ({type(error).__name__})", place=Place(path)))
    return Loaded(tuple(builder.documents), (*problems, *builder.problems))


class _StopError(Exception):
    """A problem after which reading on makes no sense; it has been recorded."""


class _Builder:
    """Builds plain values from events and records every problem on the way."""

    def __init__(self, path: str, data: bytes) -> None:
        self.documents: list[YamlDocument] = []
        self.problems: list[Problem] = []
        self._path = path
        self._next = open_events(data)
        self._nodes = 0
        self._not_json: list[NotJson] = []
        #: Whether texts need a look: only escapes bring forbidden characters in, only a long file holds a long text.
        self._careful = b"\\" in data or len(data) > MAX_TEXT

    def read(self) -> None:
        next_event = self._next
        next_event()
        count = 0
        while type(start := next_event()) is not StreamEndEvent:
            count += 1
            if count > MAX_DOCUMENTS:
                self._stop(start, f"has more than {MAX_DOCUMENTS} documents: split the file")
            if start.tags:
                self._add(start, Code.TAG, "tag directives are not allowed: remove the line")
            root = next_event()
            value = self._node(root, 1)
            next_event()
            if value is not None:
                self.documents.append(YamlDocument(value, *spot(root), tuple(self._not_json)))
            self._not_json.clear()

    def _node(self, event: Any, depth: int) -> Any:
        kind = type(event)
        if kind is ScalarEvent:
            return self._scalar(event)
        if kind is AliasEvent:
            self._add(event, Code.ALIAS, "aliases (*name) are not allowed: write the value out")
            return None
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        if depth > MAX_DEPTH:
            self._stop(event, f"is nested deeper than {MAX_DEPTH} levels: simplify it")
        return self._mapping(depth) if kind is MappingStartEvent else self._sequence(depth)

    def _mapping(self, depth: int) -> dict[str, Any]:
        next_event, node = self._next, self._node
        result: dict[str, Any] = {}
        keys: list[Any] = []
        while type(key_event := next_event()) is not MappingEndEvent:
            key = self._key(key_event, depth)
            event = next_event()
            value = self._scalar(event) if type(event) is ScalarEvent else node(event, depth + 1)
            if key is None:
                continue
            if key in result:
                first = spot(keys[list(result).index(key)])[0]
                self._add(key_event, Code.DUPLICATE_KEY, f"is set twice, first in line {first}: keep one of them")
                continue
            result[key] = value
            keys.append(key_event)
            if len(keys) > MAX_ITEMS:
                self._stop(key_event, f"has more than {MAX_ITEMS} fields: split it")
        self._count(len(keys))
        return result

    def _sequence(self, depth: int) -> list[Any]:
        next_event, node = self._next, self._node
        result: list[Any] = []
        while type(event := next_event()) is not SequenceEndEvent:
            result.append(self._scalar(event) if type(event) is ScalarEvent else node(event, depth + 1))
            if len(result) > MAX_ITEMS:
                self._stop(event, f"has more than {MAX_ITEMS} items: split it")
        self._count(len(result))
        return result

    def _scalar(self, event: Any) -> Any:
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        value = event.value
        if self._careful:
            self._inspect(event)
        if event.style or value[:1] not in _SUSPECT:
            return sys.intern(value)
        resolved = _resolve(value)
        if resolved is not _NOT_JSON and resolved is not _TOO_LARGE:
            return resolved
        if resolved is _TOO_LARGE:
            self._add(event, Code.NUMBER, "is a number beyond any allowed range: write a smaller one")
        stand_in = NotJson(*spot(event))
        self._not_json.append(stand_in)
        return stand_in

    def _key(self, event: Any, depth: int) -> str | None:
        if type(event) is not ScalarEvent:
            self._add(event, Code.KEY_TYPE, "keys must be text, not lists, objects or aliases")
            if type(event) is not AliasEvent:
                self._node(event, depth + 1)
            return None
        if event.anchor is not None or event.tag is not None:
            self._refuse_extras(event)
        key: str = event.value
        if self._careful:
            self._inspect(event)
        if len(key) > MAX_KEY:
            self._stop(event, f"a key has more than {MAX_KEY} characters: shorten it")
        if not event.style and key[:1] in _SUSPECT and not isinstance(_resolve(key), str):
            if key == "<<":
                self._add(event, Code.ALIAS, "merge keys (<<) are not allowed: write the fields out")
                return None
            self._add(event, Code.KEY_TYPE, "keys must be text: put the key in quotes")
        return sys.intern(key)

    def _inspect(self, event: Any) -> None:
        if len(event.value) > MAX_TEXT:
            self._stop(event, f"is longer than {MAX_TEXT >> 10} KiB: shorten it")
        if event.style == '"' and (found := value_problem(event.value)):
            self._add(event, *found)

    def _refuse_extras(self, event: Any) -> None:
        if event.anchor is not None:
            self._add(event, Code.ALIAS, "anchors (&name) are not allowed: write the value out where it is needed")
        if event.tag is not None:
            self._add(event, Code.TAG, "tags (!name) are not allowed: write plain values")

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self.problems.append(
                Problem(Code.CAP, f"has more than {MAX_NODES} fields and items: split the file", place=Place(self._path))
            )
            raise _StopError

    def _add(self, event: Any, code: str, message: str) -> None:
        self.problems.append(Problem(code, message, place=Place(self._path, *spot(event))))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _StopError

    def _stop(self, event: Any, message: str) -> NoReturn:
        self._add(event, Code.CAP, message)
        raise _StopError


#: First characters of plain scalars that may be anything but text; the empty one is null.
_SUSPECT = frozenset(["", *"0123456789+-.~=<nNtTfFyYoO"])
_JSON_WORDS: dict[str, Any] = {"": None, "null": None, "true": True, "false": False}
_JSON_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)").fullmatch
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?").fullmatch
_OTHER_WORDS = frozenset(
    spelling
    for word in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
    for spelling in (word, word.capitalize(), word.upper())
) | {"~", "=", "<<"}
#: What YAML 1.1 or 1.2 parsers read as a number or a date and JSON does not know.
_OTHER_VALUE = re.compile(
    r"[-+]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+"
    r"|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?"
).fullmatch
_NOT_JSON, _TOO_LARGE = object(), object()


@lru_cache(maxsize=2048)
def _resolve(plain: str) -> Any:
    """Return the JSON value of a plain scalar, itself where it is text everywhere, `_NOT_JSON` or `_TOO_LARGE`."""
    if plain in _JSON_WORDS:
        return _JSON_WORDS[plain]
    if plain in _OTHER_WORDS:
        return _NOT_JSON
    if _JSON_INTEGER(plain):
        return int(plain) if len(plain) <= MAX_DIGITS else _TOO_LARGE
    if _JSON_NUMBER(plain):
        number = float(plain)
        return number if isfinite(number) else _TOO_LARGE
    return _NOT_JSON if _OTHER_VALUE(plain) else plain
