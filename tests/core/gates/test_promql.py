"""PromQL as text: nothing breaks out of quotes, and queries are read as far as windows need it."""

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.gates.promql import (
    bound,
    duration,
    fault,
    freshness,
    growth,
    parameters,
    pattern,
    quoted,
    reach,
    selectors,
    within,
)

#: What manifests can hold: any text that is valid UTF-8.
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
#: Texts made of what strings, selectors and regular expressions are made of.
HOSTILE = st.text(st.sampled_from("\"'`\\{}[](),=~!|.*+?^$#\nnux0a "))
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", '"': '"'}


def read(text: str) -> tuple[str, str]:
    """Read a double-quoted string as Prometheus does (util/strutil/quote.go: Unquote); return it and what follows it."""
    assert text.startswith('"')
    value, i = "", 1
    while text[i] != '"':
        assert text[i] != "\n", "a line ends inside of the string"
        if text[i] != "\\":
            value, i = value + text[i], i + 1
        elif text[i + 1] == "u":
            value, i = value + chr(int(text[i + 2 : i + 6], 16)), i + 6
        else:
            value, i = value + _ESCAPES[text[i + 1]], i + 2
    return value, text[i + 1 :]


@given(st.one_of(TEXTS, HOSTILE), st.one_of(TEXTS, HOSTILE))
@pytest.mark.case("T8", "A5")
def test_no_value_breaks_out_of_its_quotes(value: str, after: str) -> None:
    """Prometheus reads exactly the value, and exactly what stands after it, whatever both are."""
    assert read(quoted(value) + after) == (value, after)


@given(st.lists(st.one_of(TEXTS, HOSTILE), min_size=1, max_size=3), st.one_of(TEXTS, HOSTILE))
@pytest.mark.case("T8", "A5")
def test_a_pattern_matches_its_values_and_nothing_else(values: list[str], other: str) -> None:
    """Names are data: a dot in one matches a dot."""
    expression, rest = read(pattern(*values))
    assert rest == ""
    matcher = re.compile(expression, re.DOTALL)
    assert all(matcher.fullmatch(value) for value in values)
    assert bool(matcher.fullmatch(other)) == (other in values)


def test_lengths_of_time_are_whole_milliseconds() -> None:
    """And never nothing, which PromQL refuses."""
    assert duration(timedelta(seconds=90)) == "90000ms"
    assert duration(timedelta(0)) == "1ms"


def test_the_window_is_put_in_where_it_is_meant() -> None:
    """Not into strings or comments."""
    query = 'sum(rate(x{a="$window"}[$window])) # $window'
    assert within(query, timedelta(seconds=5)) == 'sum(rate(x{a="$window"}[5000ms])) # $window'


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("up", ["up"]),
        ('up{job="a"} offset 5m', ['up{job="a"}']),
        ('{__name__="up"}', ['{__name__="up"}']),
        ("sum by (job, code) (rate(x[5m])) / on (job) group_left () total", ["x", "total"]),
        ("sum(a) by (b) > bool 3", ["a"]),
        ("a and b or c unless d", ["a", "b", "c", "d"]),
        ('x{a="}"} + x{a="}"}', ['x{a="}"}']),
        ('label_replace(up, "x{y}", "$1", "job", `(.*)`)', ["up"]),
        ("job:errors:rate5m + :total", ["job:errors:rate5m", ":total"]),
        ("max_over_time(x[10m:1m])", ["x"]),
        ("up # and comment{}", ["up"]),
        ('count_values without (a) ("b", c)', ["c"]),
        ("topk(3, avg without (x) (y))", ["y"]),
        ("1 + 2e3 - 0x1f > Inf or NaN", []),
        ("vector(1)", []),
        ("", []),
    ],
)  # fmt: skip
def test_the_metrics_of_a_query(query: str, found: list[str]) -> None:
    """Functions, keywords, labels of groupings, strings and comments are none."""
    assert selectors(query) == found


@pytest.mark.parametrize(
    ("query", "back"),
    [
        ("up", "0s"),
        ("rate(x[5m])", "5m"),
        ("rate(x[$window])", "0s"),
        ("rate(x[1h30m]) / rate(y[5m])", "1h30m"),
        ("rate(x[5m] offset 1h)", "1h5m"),
        ("max_over_time(rate(x[5m])[10m:1m])", "15m"),
        ("max_over_time(rate(x[5m])[10m:])", "15m"),
        ('x{a="[5m]"} # [1h]', "0s"),
        ("rate(x[500ms])", "500ms"),
    ],
)
def test_how_far_a_query_looks_back(query: str, back: str) -> None:
    """What it looks at must all be after the window's opening."""
    units = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}
    parts = {units[unit]: int(number) for number, unit in re.findall(r"(\d+)(ms|[smh])", back)}
    assert reach(query) == timedelta(**parts)


def test_freshness_asks_for_every_metric() -> None:
    """The oldest of the newest samples counts."""
    assert freshness("a / b") == (
        'min(label_replace(max(timestamp(a)), "part", "0", "", "") or label_replace(max(timestamp(b)), "part", "1", "", ""))'
    )


def test_parameters_become_strings_and_nothing_else() -> None:
    """Outside of strings and comments; the window is none of them."""
    template = 'x{a=$a, b="$b"}[$window] # $c'
    assert parameters(template) == {"a"}
    assert bound(template, {"a": 'y"} or z{'}) == 'x{a="y\\"} or z{", b="$b"}[$window] # $c'


def test_growth_is_that_of_the_counters_with_a_range() -> None:
    """Each once; a query without one counts nothing."""
    query = 'sum(rate(a{b="c"}[5m])) / sum(rate(d[$window])) > e + rate(d[1h])'
    assert growth(query) == (
        'max(label_replace(sum(increase(a{b="c"}[$window])), "part", "0", "", "")'
        ' or label_replace(sum(increase(d[$window])), "part", "1", "", ""))'
    )
    assert growth("depth > 3") == ""


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("up", ""),
        ("up @ 1700000000", "asks for a fixed moment (@): a gate looks at the time since the last look"),
        ("vector(1)", "asks for no series: name a metric"),
        ("rate(x[$range])", "has the parameter $range: only $window is known in a query"),
        ('up{a="b', "has a string without an end"),
    ],
)
def test_queries_that_no_gate_may_ask(query: str, why: str) -> None:
    """Said while the manifest is checked, not when the rollout stands."""
    assert fault(query) == why


@given(st.one_of(TEXTS, HOSTILE))
def test_any_text_can_be_read(text: str) -> None:
    """Hostile queries are Prometheus's to refuse; reading them never fails, and changes only what is asked for."""
    selectors(text)
    fault(text)
    assert reach(text) >= timedelta(0)
    assert "$window" in text or within(text, timedelta(seconds=1)) == text
