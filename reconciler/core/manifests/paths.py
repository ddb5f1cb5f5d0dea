"""Field paths: ``spec.ports[0].number``, ``metadata.labels["a.b/c"]``."""

import re
from collections.abc import Iterable, Iterator

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*").fullmatch
_LAST_STEP = re.compile(r"""(?:\.?[A-Za-z_][A-Za-z0-9_-]*|\[\d+\]|\["[^"]*"\])\Z""")
#: Keys come from the repository; a path is shown to people and shall stay readable.
_LONGEST_KEY = 80


def child(path: str, step: str | int) -> str:
    """Return the path of one more step: an index of a list or a key of an object."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if _PLAIN(step):
        return f"{path}.{step}" if path else step
    shown = step if len(step) <= _LONGEST_KEY else step[:_LONGEST_KEY] + "..."
    return f'{path}["{shown.translate(_UNSAFE)}"]'


_UNSAFE = dict.fromkeys(map(ord, '"\\\n\r\t'), "?")


def render(steps: Iterable[str | int]) -> str:
    """Return the path made of these steps."""
    path = ""
    for step in steps:
        path = child(path, step)
    return path


def ancestors(path: str) -> Iterator[str]:
    """Yield the path itself, then what it lies in, nearest first, down to the empty path."""
    while path:
        yield path
        shorter = _LAST_STEP.sub("", path)
        path = shorter if shorter != path else ""
    yield ""
