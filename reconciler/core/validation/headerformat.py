"""Envoy's format of header values: text with variables such as ``%REQ(:path)%``, in which ``%%`` is a percent sign.

A state machine over characters, as Envoy has it: the table says where a character leads, `None` where any other one leads
(nothing: it is an error). Which variables exist is Envoy's knowledge.
"""

from enum import Enum, auto


class _State(Enum):
    TEXT = auto()
    NAME = auto()
    ARGUMENTS = auto()
    QUOTE = auto()
    STRING = auto()
    DELIMITER = auto()
    PARENTHESIS = auto()
    PERCENT = auto()


_NEXT: dict[_State, dict[str | None, _State]] = {
    _State.TEXT: {"%": _State.NAME, None: _State.TEXT},
    _State.NAME: {"%": _State.TEXT, "(": _State.ARGUMENTS, None: _State.NAME},
    _State.ARGUMENTS: {"[": _State.QUOTE, " ": _State.ARGUMENTS, None: _State.STRING},
    _State.QUOTE: {'"': _State.STRING, " ": _State.QUOTE},
    _State.STRING: {")": _State.PERCENT, '"': _State.DELIMITER, None: _State.STRING},
    _State.DELIMITER: {",": _State.QUOTE, "]": _State.PARENTHESIS, " ": _State.DELIMITER},
    _State.PARENTHESIS: {")": _State.PERCENT, " ": _State.PARENTHESIS},
    _State.PERCENT: {"%": _State.TEXT, " ": _State.PERCENT},
}
#: In these states two characters count as one literal.
_ESCAPES = {_State.TEXT: "%%", _State.STRING: "\\"}


def format_flaw(value: str) -> str:
    """Return what is wrong with a value, empty where nothing is."""
    if "%" not in value:
        return ""
    state, position = _State.TEXT, 0
    while position < len(value):
        escape = _ESCAPES.get(state)
        if escape and value.startswith(escape, position):
            position += 2
            continue
        following = _NEXT[state]
        if (step := following.get(value[position]) or following.get(None)) is None:
            return f"a variable goes wrong at character {position + 1}"
        state = step
        position += 1
    return "" if state is _State.TEXT else "a variable does not end in %"
