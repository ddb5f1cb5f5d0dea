"""Rows as a store keeps them: a kind, an id, and a JSON value."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reconciler.core.fleet.values import Agent, Fleet, Row, Token, Workload
from reconciler.core.rollouts.codec import plain, read

_KINDS: Mapping[str, type[Row]] = {"token": Token, "agent": Agent, "workload": Workload, "fleet": Fleet}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def identity(row: Row) -> tuple[str, str]:
    """Return the kind of a row, and what tells it from others of its kind."""
    match row:
        case Workload():
            return "workload", f"{row.namespace}/{row.name}"
        case Fleet():
            return "fleet", ""
        case _:
            return _NAMES[type(row)], row.id


def to_json(row: Row) -> Any:
    """Return a row as a JSON object, without its version."""
    return {name: value for name, value in plain(row).items() if name != "version"}


def from_json(kind: str, document: Any, version: int) -> Row:
    """Return the row that `to_json` wrote. Raises InvalidInput where a newer program has written it."""
    return replace(read(_KINDS[kind], document), version=version)
