"""Strict YAML: what is read, what is refused, and that nothing crashes or explodes."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from reconciler.core.manifests.codes import Code
from reconciler.core.manifests.loader import MAX_DOCUMENTS, MAX_ITEMS, NotJson, load
from reconciler.core.manifests.positions import positions

SAMPLE = b"""\
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm-1, namespace: shop, labels: {"a.b/c": 'x'}}
spec:
  address: 10.0.0.1
  ports:
    http: 8080
  weight: 5
---
# a comment
- [1, -2.5e3, true, null, ~]
- |
  text
  of lines
"""


def values(data: bytes) -> list[Any]:
    """Return what a faultless file holds."""
    loaded = load("a.yaml", data)
    assert not loaded.problems, loaded.problems
    return [document.value for document in loaded.documents]


def refusals(data: bytes) -> list[tuple[str, int, int]]:
    """Return code, line and column of each problem."""
    return [(one.code, one.place.line, one.place.column) for one in load("a.yaml", data).problems if one.place]


def test_the_scalars_of_json_are_read_and_the_rest_is_text() -> None:
    """Null, booleans and numbers are JSON's; every other plain scalar that all parsers take for text is text."""
    data = b"[null, true, false, 0, -7, 1.5, 1e3, abc, 10.0.0.1, 1.2.3, v1, 'no', \"010\", 12ab, a-b, 2001:db8::1]"
    expected = [
        None,
        True,
        False,
        0,
        -7,
        1.5,
        1000.0,
        "abc",
        "10.0.0.1",
        "1.2.3",
        "v1",
        "no",
        "010",
        "12ab",
        "a-b",
        "2001:db8::1",
    ]
    assert values(data) == [expected]


def test_an_empty_value_is_null() -> None:
    """All parsers agree about it."""
    assert values(b"a:\nb: {}\n") == [{"a": None, "b": {}}]


@pytest.mark.case("M-04")
@pytest.mark.parametrize(
    "text",
    "no NO on Off y N yes True TRUE Null ~ 010 0x50 0o17 0b1 1_0 +1 .5 5. 1:30 190:20:30 .inf -.INF .NaN 2024-01-01 = "
    "2024-01-01T00:00:00Z 1_0.5".split(),
)
def test_what_parsers_read_differently_has_no_value(text: str) -> None:
    """Such a scalar is neither text nor a number here; whoever expects a type says so with its place."""
    loaded = load("a.yaml", f"key: {text}\n".encode())
    assert not loaded.problems
    assert loaded.documents[0].value == {"key": NotJson(1, 6)}
    assert loaded.documents[0].not_json == (NotJson(1, 6),)


@pytest.mark.case("M-05")
@pytest.mark.parametrize("text", ["9" * 5000, "-" + "1" * 30, "1e999", "-1e400"])
def test_numbers_beyond_any_range_are_refused(text: str) -> None:
    """Huge integers and floats that overflow never become values."""
    assert refusals(f"a: {text}".encode()) == [(Code.NUMBER, 1, 4)]


@pytest.mark.case("M-01")
@pytest.mark.parametrize(
    "data",
    [
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (i, i, b",".join([b"*%c" % (i - 1)] * 9)) for i in range(98, 118)),
        b"a: &a {k: v}\nb:\n  <<: *a\n",
        b"a: &a [*a]\n",
        b"? *x\n: 1\n",
    ],
)
def test_anchors_aliases_and_merge_keys_are_refused(data: bytes) -> None:
    """They are refused where they stand and never expanded."""
    loaded = load("a.yaml", data)
    assert loaded.problems
    assert {problem.code for problem in loaded.problems} <= {Code.ALIAS, Code.KEY_TYPE}
    assert all(problem.place and problem.place.line for problem in loaded.problems)


@pytest.mark.case("M-02")
@pytest.mark.parametrize(
    "data",
    [b"[" * 100_000, b"- " * 100_000, b"{a: " * 100_000, b'{"a":' * 100_000, b"".join(b" " * i + b"a:\n" for i in range(2000))],
)
def test_deep_nesting_is_refused(data: bytes) -> None:
    """Flow style, block style and JSON stop at the depth cap; nothing recurses as deep as the input."""
    (problem,) = load("a.yaml", data).problems
    assert problem.code == Code.CAP
    assert "64" in problem.message
    list(positions(data))


