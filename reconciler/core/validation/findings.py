"""What the checks write into, and how they read values whose types nobody has vouched for.

A value of a wrong type reads as absent here: whether types are right is the typed manifests' question, and it is answered there
with the same field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.core.resources import EMPTY
from reconciler.core.validation.codes import Code
from reconciler.errors import Problem, Severity

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*").fullmatch
_UNSAFE_IN_PATH = dict.fromkeys(map(ord, '"\\\n\r\t'), "?")
_LONGEST_SHOWN = 80
_NUMBERS = frozenset({int, float})


class Findings:
    """The problems found so far, in the order of the checks."""

    __slots__ = ("_problems",)

    def __init__(self) -> None:
        self._problems: list[Problem] = []

    def error(self, code: Code, field: str, message: str) -> None:
        self._problems.append(Problem(code.value, message, field=field))

    def warning(self, code: Code, field: str, message: str) -> None:
        self._problems.append(Problem(code.value, message, Severity.WARNING, field=field))

    def errors_of(self, other: "Findings") -> None:
        """Take over the errors of another one, without its warnings."""
        self._problems.extend(problem for problem in other.all() if problem.severity is Severity.ERROR)

    def all(self) -> tuple[Problem, ...]:
        return tuple(self._problems)


def step(path: str, key: str) -> str:
    """Return the path of a key of a map: ``path.key``, or ``path["a.b/c"]`` for a key that is no plain word."""
    if _PLAIN_KEY(key):
        return f"{path}.{key}"
    shown = key if len(key) <= _LONGEST_SHOWN else key[:_LONGEST_SHOWN] + "..."
    return f'{path}["{shown.translate(_UNSAFE_IN_PATH)}"]'


def shown(value: object) -> str:
    """Return a value as it may stand in a message: quoted, of bounded length, without control characters."""
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a number of more than 18 digits"
    if not isinstance(value, str):
        return str(value) if value is None or isinstance(value, bool | int | float) else "this value"
    return ascii(value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "...")


def mapping(value: object) -> Mapping[str, Any]:
    """Return the object, an empty one for anything else."""
    return value if isinstance(value, dict) else EMPTY


def sequence(value: object) -> Sequence[Any]:
    """Return the list, an empty one for anything else."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str:
    """Return the text, an empty one for anything else."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> int | float:
    """Return the number, 0 where it is none: for the protocol buffers behind Istio's API both are the same."""
    result: int | float = value if type(value) in _NUMBERS else 0
    return result


def present(parent: Mapping[str, Any], *names: str) -> list[str]:
    """Return which of these fields are there. Null counts as absent, as it does for the API server; empty values do not."""
    return [name for name in names if parent.get(name) is not None]


def objects(found: Findings, parent: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield path and content of each object in a list, and report what is null there."""
    for index, item in enumerate(sequence(parent.get(name))):
        where = f"{path}.{name}[{index}]"
        if isinstance(item, dict):
            yield where, item
        elif item is None:
            found.error(Code.NULL_ITEM, where, f"an item of {name} is null: fill it in or remove it")


def strings(found: Findings, parent: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, str]]:
    """Yield path and text of each text in a list, and report what is null there."""
    for index, item in enumerate(sequence(parent.get(name))):
        if isinstance(item, str):
            yield f"{path}.{name}[{index}]", item
        elif item is None:
            found.error(Code.NULL_ITEM, f"{path}.{name}[{index}]", f"an item of {name} is null: fill it in or remove it")


def entries(parent: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, str, Any]]:
    """Yield path, key and value of each entry of a map."""
    for key, value in mapping(parent.get(name)).items():
        yield step(f"{path}.{name}", key), key, value


def one_of(found: Findings, parent: Mapping[str, Any], path: str, *names: str) -> None:
    """At most one of these fields may be set."""
    if len(given := present(parent, *names)) > 1:
        found.error(Code.ONE_OF, path, f"{' and '.join(given)} exclude each other: keep one of them")


def within(found: Findings, parent: Mapping[str, Any], path: str, name: str, low: int, high: int) -> None:
    """A number, where there is one, lies between two bounds (included)."""
    value = number(parent.get(name))
    if not low <= value <= high and parent.get(name) is not None:
        found.error(Code.NUMBER_RANGE, f"{path}.{name}", f"{name} is {shown(value)}: use {low} to {high}")


def not_negative(found: Findings, parent: Mapping[str, Any], path: str, *names: str) -> None:
    """Numbers, where there are any, are 0 or more."""
    for name in names:
        if (value := number(parent.get(name))) < 0:
            found.error(Code.NUMBER_RANGE, f"{path}.{name}", f"{name} is {shown(value)}: use 0 or more")


def known(found: Findings, parent: Mapping[str, Any], path: str, **choices: Sequence[str]) -> None:
    """Fields that hold one of a few words hold none else. Empty counts as absent."""
    for name, values in choices.items():
        if (value := text(parent.get(name))) and value not in values:
            found.error(Code.UNKNOWN_VALUE, f"{path}.{name}", f"{shown(value)} does not exist: use one of {', '.join(values)}")
