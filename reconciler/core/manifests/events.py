"""The event stream of libyaml, reached in this one place.

`CParser` is private to PyYAML and exists only where it was built with libyaml, as its wheels are.
"""

from collections.abc import Callable
from typing import Any

import yaml
from yaml._yaml import CParser

if not yaml.__with_libyaml__:
    raise ImportError("PyYAML was built without libyaml: install its wheel, or libyaml and then PyYAML from source")

#: Levels of objects and lists; Istio's deepest schema has about 20.
MAX_DEPTH = 64

#: 1-based line and column.
Spot = tuple[int, int]
#: Returns the next event; its type is one of `yaml.events`, whose attributes PyYAML's stubs do not tell.
NextEvent = Callable[[], Any]


def open_events(data: bytes) -> NextEvent:
    """Return what yields one event after the other; it raises yaml.YAMLError where the text is broken."""
    return CParser(data).get_event


def spot(event: Any) -> Spot:
    """Return where an event begins."""
    mark = event.start_mark
    return mark.line + 1, mark.column + 1