@pytest.mark.case("M-03")
def test_a_duplicate_key_is_refused_with_both_lines() -> None:
    """At the top, in labels and in ports; the second place is the problem's, the first is named."""
    data = b"a: 1\nlabels:\n  x: 1\n  z: 2\n  x: 3\nports:\n- {name: a, name: b}\na: 2\n"
    loaded = load("a.yaml", data)
    assert refusals(data) == [(Code.DUPLICATE_KEY, 5, 3), (Code.DUPLICATE_KEY, 7, 13), (Code.DUPLICATE_KEY, 8, 1)]
    assert [problem.message.split(":")[0] for problem in loaded.problems] == [
        "is set twice, first in line 3",
        "is set twice, first in line 7",
        "is set twice, first in line 1",
    ]


@pytest.mark.case("M-06")
@pytest.mark.parametrize(
    "data",
    [
        b"a: !!python/object/apply:os.system ['id']\n",
        b"a: !!binary aGVsbG8=\n",
        b"a: !!set {x}\n",
        b"a: !!timestamp 2024-01-01\n",
        b"a: !!str 5\n",
        b"a: !mine x\n",
        b"! x\n",
    ],
)
def test_tags_are_refused(data: bytes) -> None:
    """Also the harmless ones: a manifest needs none."""
    assert [code for code, _, _ in refusals(data)] == [Code.TAG]


def test_tag_directives_are_refused() -> None:
    """They would give plain looking tags another meaning."""
    assert [code for code, _, _ in refusals(b"%TAG ! tag:example.com,2000:\n---\na: 1\n")] == [Code.TAG]


@pytest.mark.case("M-07")
@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        ("a: b\n".encode("utf-16"), Code.NOT_UTF8, 1, 1),
        ("a: ä\n".encode("latin-1"), Code.NOT_UTF8, 1, 4),
        (b"a: b\nc: x\x00y\n", Code.INVISIBLE, 2, 5),
        (b'a: b\nc: "x\\0y"\n', Code.INVISIBLE, 2, 4),
        (b'a: "\\ud800"\n', Code.SYNTAX, 1, 7),
        ("a: x\u0085y\n".encode(), Code.INVISIBLE, 1, 5),
        ("a: x\u202ey\n".encode(), Code.INVISIBLE, 1, 5),
        (b'a: "x\\u202ey"\n', Code.INVISIBLE, 1, 4),
        ("# \u200b\na: b\n".encode(), Code.INVISIBLE, 1, 3),
        ("a: b\nc: e\u0301\n".encode(), Code.NOT_NFC, 2, 1),
        (b'a: "e\\u0301"\n', Code.NOT_NFC, 1, 4),
    ],
)
def test_text_that_nobody_can_see_is_refused(data: bytes, code: Code, line: int, column: int) -> None:
    """Other encodings, control, bidirectional and invisible characters, composed or escaped, each with its place."""
    assert refusals(data)[0] == (code, line, column)


@pytest.mark.case("M-07")
def test_a_byte_order_mark_is_tolerated() -> None:
    """Editors on Windows write one; it moves no column."""
    assert values(b"\xef\xbb\xbfa: b\n") == [{"a": "b"}]


@pytest.mark.case("M-08")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"a: b\r\nc:\r\n- d\r\n", [{"a": "b", "c": ["d"]}]),
        (b"a: b   \nc: d\t\n", [{"a": "b", "c": "d"}]),
        (b"", []),
        (b"# only a comment\n", []),
        (b"---\n", []),
        (b"---\n---\n# nothing\n---\na: b\n...\n", [{"a": "b"}]),
        (b'{\n\t"a": [1, 2],\n\t"b": "\\/"\n}\n', [{"a": [1, 2], "b": "/"}]),
    ],
)
def test_odd_but_valid_files_are_read(data: bytes, expected: list[Any]) -> None:
    """CRLF, trailing blanks, tabs within JSON, empty documents (which say nothing at all)."""
    assert values(data) == expected


@pytest.mark.case("M-08")
def test_a_tab_as_indentation_is_a_syntax_error() -> None:
    """It is refused with its place."""
    assert refusals(b"a:\n\tb: c\n") == [(Code.SYNTAX, 2, 1)]


