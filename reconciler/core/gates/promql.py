"""PromQL as text: quoting values, and reading in a person's query what a window must know of it.

Only the lexical grammar is read (promql/parser/lex.go of Prometheus): strings, comments, names, durations. Whether a query
means anything, Prometheus itself says.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

#: In a person's query: the length of the window.
WINDOW = "$window"
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
_DURATION = r"(?:[0-9]+(?:ms|[smhdwy]))+"
_TOKEN = re.compile(
    rf"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<duration>{_DURATION}(?![a-zA-Z0-9_]))
    |(?P<number>0[xX][0-9a-fA-F]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<parameter>\$[a-zA-Z_][a-zA-Z0-9_]*)
    |(?P<name>:?[a-zA-Z_][a-zA-Z0-9_:]*)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
#: Names that are no metric where nothing in parentheses follows.
_WORDS = frozenset("and or unless atan2 bool offset inf nan start end step anchored smoothed".split())
#: Words before a list of labels in parentheses.
_GROUPING = frozenset("by without on ignoring group_left group_right".split())

_Token = tuple[str, str]


def quoted(value: str) -> str:
    """Return a label's value as a string of PromQL, whatever is in it.

    PromQL reads Go's escapes; those that JSON has for quotes, backslashes and controls are among them.
    """
    return json.dumps(value, ensure_ascii=False)


def pattern(*values: str) -> str:
    """Return a string of PromQL that, after ``=~``, matches any of these values and nothing else."""
    return quoted("|".join(_literally(value) for value in values))


def duration(length: timedelta) -> str:
    """Return a length of time as PromQL writes it, to the millisecond."""
    return f"{max(1, round(length / timedelta(milliseconds=1)))}ms"


def within(query: str, window: timedelta) -> str:
    """Put the length of the window into a person's query, where it is asked for outside of strings and comments."""
    return "".join(duration(window) if (kind, text) == ("parameter", WINDOW) else text for kind, text in _tokens(query))


def parameters(template: str) -> frozenset[str]:
    """Return the names of a template's parameters, ``$name`` each, outside of strings and comments; the window is none."""
    return frozenset(text[1:] for kind, text in _tokens(template) if kind == "parameter" and text != WINDOW)


def bound(template: str, values: Mapping[str, str]) -> str:
    """Put values in place of a template's parameters, as quoted strings: one can be the value of a label, and nothing more."""
    return "".join(
        quoted(values[text[1:]]) if kind == "parameter" and text != WINDOW else text for kind, text in _tokens(template)
    )


def fault(query: str) -> str:
    """Return what forbids a query as a gate's, empty for a good one."""
    signs = [text for kind, text in _tokens(query) if kind == "sign"]
    if "@" in signs:
        return "asks for a fixed moment (@): a gate looks at the time since the last look"
    if any(sign in signs for sign in "\"'`"):
        return "has a string without an end"
    if unbound := sorted(parameters(query)):
        return f"has the parameter ${unbound[0]}: only {WINDOW} is known in a query"
    if not selectors(query):
        return "asks for no series: name a metric"
    return ""


def reach(query: str) -> timedelta:
    """Return how far a query looks back by itself: its ranges, and the largest offset. ``$window`` adds nothing.

    Ranges inside of a subquery add to it; so they all do wherever there is one, which is never too little.
    """
    ranges, offsets, nested, before = [timedelta(0)], [timedelta(0)], False, ""
    for kind, text in (one for one in _tokens(query) if one[0] != "space"):
        if kind == "duration" and before == "[":
            ranges.append(_length(text))
        elif kind == "duration" and before == "offset":
            offsets.append(_length(text))
        nested = nested or (before.startswith("[") and text[:1] == ":")
        before = f"[{text}" if before == "[" else text
    return (sum(ranges, timedelta(0)) if nested else max(ranges)) + max(offsets)


def freshness(query: str) -> str:
    """Return a query for the time (UNIX seconds) of the oldest among the newest samples of each metric that a query uses."""
    parts = (f'label_replace(max(timestamp({one})), "part", "{number}", "", "")' for number, one in enumerate(selectors(query)))
    return f"min({' or '.join(parts)})"


def growth(query: str) -> str:
    """Return a query for how much the counters of a query have grown in the window, the one that has grown most.

    Of a share that is the whole: how many requests the value rests on. Empty where a query takes no range of any counter.
    """
    ranged = dict.fromkeys(text for text, following in _selectors(query) if following == "[")
    parts = (f'label_replace(sum(increase({one}[{WINDOW}])), "part", "{number}", "", "")' for number, one in enumerate(ranged))
    return f"max({' or '.join(parts)})" if ranged else ""


def selectors(query: str) -> list[str]:
    """Return the instant vector selectors of a query, each once, in their order."""
    return list(dict.fromkeys(text for text, _ in _selectors(query)))


def _selectors(query: str) -> Iterator[tuple[str, str]]:
    """Yield each selector of a query, and what stands after it."""
    tokens = [one for one in _tokens(query) if one[0] != "space"]
    i = 0
    while i < len(tokens):
        kind, text = tokens[i]
        following = _at(tokens, i + 1)
        if kind == "name" and text.lower() in _GROUPING and following == "(":
            i = _closing(tokens, i + 1, ")")
        elif text == "{":
            end = _closing(tokens, i, "}")
            yield _text(tokens[i : end + 1]), _at(tokens, end + 1)
            i = end
        elif kind == "name" and following == "{":
            end = _closing(tokens, i + 1, "}")
            yield _text(tokens[i : end + 1]), _at(tokens, end + 1)
            i = end
        elif kind == "name" and following != "(" and not _is_word(text, following):
            yield text, following
        i += 1


def _at(tokens: list[_Token], place: int) -> str:
    return tokens[place][1] if place < len(tokens) else ""


def _is_word(text: str, following: str) -> bool:
    """Tell a keyword from a metric; before a list of labels an aggregation (``sum by (job)``) is one too."""
    return text.lower() in _WORDS | _GROUPING or following.lower() in ("by", "without")


def _closing(tokens: list[_Token], start: int, sign: str) -> int:
    return next((i for i in range(start, len(tokens)) if tokens[i] == ("sign", sign)), len(tokens) - 1)


def _text(tokens: list[_Token]) -> str:
    return "".join(text for _, text in tokens)


def _tokens(query: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(query):
        yield found.lastgroup or "", found.group()


def _length(text: str) -> timedelta:
    parts = re.findall(r"([0-9]+)(ms|[smhdwy])", text)
    return timedelta(milliseconds=sum(int(number) * _UNITS[unit] for number, unit in parts))


def _literally(value: str) -> str:
    """Escape what RE2 gives a meaning to. Its own letters and all else mean themselves."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)
