"""Positions of fields."""

import pytest

from reconciler.core.manifests.positions import locate, positions

TEXT = b"""\
# a comment
kind: A
spec:
  ports:
  - number: 80
    name: http
  labels: {"a.b/c": x, d: [1, 2]}
---
kind: B
spec: {}
"""


@pytest.mark.parametrize(
    ("field", "line", "column"),
    [
        ("kind", 2, 7),
        ("spec", 3, 1),
        ("spec.ports", 4, 3),
        ("spec.ports[0]", 5, 5),
        ("spec.ports[0].number", 5, 13),
        ('spec.labels["a.b/c"]', 7, 21),
        ("spec.labels.d[1]", 7, 31),
        ("spec.ports[0].targetPort", 5, 5),
        ("spec.ports[7].number", 4, 3),
        ("status", 2, 1),
        ("", 2, 1),
    ],
)
def test_a_field_is_located_or_what_it_would_lie_in(field: str, line: int, column: int) -> None:
    """Values where they stand, objects and lists at their key, absent fields at their nearest ancestor."""
    assert locate(TEXT, [(2, field)]) == {(2, field): (line, column)}


def test_documents_are_told_apart_by_their_first_line() -> None:
    """Fields of several are found in one pass; a line on which none begins has nothing to offer."""
    assert locate(TEXT, [(9, "spec"), (2, "spec"), (6, "spec")]) == {(9, "spec"): (10, 1), (2, "spec"): (3, 1)}


def test_keys_have_positions_of_their_own() -> None:
    """For problems that are about the key."""
    (first, _) = positions(TEXT)
    assert first.spot("spec.ports[0].number", of_key=True) == (5, 5)
    assert first.fields[5, 13] == "spec.ports[0].number"


def test_a_text_that_breaks_off_has_positions_up_to_there() -> None:
    """What was read before the error can still be pointed at."""
    (only,) = positions(b"a:\n  b: 1\n  c: [1,\n")
    assert only.spot("a.b") == (2, 6)


def test_odd_keys_lie_in_their_object() -> None:
    """A key that is a list or an object belongs to what it stands in; of two equal keys the first one's place counts."""
    (only,) = positions(b"a:\n  ? [x]\n  : y\nb: 1\nb: 2\n")
    assert only.fields[2, 5] == "a"
    assert only.spot("b") == (4, 4)
    assert only.fields[5, 1] == "b"