@pytest.mark.case("M-08")
def test_a_valid_file_may_be_one_line_of_a_megabyte() -> None:
    """JSON without line breaks, for instance."""
    endpoints = [{"address": f"10.0.{number // 250}.{number % 250}", "labels": {"app": "x" * 200}} for number in range(4096)]
    data = json.dumps({"endpoints": endpoints}).encode()
    assert len(data) > 1_000_000
    assert values(data) == [{"endpoints": endpoints}]


@pytest.mark.case("M-08")
def test_one_text_of_a_megabyte_is_refused() -> None:
    """No field of a manifest is that long."""
    assert refusals(b"a: " + b"x" * 1_000_000) == [(Code.CAP, 1, 4)]


@pytest.mark.parametrize(
    "data",
    [
        b"---\n" * (MAX_DOCUMENTS + 1),
        b"[" + b"1," * (MAX_ITEMS + 1) + b"]",
        b"".join(b"k%d: 1\n" % i for i in range(MAX_ITEMS + 1)),
        b"x" * 2000 + b": 1",
        b"# " + b"x" * 8 * 1024 * 1024,
    ],
)
def test_caps_bound_every_dimension(data: bytes) -> None:
    """Documents, items, fields, keys and the file itself have a largest size."""
    loaded = load("a.yaml", data)
    assert loaded.problems[-1].code in (Code.CAP, Code.SYNTAX)
    assert not any(document.value for document in loaded.documents)


@pytest.mark.parametrize("data", [b"5: a", b"true: a", b"null: a", b"010: a", b"? \n: a", b"? [a]\n: b", b"? {a: b}\n: c"])
def test_keys_must_be_text(data: bytes) -> None:
    """A key that is a number, a boolean, null, a list or an object is refused."""
    assert [code for code, _, _ in refusals(data)] == [Code.KEY_TYPE]


def test_problems_of_one_file_are_bounded() -> None:
    """After a hundred of them no more are looked for."""
    assert len(load("a.yaml", b"- !x y\n" * 5000).problems) == 100


@pytest.mark.case("M-09")
def test_a_syntax_error_leaves_what_came_before_it_for_more_findings_only() -> None:
    """The problem has its place; whoever takes the documents sees that there is a problem."""
    loaded = load("a.yaml", b"a: 1\n---\nb: [\n---\nc: 3\n")
    assert [problem.code for problem in loaded.problems] == [Code.SYNTAX]
    assert [document.value for document in loaded.documents] == [{"a": 1}]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(min_codepoint=32, max_codepoint=126)), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON_VALUES.filter(lambda value: value is not None))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_json_is_read_as_json(value: Any) -> None:
    """Whatever JSON's own writer makes reads back as the same value."""
    assert values(json.dumps(value).encode()) == [value]


PIECES = [
    b"&a ",
    b"*a",
    b"<<: ",
    b"!!python/x ",
    b"[",
    b"{",
    b"]",
    b"? ",
    b"- ",
    b": ",
    b"\t",
    b"\r",
    b'"\\ud800"',
    b"\x00",
    b"\xff",
]
PIECES += [b"---\n", b"...\n", b"%TAG ! x\n", b"|\n", b"'", b'"', b"1e999", "\u202e".encode(), b"9" * 400, b"\n", b"  "]


@given(
    st.lists(
        st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 12), st.sampled_from(PIECES) | st.binary(max_size=6)), max_size=8
    )
)
@example([(0, 0, b"\xef\xbb\xbf"), (40, 0, b"\xef\xbb\xbf")])
def test_mutated_bytes_end_in_documents_or_located_problems(edits: list[tuple[int, int, bytes]]) -> None:
    """Any edit of a manifest is read or refused, never an exception, and each problem has a line of the file."""
    data = bytearray(SAMPLE)
    for at, removed, inserted in edits:
        data[at : at + removed] = inserted
    loaded = load("a.yaml", bytes(data))
    lines = bytes(data).count(b"\n") + bytes(data).count(b"\r") + 2
    assert all(problem.place and problem.place.line <= lines for problem in loaded.problems)
    list(positions(bytes(data)))


@given(st.binary(max_size=300))
def test_any_bytes_end_in_documents_or_problems(data: bytes) -> None:
    """Bytes of no meaning at all are no exception either."""
    load("a.yaml", data)
    list(positions(data))
